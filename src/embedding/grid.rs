//! A grid for the images of a map: every image in a cell of its own, near its point (as in Karpathy's cnnembed,
//! <https://cs.stanford.edu/people/karpathy/cnnembed/>).

use pathfinding::prelude::{Matrix, kuhn_munkres_min};

use super::grid_order::assign_by_order;
use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};

/// The side of the map in the integer costs of the assignment, so that the result does not depend on rounding.
const SIDE: f64 = 1_000_000.0;

/// Columns and rows of the grid nearest to a square with at least `count` cells.
pub fn grid_size(count: usize) -> (usize, usize) {
    let columns = (count as f64).sqrt().ceil() as usize;
    (columns, count.div_ceil(columns.max(1)))
}

/// The largest number of points whose best assignment is found; its cost is cubic in their number, 0.3 s for 800.
const MAX_BEST: usize = 1600;

/// Column and row of each point of `map`, `[n, 2]`, in distinct cells: the assignment with the least sum of squared
/// distances between points and cells, map and grid both scaled to the unit square. Beyond 1600 points, one near it, at
/// a cost that grows about linearly.
///
/// # Errors
/// If the map has other than two dimensions.
pub fn assign_to_grid(map: &PointSet) -> Result<Vec<(usize, usize)>> {
    let count = map.len();
    if map.dims() != 2 {
        let message = format!("a grid needs a map of 2 dimensions, got {}", map.dims());
        return Err(Error::new(ErrorKind::Network, message));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let (columns, rows) = grid_size(count);
    let scaled = |axis: usize| -> Vec<f64> {
        let coordinates = (0..count).map(|point| f64::from(map.row(point)[axis]));
        let low = coordinates.clone().fold(f64::INFINITY, f64::min);
        let high = coordinates.clone().fold(f64::NEG_INFINITY, f64::max);
        let length = if high > low { high - low } else { 1.0 };
        coordinates.map(|x| (x - low) / length).collect()
    };
    let (x, y) = (scaled(0), scaled(1));
    if count > MAX_BEST {
        return Ok(assign_by_order(&x, &y, columns, rows));
    }
    let middle = |index: usize, count: usize| (index as f64 + 0.5) / count as f64;
    let costs = Matrix::from_fn(count, columns * rows, |(point, cell)| {
        let across = x[point] - middle(cell % columns, columns);
        let down = y[point] - middle(cell / columns, rows);
        ((across * across + down * down) * SIDE * SIDE) as i64
    });
    let (_, cells) = kuhn_munkres_min(&costs);
    let cells = cells.into_iter();
    Ok(cells.map(|cell| (cell % columns, cell / columns)).collect())
}
