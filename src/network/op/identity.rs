//! What changes no value in evaluation mode.

use tch::Tensor;

use super::call::Call;
use super::shape::Shape;
use super::{Locality, Op, Operator, Read, ReducedPrecision};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// The identity: `dropout` in evaluation mode, `contiguous`, `clone`, `detach`, `alias`, `to`.
#[derive(Debug, Clone, PartialEq)]
pub struct Identity {
    /// aten's name.
    pub name: &'static str,
}

impl Identity {
    /// The same value without a gradient.
    pub const DETACH: Identity = Identity { name: "detach" };

    /// A batch norm that was folded into the convolution before it.
    pub const FOLDED: Identity = Identity { name: "batch_norm" };
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("dropout", read_dropout),
    ("feature_dropout", read_dropout),
    ("alpha_dropout", read_dropout),
    ("contiguous", |call| identity(call, "contiguous")),
    ("clone", |call| identity(call, "clone")),
    ("detach", |call| identity(call, "detach")),
    ("alias", |call| identity(call, "alias")),
    ("lift_fresh_copy", |call| identity(call, "lift_fresh_copy")),
];

fn read_dropout(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let message = "the network was exported in training mode: it has dropout";
    if call.bool("train", false)? {
        let error = Error::new(ErrorKind::Network, message);
        return Err(error.help("call `net.eval()` before `torch.export.export`"));
    }
    call.number("p")?;
    let name = if call.is_tensor("input") {
        "input"
    } else {
        "self"
    };
    let op = Identity { name: "dropout" };
    Ok((op.into(), vec![call.tensor(name)?]))
}

fn identity(call: &mut Call, name: &'static str) -> Result<(Op, Vec<Arg>)> {
    let arg = call.tensor("self")?;
    Ok((Identity { name }.into(), vec![arg]))
}

impl Operator for Identity {
    fn name(&self) -> &'static str {
        self.name
    }

    fn locality(&self) -> Locality {
        Locality::Positions
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(match self.name {
            "detach" => x[0].f_detach()?,
            _ => x[0].shallow_clone(),
        })
    }
}
