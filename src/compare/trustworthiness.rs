//! Trustworthiness of a map (Venna & Kaski 2001): whether those that are neighbours on it are neighbours
//! in the space it shows.

use rayon::prelude::*;

use super::{PointSet, nearest};
use crate::error::{Error, ErrorKind, Result};

/// 1 − 2 / (n k (2n − 3k − 1)) · Σᵢ Σⱼ (r(i, j) − k), over every point i and those j of its `k` nearest
/// on `map` that are not among its `k` nearest in `space`; r(i, j) is j's rank among i's neighbours in
/// `space`, 1 for the nearest. From 0 to 1; 1 where no neighbour on the map is a false one, and about a
/// half for a map that has nothing to do with the space.
///
/// # Errors
/// If the two have not the same number of points, or `k` is 0 or not below half of it.
pub fn trustworthiness(space: &PointSet, map: &PointSet, k: usize) -> Result<f64> {
    let count = space.len();
    if map.len() != count {
        let message = format!("a map of {} points can't show {count}", map.len());
        return Err(Error::new(ErrorKind::Network, message));
    }
    if k == 0 || 2 * k >= count {
        let message = format!("{k} neighbours of {count} points say nothing about a map");
        return Err(Error::new(ErrorKind::Network, message)
            .help("take at least 1, and fewer than half of the points"));
    }
    let penalties: Vec<u64> = nearest(map, k)
        .into_par_iter()
        .enumerate()
        .map(|(point, on_map)| {
            let distances: Vec<f64> = (0..count)
                .map(|other| space.squared_distance(point, other))
                .collect();
            let rank = |of: usize| {
                let nearer = |other: &usize| {
                    let by_distance = distances[*other].total_cmp(&distances[of]);
                    *other != point && by_distance.then(other.cmp(&of)).is_lt()
                };
                1 + (0..count).filter(nearer).count()
            };
            let too_far = on_map.iter().map(|j| rank(j.point).saturating_sub(k));
            too_far.sum::<usize>() as u64
        })
        .collect();
    let penalty: u64 = penalties.into_iter().sum();
    let (n, k) = (count as f64, k as f64);
    Ok(1.0 - 2.0 / (n * k * (2.0 * n - 3.0 * k - 1.0)) * penalty as f64)
}
