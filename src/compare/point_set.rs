//! PointSet of a space: one row of numbers a point, and the distance between two of them.

use crate::error::{Error, ErrorKind, Result};

/// Sums are kept in so many lanes, which the compiler turns into vector instructions.
const LANES: usize = 8;

/// `n` points of `dims` numbers each, row by row.
#[derive(Debug, Clone, Copy)]
pub struct PointSet<'a> {
    values: &'a [f32],
    dims: usize,
}

impl<'a> PointSet<'a> {
    /// Takes `values` as rows of `dims`.
    ///
    /// # Errors
    /// If they are not whole rows, or one is not finite.
    pub fn new(values: &'a [f32], dims: usize) -> Result<Self> {
        if dims == 0 || !values.len().is_multiple_of(dims) {
            let message = format!("{} numbers are not rows of {dims}", values.len());
            return Err(Error::new(ErrorKind::Network, message));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let message = format!("number {} of point {} is not finite", at % dims, at / dims);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(PointSet { values, dims })
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.values.len() / self.dims
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// How many numbers each has.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// All numbers, row by row.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The numbers of one point.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn row(&self, point: usize) -> &'a [f32] {
        &self.values[point * self.dims..(point + 1) * self.dims]
    }

    /// The squared Euclidean distance of two points, added up in double precision.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn squared_distance(&self, one: usize, other: usize) -> f64 {
        let (one, other) = (self.row(one), self.row(other));
        let (ones, one_rest) = one.as_chunks::<LANES>();
        let (others, other_rest) = other.as_chunks::<LANES>();
        let mut sums = [0.0; LANES];
        for (a, b) in ones.iter().zip(others) {
            for lane in 0..LANES {
                let apart = f64::from(a[lane]) - f64::from(b[lane]);
                sums[lane] += apart * apart;
            }
        }
        let rest = one_rest.iter().zip(other_rest);
        let rest: f64 = rest
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum();
        sums.iter().sum::<f64>() + rest
    }
}
