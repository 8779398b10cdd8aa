//! Shapes of values, with the axis that grows with the batch.

use std::fmt;

use crate::error::{Error, ErrorKind, Result};

/// An integer of a graph that may be a multiple of the batch size, such as a side in a reshape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// The integer, or the factor of the batch size.
    pub value: i64,
    /// Whether the batch size multiplies it.
    pub batched: bool,
}

impl Size {
    /// An integer that does not depend on the batch.
    pub const fn fixed(value: i64) -> Size {
        Size {
            value,
            batched: false,
        }
    }

    /// `value` times the batch size.
    pub const fn batched(value: i64) -> Size {
        Size {
            value,
            batched: true,
        }
    }

    /// The integer for a batch of `batch` images.
    ///
    /// # Errors
    /// If it is larger than an integer can be.
    pub fn at(self, batch: i64) -> Result<i64> {
        let factor = if self.batched { batch } else { 1 };
        self.value.checked_mul(factor).ok_or_else(|| {
            let message = format!("a side of {self} for a batch of {batch} is too large");
            Error::new(ErrorKind::Network, message)
        })
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match (self.batched, self.value) {
            (false, value) => write!(f, "{value}"),
            (true, 1) => write!(f, "N"),
            (true, value) => write!(f, "{value}·N"),
        }
    }
}

/// The shape of a value. At most one axis grows with the batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape(pub Vec<Size>);

impl Shape {
    /// A shape that does not depend on the batch, such as that of a parameter.
    pub fn fixed(sides: &[i64]) -> Shape {
        Shape(sides.iter().map(|&side| Size::fixed(side)).collect())
    }

    /// `[N, …]` with these sides after the batch.
    pub fn batch_of(sides: &[i64]) -> Shape {
        let rest = sides.iter().map(|&side| Size::fixed(side));
        Shape([Size::batched(1)].into_iter().chain(rest).collect())
    }

    /// How many axes it has.
    pub fn rank(&self) -> usize {
        self.0.len()
    }

    /// The axis that grows with the batch.
    pub fn batch_axis(&self) -> Option<usize> {
        self.0.iter().position(|size| size.batched)
    }

    /// The sides for a batch of `batch` images.
    ///
    /// # Errors
    /// If one is larger than an integer can be.
    pub fn at(&self, batch: i64) -> Result<Vec<i64>> {
        self.0.iter().map(|size| size.at(batch)).collect()
    }

    /// The sides of one image's value: those after the batch axis `[N, …]`, or with the factor of a batch axis `[k·N, …]`
    /// in its position.
    pub fn of_one_image(&self) -> Vec<i64> {
        let kept = |size: &&Size| !(size.batched && size.value == 1);
        self.0.iter().filter(kept).map(|size| size.value).collect()
    }

    /// How many values there are for each image (or in all, if it does not depend on the batch).
    ///
    /// # Errors
    /// If they are more than an integer can count.
    pub fn count(&self) -> Result<i64> {
        let product = self
            .0
            .iter()
            .try_fold(1i64, |product, size| product.checked_mul(size.value.max(0)));
        product.ok_or_else(|| {
            let message = format!("a value of shape {self} is too large");
            Error::new(ErrorKind::Network, message)
        })
    }

    /// `axis` counted from the front, where a negative one counts from the back.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn axis(&self, axis: i64) -> Result<usize> {
        wrap_axis(axis, self.rank())
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sides: Vec<String> = self.0.iter().map(Size::to_string).collect();
        write!(f, "[{}]", sides.join(", "))
    }
}

/// `axis` counted from the front of `rank` axes, where a negative one counts from the back.
///
/// # Errors
/// If there is no such axis.
pub(super) fn wrap_axis(axis: i64, rank: usize) -> Result<usize> {
    let from_front = if axis < 0 { axis + rank as i64 } else { axis };
    match usize::try_from(from_front) {
        Ok(found) if found < rank => Ok(found),
        _ => {
            let message = format!("axis {axis} of a value with {rank} axes");
            Err(Error::new(ErrorKind::Network, message))
        }
    }
}

/// The shape of an element-wise operation's value: as PyTorch broadcasts, aligned at the last axis.
///
/// # Errors
/// If the shapes do not fit each other.
pub(super) fn broadcast(a: &Shape, b: &Shape) -> Result<Shape> {
    let rank = a.rank().max(b.rank());
    let side = |shape: &Shape, axis: usize| {
        let missing = rank - shape.rank();
        axis.checked_sub(missing)
            .map_or(Size::fixed(1), |axis| shape.0[axis])
    };
    let sides = (0..rank).map(|axis| match (side(a, axis), side(b, axis)) {
        (one, other) if one == Size::fixed(1) => Some(other),
        (one, other) if other == Size::fixed(1) || one == other => Some(one),
        _ => None,
    });
    let sides: Option<Vec<Size>> = sides.collect();
    sides.map(Shape).ok_or_else(|| {
        let message = format!("values of shapes {a} and {b} can't be combined");
        Error::new(ErrorKind::Network, message)
    })
}
