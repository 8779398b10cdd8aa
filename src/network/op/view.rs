//! The same values in another shape or in another order of axes.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, Size, wrap_axis};
use super::{Identity, Op, Operator, Read, ReducedPrecision};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `reshape(self, shape)`, also `view` and `unflatten`: a shape with as many values, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Reshape {
    /// The sides; one may be −1, which follows from the others.
    pub shape: Vec<Size>,
}

/// `flatten(self, start_dim, end_dim)`: several axes as one.
#[derive(Debug, Clone, PartialEq)]
pub struct Flatten {
    /// The first of them.
    pub start: i64,
    /// The last of them.
    pub end: i64,
}

/// `permute(self, dims)`, also `transpose`: the axes in another order.
#[derive(Debug, Clone, PartialEq)]
pub struct Permute {
    /// The axes of the input in the order of the value's.
    pub dims: Vec<i64>,
    /// aten's name: `permute`, or `transpose` with two axes exchanged.
    pub exchange: bool,
}

/// `unsqueeze(self, dim)`: a further axis with one position.
#[derive(Debug, Clone, PartialEq)]
pub struct Unsqueeze {
    /// Its position among the value's axes.
    pub dim: i64,
}

/// `squeeze(self, dim)`: without axes with one position.
#[derive(Debug, Clone, PartialEq)]
pub struct Squeeze {
    /// The axes; all with one position if there are none.
    pub dim: Vec<i64>,
}

/// `expand(self, size)`: repeated along axes with one position.
#[derive(Debug, Clone, PartialEq)]
pub struct Expand {
    /// The sides; −1 leaves an axis as it is.
    pub size: Vec<Size>,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("reshape", |call| reshape(call, "shape")),
    ("view", |call| reshape(call, "size")),
    ("_unsafe_view", |call| reshape(call, "size")),
    ("flatten", |call| {
        let op = Flatten {
            start: call.int("start_dim", 0)?,
            end: call.int("end_dim", -1)?,
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
    ("permute", |call| {
        let dims = call.ints("dims")?.unwrap_or_default();
        let exchange = false;
        Ok((
            Permute { dims, exchange }.into(),
            vec![call.tensor("self")?],
        ))
    }),
    ("transpose", |call| {
        let dims = vec![call.int("dim0", 0)?, call.int("dim1", 1)?];
        let exchange = true;
        Ok((
            Permute { dims, exchange }.into(),
            vec![call.tensor("self")?],
        ))
    }),
    ("unsqueeze", |call| {
        let dim = call.int("dim", 0)?;
        Ok((Unsqueeze { dim }.into(), vec![call.tensor("self")?]))
    }),
    ("squeeze", |call| {
        let dim = call.ints("dim")?.unwrap_or_default();
        Ok((Squeeze { dim }.into(), vec![call.tensor("self")?]))
    }),
    ("expand", |call| {
        call.bool("implicit", false)?;
        let size = call.sizes("size")?.unwrap_or_default();
        Ok((Expand { size }.into(), vec![call.tensor("self")?]))
    }),
];

fn reshape(call: &mut Call, name: &str) -> Result<(Op, Vec<Arg>)> {
    let shape = call.sizes(name)?.unwrap_or_default();
    Ok((Reshape { shape }.into(), vec![call.tensor("self")?]))
}

/// The sides for a batch of `batch` images.
fn sides(sizes: &[Size], batch: i64) -> Result<Vec<i64>> {
    sizes.iter().map(|size| size.at(batch)).collect()
}

impl Operator for Reshape {
    fn name(&self) -> &'static str {
        "reshape"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let fault = || {
            let message = format!(
                "{} can't be reshaped to {}",
                x[0],
                Shape(self.shape.clone())
            );
            Error::new(ErrorKind::Network, message)
        };
        let given = self.shape.iter().filter(|size| size.value != -1);
        let product = given
            .clone()
            .try_fold(1i64, |all, size| all.checked_mul(size.value));
        let product = product.ok_or_else(fault)?;
        let has_batch = x[0].batch_axis().is_some();
        let names_batch = given.clone().any(|size| size.batched);
        let unknown = self.shape.len() - given.count();
        let count = x[0].count()?;
        if unknown > 1 || (unknown == 0 && (count != product || has_batch != names_batch)) {
            return Err(fault());
        }
        if unknown == 1 && (product == 0 || count % product != 0 || (names_batch && !has_batch)) {
            return Err(fault());
        }
        let sides = self.shape.iter().map(|size| match size.value {
            -1 => Size {
                value: count / product,
                batched: has_batch && !names_batch,
            },
            _ => *size,
        });
        Ok(Shape(sides.collect()))
    }

    fn evaluate(&self, x: &[&Tensor], batch: i64) -> Result<Tensor> {
        Ok(x[0].f_reshape(sides(&self.shape, batch)?)?)
    }
}

impl Flatten {
    /// `[N, C, H, W]` to `[N, C·H·W]`.
    pub const FEATURES: Flatten = Flatten { start: 1, end: -1 };
}

impl Operator for Flatten {
    fn name(&self) -> &'static str {
        "flatten"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let (start, end) = (x[0].axis(self.start)?, x[0].axis(self.end)?);
        if start > end {
            let message = format!("axes {start} to {end} of {} can't be flattened", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        let merged = Shape(x[0].0[start..=end].to_vec());
        let one = Size {
            value: merged.count()?,
            batched: merged.batch_axis().is_some(),
        };
        let mut value = x[0].0[..start].to_vec();
        value.push(one);
        value.extend(&x[0].0[end + 1..]);
        Ok(Shape(value))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_flatten(self.start, self.end)?)
    }
}

impl Permute {
    /// The axes of the input in the order of the value's, for an input with `rank` axes.
    ///
    /// # Errors
    /// If an axis is missing or there twice.
    pub fn order(&self, rank: usize) -> Result<Vec<usize>> {
        let mut dims = Vec::new();
        for &dim in &self.dims {
            dims.push(wrap_axis(dim, rank)?);
        }
        if self.exchange {
            let mut order: Vec<usize> = (0..rank).collect();
            order.swap(dims[0], dims[1]);
            return Ok(order);
        }
        let mut sorted = dims.clone();
        sorted.sort_unstable();
        if sorted != (0..rank).collect::<Vec<usize>>() {
            let message = format!("the axes {:?} of a value with {rank} axes", self.dims);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(dims)
    }
}

impl Operator for Permute {
    fn name(&self) -> &'static str {
        if self.exchange {
            "transpose"
        } else {
            "permute"
        }
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let order = self.order(x[0].rank())?;
        Ok(Shape(order.into_iter().map(|axis| x[0].0[axis]).collect()))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let order = self.order(x[0].dim())?;
        let order: Vec<i64> = order.into_iter().map(|axis| axis as i64).collect();
        Ok(x[0].f_permute(order)?)
    }
}

impl Operator for Unsqueeze {
    fn name(&self) -> &'static str {
        "unsqueeze"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut value = x[0].clone();
        value
            .0
            .insert(wrap_axis(self.dim, x[0].rank() + 1)?, Size::fixed(1));
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_unsqueeze(self.dim)?)
    }
}

