//! Sums along the way, and positions by rank.

use tch::{Kind, Tensor};

use super::call::Call;
use super::shape::{Shape, Size};
use super::{Op, Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `cumsum(self, dim)`: the sum of all positions up to each.
#[derive(Debug, Clone, PartialEq)]
pub struct Cumsum {
    /// The axis.
    pub dim: i64,
    /// The data type of the sums; that of the value, or int64 for integers, if it is absent.
    pub kind: Option<Kind>,
}

/// `argmax` and `argmin(self, dim, keepdim)`: the position of the largest or the smallest value.
#[derive(Debug, Clone, PartialEq)]
pub struct Argmax {
    /// Whether the largest or the smallest.
    pub largest: bool,
    /// The axis.
    pub dim: i64,
    /// Whether the axis stays, with one position.
    pub keepdim: bool,
}

/// The values or the positions of `topk(self, k, dim)`: the largest or smallest ones, sorted.
#[derive(Debug, Clone, PartialEq)]
pub struct TopK {
    /// How many.
    pub k: i64,
    /// The axis.
    pub dim: i64,
    /// Whether the largest or the smallest.
    pub largest: bool,
    /// Whether this is the positions, or the values.
    pub indices: bool,
    /// Whether they are sorted, or in libtorch's order.
    pub sorted: bool,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("cumsum", |call| {
        let op = Cumsum {
            dim: call.int("dim", 0)?,
            kind: call.kind("dtype")?,
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
    ("argmax", |call| argmax(call, true)),
    ("argmin", |call| argmax(call, false)),
];

fn argmax(call: &mut Call, largest: bool) -> Result<(Op, Vec<Arg>)> {
    let dim = call.size("dim")?;
    let dim = dim.ok_or_else(|| call.wrong("dim", "an axis"))?.value;
    let keepdim = call.bool("keepdim", false)?;
    Ok((
        Argmax {
            largest,
            dim,
            keepdim,
        }
        .into(),
        vec![call.tensor("self")?],
    ))
}

impl Operator for Cumsum {
    fn name(&self) -> &'static str {
        "cumsum"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        own_axis(x[0], self.dim)?;
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_cumsum(self.dim, self.kind)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

/// An axis of `shape` that is not the batch's.
fn own_axis(shape: &Shape, dim: i64) -> Result<usize> {
    let axis = shape.axis(dim)?;
    if shape.0[axis].batched {
        let message = format!("the batch axis of {shape} can't be mixed");
        return Err(Error::new(ErrorKind::Network, message));
    }
    Ok(axis)
}

impl Operator for Argmax {
    fn name(&self) -> &'static str {
        if self.largest { "argmax" } else { "argmin" }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = own_axis(x[0], self.dim)?;
        let mut value = x[0].clone();
        if self.keepdim {
            value.0[axis] = Size::fixed(1);
        } else {
            value.0.remove(axis);
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(if self.largest {
            x[0].f_argmax(self.dim, self.keepdim)?
        } else {
            x[0].f_argmin(self.dim, self.keepdim)?
        })
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

impl Operator for TopK {
    fn name(&self) -> &'static str {
        "topk"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = own_axis(x[0], self.dim)?;
        let mut value = x[0].clone();
        if !(0..=value.0[axis].value).contains(&self.k) {
            let message = format!("{} of the values of {} along axis {axis}", self.k, x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        value.0[axis] = Size::fixed(self.k);
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (values, indices) = x[0].f_topk(self.k, self.dim, self.largest, self.sorted)?;
        Ok(if self.indices { indices } else { values })
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
