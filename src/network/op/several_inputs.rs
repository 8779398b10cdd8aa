//! Functions of several values: a gate among the channels, a slope for each channel, bounds, a product that is added.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, broadcast};
use super::{Op, Operator, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `glu(self, dim)`: the first half of an axis times the sigmoid of the second half.
#[derive(Debug, Clone, PartialEq)]
pub struct Glu {
    /// The axis.
    pub dim: i64,
}

/// `prelu(self, weight)`: x above 0, x times a weight below.
#[derive(Debug, Clone, PartialEq)]
pub struct Prelu;

/// `addcmul` and `addcdiv(self, tensor1, tensor2, value)`: a value plus a factor times the product or the quotient of two others.
#[derive(Debug, Clone, PartialEq)]
pub struct Addc {
    /// The factor.
    pub value: f64,
    /// Whether it is the quotient.
    pub divide: bool,
}

/// `clamp(self, min, max)` with bounds that are tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct ClampTensor {
    /// Whether there is a lower bound.
    pub min: bool,
    /// Whether there is an upper bound.
    pub max: bool,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("addcmul", |call| addc(call, false)),
    ("addcdiv", |call| addc(call, true)),
    ("glu", |call| {
        let dim = call.int("dim", -1)?;
        Ok((Glu { dim }.into(), vec![call.tensor("self")?]))
    }),
    ("prelu", |call| {
        Ok((
            Prelu.into(),
            vec![call.tensor("self")?, call.tensor("weight")?],
        ))
    }),
];

fn addc(call: &mut Call, divide: bool) -> Result<(Op, Vec<Arg>)> {
    let value = call.number("value")?.unwrap_or(1.0);
    let names = ["self", "tensor1", "tensor2"];
    let args: Result<Vec<Arg>> = names.into_iter().map(|name| call.tensor(name)).collect();
    Ok((Addc { value, divide }.into(), args?))
}

/// A call of `clamp` with tensors as bounds.
pub(super) fn clamp_tensor(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let mut args = vec![call.tensor("self")?];
    let (min, max) = (call.optional_tensor("min")?, call.optional_tensor("max")?);
    let op = ClampTensor {
        min: min.is_some(),
        max: max.is_some(),
    };
    args.extend(min.into_iter().chain(max));
    Ok((op.into(), args))
}

impl Operator for ClampTensor {
    fn name(&self) -> &'static str {
        "clamp"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let bounds = x[1..].iter();
        bounds
            .copied()
            .try_fold(x[0].clone(), |shape, bound| broadcast(&shape, bound))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let mut bounds = x[1..].iter();
        let mut value = x[0].shallow_clone();
        if let Some(min) = bounds.next().filter(|_| self.min) {
            value = value.f_maximum(min)?;
        }
        if let Some(max) = x.last().filter(|_| self.max) {
            value = value.f_minimum(max)?;
        }
        Ok(value)
    }
}

impl Operator for Addc {
    fn name(&self) -> &'static str {
        if self.divide { "addcdiv" } else { "addcmul" }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        broadcast(&broadcast(x[0], x[1])?, x[2])
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let part = if self.divide {
            x[1].f_div(x[2])?
        } else {
            x[1].f_mul(x[2])?
        };
        Ok(x[0].f_add(&part.f_mul_scalar(self.value)?)?)
    }
}

impl Operator for Glu {
    fn name(&self) -> &'static str {
        "glu"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        let mut value = x[0].clone();
        let side = &mut value.0[axis];
        if side.batched || side.value % 2 != 0 {
            let message = format!("axis {axis} of {} can't be halved", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        side.value /= 2;
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_glu(self.dim)?)
    }
}

impl Operator for Prelu {
    fn name(&self) -> &'static str {
        "prelu"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_prelu(x[1])?)
    }
}
