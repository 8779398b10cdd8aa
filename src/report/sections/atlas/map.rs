//! A map of the results, with the tensors that are drawn.

use crate::figures::Atlas;
use crate::report::views::net::NetView;

/// The distance of the points from the edges of the unit square.
const MARGIN: f64 = 0.05;

/// A map of the results whose tensors are there.
pub struct Map<'a> {
    pub net: &'a NetView,
    pub layer: &'a str,
    pub atlas: &'a Atlas,
    pub points: &'a [[f32; 2]],
    /// The cells of the grid, column and row.
    pub grid: &'a [[f32; 2]],
    /// Which of the selected layers of its network it is.
    pub row: usize,
}

impl Map<'_> {
    /// The points of a map in the unit square with a margin, both axes alike.
    pub fn unit_positions(&self) -> Vec<[f64; 2]> {
        let span = |axis: usize| {
            let along = self.points.iter().map(|point| f64::from(point[axis]));
            let low = along.clone().fold(f64::INFINITY, f64::min);
            let high = along.fold(f64::NEG_INFINITY, f64::max);
            ((low + high) / 2.0, high - low)
        };
        let ((x, wide), (y, high)) = (span(0), span(1));
        let scale = (1.0 - 2.0 * MARGIN) / wide.max(high).max(f64::MIN_POSITIVE);
        let to = |value: f32, middle: f64| 0.5 + (f64::from(value) - middle) * scale;
        self.points
            .iter()
            .map(|point| [to(point[0], x), to(point[1], y)])
            .collect()
    }
}
