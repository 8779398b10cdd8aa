//! A place of its own for every point of a map: the cells of a grid, dealt out so that points move as
//! little as can be (as in Karpathy's cnnembed, <https://cs.stanford.edu/people/karpathy/cnnembed/>).

use pathfinding::prelude::{Matrix, kuhn_munkres_min};

use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};

/// Costs are whole numbers in the assignment, so that it can't hang on rounding: a side of the map is
/// so long.
const SIDE: f64 = 1_000_000.0;

/// A grid, as near to a square as can be, with room for `count` cells: columns and rows.
pub fn sides(count: usize) -> (usize, usize) {
    let columns = (count as f64).sqrt().ceil() as usize;
    (columns, count.div_ceil(columns.max(1)))
}

/// Column and row of each point of `map`, `[n, 2]`: no two the same, and the sum of the squared
/// distances between each point and its cell, both of them in a square, the least possible. Takes 0.3 s for 800
/// points and grows with the cube of their number.
///
/// # Errors
/// If the map is not flat.
pub fn grid(map: &PointSet) -> Result<Vec<(usize, usize)>> {
    let count = map.len();
    if map.dims() != 2 {
        let message = format!("a map of {} dimensions is not flat", map.dims());
        return Err(Error::new(ErrorKind::Network, message));
    }
    if count == 0 {
        return Ok(Vec::new());
    }
    let (columns, rows) = sides(count);
    // To a square from 0 to 1, each axis by itself, as the grid fills it.
    let axis = |axis: usize| -> Vec<f64> {
        let along = (0..count).map(|point| f64::from(map.row(point)[axis]));
        let low = along.clone().fold(f64::INFINITY, f64::min);
        let high = along.clone().fold(f64::NEG_INFINITY, f64::max);
        let length = if high > low { high - low } else { 1.0 };
        along.map(|at| (at - low) / length).collect()
    };
    let (x, y) = (axis(0), axis(1));
    let middle = |at: usize, of: usize| (at as f64 + 0.5) / of as f64;
    let costs = Matrix::from_fn(count, columns * rows, |(point, cell)| {
        let across = x[point] - middle(cell % columns, columns);
        let down = y[point] - middle(cell / columns, rows);
        ((across * across + down * down) * SIDE * SIDE) as i64
    });
    let (_, cells) = kuhn_munkres_min(&costs);
    let places = cells.into_iter();
    Ok(places
        .map(|cell| (cell % columns, cell / columns))
        .collect())
}
