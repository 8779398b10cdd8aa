//! Exact nearest neighbours of each point from all pairwise distances, which for some thousand points are as fast as a
//! tree.

use rayon::prelude::*;

use super::PointSet;

/// A neighbour of a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Its index in the point set.
    pub point: usize,
    /// Its squared Euclidean distance.
    pub squared_distance: f64,
}

/// The `count` nearest neighbours of every point, nearest first; of two at the same distance, the lower index first.
/// Fewer if there are not as many other points.
pub fn nearest_neighbours(points: &PointSet, count: usize) -> Vec<Vec<Neighbour>> {
    let count = count.min(points.len().saturating_sub(1));
    let nearest = |point: usize| {
        if count == 0 {
            return Vec::new();
        }
        let by_distance = |a: &Neighbour, b: &Neighbour| {
            let order = a.squared_distance.total_cmp(&b.squared_distance);
            order.then(a.point.cmp(&b.point))
        };
        let mut others = other_points(points, point);
        others.select_nth_unstable_by(count - 1, by_distance);
        others.truncate(count);
        others.sort_unstable_by(by_distance);
        others
    };
    (0..points.len()).into_par_iter().map(nearest).collect()
}

/// Every other point, by index.
fn other_points(points: &PointSet, point: usize) -> Vec<Neighbour> {
    let others = (0..points.len()).filter(|&other| other != point);
    others
        .map(|other| Neighbour {
            point: other,
            squared_distance: points.squared_distance(point, other),
        })
        .collect()
}
