//! A set of points in a Euclidean space, and the distance between two of them.

use crate::error::{Error, ErrorKind, Result};

/// The number of partial sums of a distance, which the compiler turns into vector instructions.
const LANES: usize = 8;

/// `n` points of `dims` coordinates each, `[n, dims]`, row by row.
#[derive(Debug, Clone, Copy)]
pub struct PointSet<'a> {
    values: &'a [f32],
    dims: usize,
}

impl<'a> PointSet<'a> {
    /// Takes `values` as rows of `dims` coordinates.
    ///
    /// # Errors
    /// If the number of values is no multiple of `dims`, `dims` is 0, or a value is not finite.
    pub fn new(values: &'a [f32], dims: usize) -> Result<Self> {
        if dims == 0 || !values.len().is_multiple_of(dims) {
            let message = format!("{} values are not rows of {dims} coordinates", values.len());
            return Err(Error::new(ErrorKind::Network, message));
        }
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let message = format!(
                "coordinate {} of point {} is not finite",
                at % dims,
                at / dims
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(PointSet { values, dims })
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.values.len() / self.dims
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The number of coordinates of each point.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// All coordinates, `[n, dims]`, row by row.
    pub fn values(&self) -> &'a [f32] {
        self.values
    }

    /// The coordinates of one point.
    ///
    /// # Panics
    /// If there is no such point.
    pub fn row(&self, point: usize) -> &'a [f32] {
        &self.values[point * self.dims..(point + 1) * self.dims]
    }

    /// The squared Euclidean distance of two points, summed in float64.
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
                let difference = f64::from(a[lane]) - f64::from(b[lane]);
                sums[lane] += difference * difference;
            }
        }
        let rest = one_rest.iter().zip(other_rest);
        let rest: f64 = rest
            .map(|(a, b)| (f64::from(*a) - f64::from(*b)).powi(2))
            .sum();
        sums.iter().sum::<f64>() + rest
    }
}