impl Squeeze {
    /// The same with the axes that go from a value of this shape, whatever the number of images.
    pub(in crate::network) fn exact(&self, x: &Shape) -> Result<Op> {
        let removed = self.removed(x)?.into_iter().enumerate();
        let removed = removed.filter(|(_, removed)| *removed);
        let dim: Vec<i64> = removed.map(|(axis, _)| axis as i64).collect();
        Ok(if dim.is_empty() {
            Identity { name: "squeeze" }.into()
        } else {
            Squeeze { dim }.into()
        })
    }

    /// Whether each axis of a value of this shape goes. The batch's never does, whatever its size.
    fn removed(&self, x: &Shape) -> Result<Vec<bool>> {
        let mut named = vec![self.dim.is_empty(); x.rank()];
        for &dim in &self.dim {
            named[x.axis(dim)?] = true;
        }
        let sides = x.0.iter().zip(named);
        Ok(sides
            .map(|(size, named)| named && *size == Size::fixed(1))
            .collect())
    }
}

impl Operator for Squeeze {
    fn name(&self) -> &'static str {
        "squeeze"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let sides = x[0].0.iter().zip(self.removed(x[0])?);
        Ok(Shape(
            sides
                .filter(|(_, removed)| !removed)
                .map(|(size, _)| *size)
                .collect(),
        ))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let mut value = x[0].shallow_clone();
        let rank = value.dim();
        let mut dims = Vec::new();
        for &dim in &self.dim {
            dims.push(wrap_axis(dim, rank)?);
        }
        if dims.is_empty() {
            // Without axes: all but the first, which is the batch's.
            dims = (1..rank).collect();
        }
        dims.sort_unstable();
        for axis in dims.into_iter().rev() {
            value = value.f_squeeze_dim(axis as i64)?;
        }
        Ok(value)
    }
}

impl Operator for Expand {
    fn name(&self) -> &'static str {
        "expand"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let fault = || {
            let message = format!("{} can't be expanded to {}", x[0], Shape(self.size.clone()));
            Error::new(ErrorKind::Network, message)
        };
        let missing = self.size.len().checked_sub(x[0].rank()).ok_or_else(fault)?;
        let sides = self.size.iter().enumerate().map(|(axis, size)| {
            let own = axis.checked_sub(missing).map(|axis| x[0].0[axis]);
            match (own, size.value) {
                (Some(own), -1) => Ok(own),
                (None, -1) => Err(fault()),
                (None, _) => Ok(*size),
                (Some(own), _) if own == *size || own == Size::fixed(1) => Ok(*size),
                _ => Err(fault()),
            }
        });
        Ok(Shape(sides.collect::<Result<_>>()?))
    }

    fn evaluate(&self, x: &[&Tensor], batch: i64) -> Result<Tensor> {
        Ok(x[0].f_expand(sides(&self.size, batch)?, false)?)
    }
}
