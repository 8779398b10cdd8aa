//! Each point's nearest neighbours, by measuring every distance: at some thousand points that takes
//! no longer than a tree, and it is exact.

use rayon::prelude::*;

use super::PointSet;

/// Another point and how far away it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    pub point: usize,
    pub squared_distance: f64,
}

/// The `count` nearest neighbours of every point, nearest first; of two equally near ones the lower
/// number comes first. Fewer where there are not so many other points.
pub fn nearest(points: &PointSet, count: usize) -> Vec<Vec<Neighbour>> {
    let all = points.len();
    let count = count.min(all.saturating_sub(1));
    (0..all)
        .into_par_iter()
        .map(|point| {
            let mut others = others(points, point);
            let before = |a: &Neighbour, b: &Neighbour| {
                let by_distance = a.squared_distance.total_cmp(&b.squared_distance);
                by_distance.then(a.point.cmp(&b.point))
            };
            if count == 0 {
                return Vec::new();
            }
            others.select_nth_unstable_by(count - 1, before);
            others.truncate(count);
            others.sort_unstable_by(before);
            others
        })
        .collect()
}

/// Every other point, in the order of their numbers.
fn others(points: &PointSet, point: usize) -> Vec<Neighbour> {
    let others = (0..points.len()).filter(|&other| other != point);
    others
        .map(|other| Neighbour {
            point: other,
            squared_distance: points.squared_distance(point, other),
        })
        .collect()
}
