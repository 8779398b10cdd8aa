//! Trustworthiness of a map (Venna & Kaski 2001): whether neighbours on the map are neighbours in the space that it
//! represents.

use rayon::prelude::*;

use super::{PointSet, nearest_neighbours};
use crate::error::{Error, ErrorKind, Result};

/// 1 − 2 / (n k (2n − 3k − 1)) · Σᵢ Σⱼ (r(i, j) − k), over every point i and those j of its `k` nearest neighbours on
/// `map` that are not among its `k` nearest in `space`; r(i, j) is j's rank among i's neighbours in `space`, 1 for the
/// nearest. 0 to 1: 1 without false neighbours, about 0.5 for a map that is independent of the space.
///
/// # Errors
/// If the two point sets differ in the number of points, or `k` is 0 or not below half of that number.
pub fn trustworthiness(space: &PointSet, map: &PointSet, k: usize) -> Result<f64> {
    let count = space.len();
    if map.len() != count {
        let message = format!("the map has {} points, the space {count}", map.len());
        return Err(Error::new(ErrorKind::Network, message));
    }
    if k == 0 || 2 * k >= count {
        let message = format!("k must be at least 1 and below half of the {count} points, got {k}");
        return Err(Error::new(ErrorKind::Network, message));
    }
    let penalties: Vec<u64> = nearest_neighbours(map, k)
        .into_par_iter()
        .enumerate()
        .map(|(point, neighbours)| {
            let distances: Vec<f64> = (0..count)
                .map(|other| space.squared_distance(point, other))
                .collect();
            let rank = |neighbour: usize| {
                let is_nearer = |other: &usize| {
                    let by_distance = distances[*other].total_cmp(&distances[neighbour]);
                    *other != point && by_distance.then(other.cmp(&neighbour)).is_lt()
                };
                1 + (0..count).filter(is_nearer).count()
            };
            let excess = neighbours.iter().map(|j| rank(j.point).saturating_sub(k));
            excess.sum::<usize>() as u64
        })
        .collect();
    let penalty: u64 = penalties.into_iter().sum();
    let (n, k) = (count as f64, k as f64);
    Ok(1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * penalty as f64)
}
