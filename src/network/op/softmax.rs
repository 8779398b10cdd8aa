//! Softmax.

use tch::{Kind, Tensor};

use super::call::Call;
use super::shape::Shape;
use super::{Op, Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `softmax(self, dim)`: exp(x) over its sum along an axis; `log_softmax` is its logarithm.
#[derive(Debug, Clone, PartialEq)]
pub struct Softmax {
    /// The axis; a negative one counts from the back.
    pub dim: i64,
    /// Whether it is the logarithm.
    pub log: bool,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("softmax", |call| softmax(call, false)),
    ("_softmax", |call| softmax(call, false)),
    ("log_softmax", |call| softmax(call, true)),
    ("_log_softmax", |call| softmax(call, true)),
];

fn softmax(call: &mut Call, log: bool) -> Result<(Op, Vec<Arg>)> {
    // The data type of the sum: float32 here, too.
    call.dtype("dtype")?;
    call.bool("half_to_float", false)?;
    let dim = call.int("dim", -1)?;
    Ok((Softmax { dim, log }.into(), vec![call.tensor("self")?]))
}

impl Operator for Softmax {
    fn name(&self) -> &'static str {
        if self.log { "log_softmax" } else { "softmax" }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        if x[0].0[axis].batched {
            let message = format!("a softmax over the batch axis of {}", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(if self.log {
            x[0].f_log_softmax(self.dim, None::<Kind>)?
        } else {
            x[0].f_softmax(self.dim, None::<Kind>)?
        })
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
