//! Values repeated, mirrored, or taken by indices of every position.

use tch::Tensor;

use super::shape::{Shape, Size};
use super::{Operator, Read};
use crate::error::{Error, ErrorKind, Result};

/// `repeat(self, repeats)`, also `tile`: the whole value several times along axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Repeat {
    /// How often along each axis; further axes come before those of the value.
    pub repeats: Vec<Size>,
}

/// `repeat_interleave(self, repeats, dim)`: each position several times.
#[derive(Debug, Clone, PartialEq)]
pub struct RepeatInterleave {
    /// How often.
    pub repeats: i64,
    /// Along which axis.
    pub dim: i64,
}

/// `flip(self, dims)`: the positions of axes in reverse order.
#[derive(Debug, Clone, PartialEq)]
pub struct Flip {
    /// The axes.
    pub dims: Vec<i64>,
}

/// `gather(self, dim, index)`: along an axis, the position that another value has for each of its positions.
#[derive(Debug, Clone, PartialEq)]
pub struct TakeAlong {
    /// The axis.
    pub dim: i64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("repeat", |call| {
        let repeats = call.sizes("repeats")?.unwrap_or_default();
        Ok((Repeat { repeats }.into(), vec![call.tensor("self")?]))
    }),
    ("tile", |call| {
        let repeats = call.sizes("dims")?.unwrap_or_default();
        Ok((Repeat { repeats }.into(), vec![call.tensor("self")?]))
    }),
    ("repeat_interleave", |call| {
        call.ignore("output_size");
        let op = RepeatInterleave {
            repeats: call.int("repeats", 1)?,
            dim: call.int("dim", 0)?,
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
    ("flip", |call| {
        let dims = call.ints("dims")?.unwrap_or_default();
        Ok((Flip { dims }.into(), vec![call.tensor("self")?]))
    }),
    ("gather", |call| {
        call.bool("sparse_grad", false)?;
        let dim = call.int("dim", 0)?;
        let args = vec![call.tensor("self")?, call.tensor("index")?];
        Ok((TakeAlong { dim }.into(), args))
    }),
];

impl Repeat {
    /// How often along each axis of a value with `rank` axes: once along those in front that have no number.
    fn times(&self, rank: usize) -> Vec<Size> {
        let missing = rank.saturating_sub(self.repeats.len());
        let once = std::iter::repeat_n(Size::fixed(1), missing);
        once.chain(self.repeats.iter().copied()).collect()
    }
}

impl Operator for Repeat {
    fn name(&self) -> &'static str {
        "repeat"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let fault = || {
            let message = format!("{} repeated {} times", x[0], Shape(self.repeats.clone()));
            Error::new(ErrorKind::Network, message)
        };
        let times = self.times(x[0].rank());
        let missing = times.len() - x[0].rank();
        let sides = times.iter().enumerate().map(|(axis, times)| {
            let own = axis.checked_sub(missing);
            let own = own.map_or(Size::fixed(1), |axis| x[0].0[axis]);
            let value = own.value.checked_mul(times.value);
            let value = value.filter(|_| times.value >= 0 && !(own.batched && times.batched));
            // The batch must stay the slowest part of its axis.
            let value = value.filter(|_| !(own.batched && times.value != 1));
            value.map(|value| Size {
                value,
                batched: own.batched || times.batched,
            })
        });
        let sides: Option<Vec<Size>> = sides.collect();
        sides.map(Shape).ok_or_else(fault)
    }

    fn evaluate(&self, x: &[&Tensor], batch: i64) -> Result<Tensor> {
        Ok(x[0].f_repeat(Shape(self.times(x[0].dim())).at(batch)?)?)
    }
}

impl Operator for RepeatInterleave {
    fn name(&self) -> &'static str {
        "repeat_interleave"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut value = x[0].clone();
        let axis = value.axis(self.dim)?;
        let side = &mut value.0[axis];
        match side.value.checked_mul(self.repeats) {
            Some(more) if self.repeats >= 0 => side.value = more,
            _ => {
                let message = format!("{} repeated {} times", x[0], self.repeats);
                return Err(Error::new(ErrorKind::Network, message));
            }
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_repeat_interleave_self_int(self.repeats, self.dim, None)?)
    }
}

impl Operator for Flip {
    fn name(&self) -> &'static str {
        "flip"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        for &dim in &self.dims {
            let axis = x[0].axis(dim)?;
            if x[0].0[axis].batched {
                let message = format!("the batch axis of {} in reverse order", x[0]);
                return Err(Error::new(ErrorKind::Network, message));
            }
        }
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_flip(&self.dims)?)
    }
}

impl Operator for TakeAlong {
    fn name(&self) -> &'static str {
        "gather"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        if x[0].0[axis].batched || x[0].rank() != x[1].rank() {
            let message = format!("positions of {} by indices of shape {}", x[0], x[1]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(x[1].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_gather(self.dim, x[1], false)?)
    }
}
