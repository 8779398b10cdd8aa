//! Parts of a value: slices, single positions, positions in another order.

use tch::Tensor;

use super::shape::{Shape, Size, broadcast};
use super::{Op, Operator, Read, ReducedPrecision};
use crate::error::{Error, ErrorKind, Result};

/// `slice(self, dim, start, end, step)`: some positions of an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Slice {
    /// The axis.
    pub dim: i64,
    /// The first position; a negative one counts from the back.
    pub start: i64,
    /// The position after the last one; beyond the axis it is its length.
    pub end: i64,
    /// Positions between neighbours.
    pub step: i64,
}

/// `select(self, dim, index)`: one position of an axis, which goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Select {
    /// The axis.
    pub dim: i64,
    /// The position; a negative one counts from the back.
    pub index: i64,
}

/// `roll(self, shifts, dims)`: the positions of axes shifted; those that leave at one end enter at the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Roll {
    /// By how many positions.
    pub shifts: Vec<i64>,
    /// Of which axes.
    pub dims: Vec<i64>,
}

/// `index_select(self, dim, index)`: positions of an axis in the order of a constant tensor of indices.
#[derive(Debug, Clone, PartialEq)]
pub struct Gather {
    /// The axis.
    pub dim: i64,
}

/// A value with a part replaced: `slice_scatter` and `select_scatter(self, src)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Scatter {
    /// The part: a [`Slice`] or a [`Select`].
    pub part: Box<Op>,
}

/// `index(self, indices)`: positions of some axes in the order of tensors of indices.
#[derive(Debug, Clone, PartialEq)]
pub struct Index {
    /// Whether each axis has a tensor of indices, in the order of the axes.
    pub indexed: Vec<bool>,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("slice", |call| {
        let op = Slice {
            dim: call.int("dim", 0)?,
            start: call.int("start", 0)?,
            end: call.int("end", i64::MAX)?,
            step: call.int("step", 1)?,
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
    ("narrow", |call| {
        let start = call.int("start", 0)?;
        let op = Slice {
            dim: call.int("dim", 0)?,
            start,
            end: start.saturating_add(call.int("length", 0)?),
            step: 1,
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
    ("select", |call| {
        let op = Select {
            dim: call.int("dim", 0)?,
            index: call.int("index", 0)?,
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
    ("roll", |call| {
        let op = Roll {
            shifts: call.ints("shifts")?.unwrap_or_default(),
            dims: call.ints("dims")?.unwrap_or_default(),
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
    ("index", |call| {
        let mut args = vec![call.tensor("self")?];
        let indices = call.optional_tensors("indices")?;
        let indexed = indices.iter().map(Option::is_some).collect();
        args.extend(indices.into_iter().flatten());
        Ok((Index { indexed }.into(), args))
    }),
    ("index_select", |call| {
        let dim = call.int("dim", 0)?;
        Ok((
            Gather { dim }.into(),
            vec![call.tensor("self")?, call.tensor("index")?],
        ))
    }),
];

impl Slice {
    /// First position, the one after the last, of an axis with `length` positions.
    fn range(&self, length: i64) -> (i64, i64) {
        let wrap = |at: i64| {
            if at < 0 {
                at.saturating_add(length)
            } else {
                at
            }
        };
        let start = wrap(self.start).clamp(0, length);
        (start, wrap(self.end).clamp(start, length))
    }
}

impl Operator for Slice {
    fn name(&self) -> &'static str {
        "slice"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        let mut value = x[0].clone();
        if value.0[axis].batched {
            // The whole batch is no part of it.
            if (self.start, self.end, self.step) == (0, i64::MAX, 1) {
                return Ok(value);
            }
            let message = format!("a part of the batch axis of {}", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        if self.step < 1 {
            let message = format!("a slice of {} with step {}", x[0], self.step);
            return Err(Error::new(ErrorKind::Network, message));
        }
        let (start, end) = self.range(value.0[axis].value);
        value.0[axis] = Size::fixed((end - start + self.step - 1) / self.step);
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_slice(self.dim, self.start, self.end, self.step)?)
    }
}

impl Operator for Select {
    fn name(&self) -> &'static str {
        "select"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        let mut value = x[0].clone();
        if value.0.remove(axis).batched {
            let message = format!("one position of the batch axis of {}", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_select(self.dim, self.index)?)
    }
}

impl Operator for Roll {
    fn name(&self) -> &'static str {
        "roll"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_roll(&self.shifts, &self.dims)?)
    }
}

impl Operator for Gather {
    fn name(&self) -> &'static str {
        "index_select"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        let mut value = x[0].clone();
        value.0[axis] = x[1].0.first().copied().unwrap_or(Size::fixed(1));
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_index_select(self.dim, x[1])?)
    }
}

impl Operator for Scatter {
    fn name(&self) -> &'static str {
        match *self.part {
            Op::Select(_) => "select_scatter",
            _ => "slice_scatter",
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let part = self.part.operator().shape(&x[..1])?;
        if part != *x[1] {
            let message = format!("{} can't replace a part of shape {part}", x[1]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(match &*self.part {
            Op::Select(select) => x[0].f_select_scatter(x[1], select.dim, select.index)?,
            Op::Slice(slice) => {
                x[0].f_slice_scatter(x[1], slice.dim, slice.start, slice.end, slice.step)?
            }
            _ => {
                return Err(Error::new(
                    ErrorKind::Network,
                    "only slices and positions can be replaced",
                ));
            }
        })
    }
}

impl Operator for Index {
    fn name(&self) -> &'static str {
        "index"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut common: Option<Shape> = None;
        for index in &x[1..] {
            common = Some(match common {
                None => (*index).clone(),
                Some(common) => broadcast(&common, index)?,
            });
        }
        let at: Vec<usize> = (0..self.indexed.len())
            .filter(|&axis| self.indexed[axis])
            .collect();
        let (Some(common), Some(&first), Some(&last)) = (common, at.first(), at.last()) else {
            return Ok(x[0].clone());
        };
        let fault = |what: &str| {
            let message = format!("{} indexed {what}", x[0]);
            Error::new(ErrorKind::Network, message)
        };
        if last >= x[0].rank() || at.iter().any(|&axis| x[0].0[axis].batched) {
            return Err(fault("along its batch axis, or one that it has not"));
        }
        let kept = |axis: &usize| !at.contains(axis);
        let own: Vec<usize> = (0..x[0].rank()).filter(kept).collect();
        // Indices of neighbouring axes give axes in their position, others come first.
        let together = last - first + 1 == at.len();
        let before = if together { first } else { 0 };
        let mut value: Vec<Size> = own.iter().map(|&axis| x[0].0[axis]).collect();
        value.splice(before..before, common.0);
        Ok(Shape(value))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let mut indices = x[1..].iter();
        let all: Vec<Option<Tensor>> = self
            .indexed
            .iter()
            .map(|&indexed| {
                indexed
                    .then(|| indices.next().map(|index| index.shallow_clone()))
                    .flatten()
            })
            .collect();
        Ok(x[0].f_index(&all)?)
    }
}
