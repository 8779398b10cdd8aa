//! What t-SNE makes small: the Kullback–Leibler divergence of a map from the points it shows.

use rayon::prelude::*;

use super::affinities::Affinities;
use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};

/// KL(P ‖ Q) in nats, with Q(i, j) proportional to 1 / (1 + |yᵢ − yⱼ|²) over **all** pairs of the
/// map's points: Barnes–Hut only guides the descent, and no approximation is left in the number. 0 or more;
/// 0 for a map that shows every nearness as it is.
///
/// # Errors
/// If the two have not the same number of points.
pub fn divergence(p: &Affinities, map: &PointSet) -> Result<f64> {
    let count = map.len();
    if p.len() != count {
        let message = format!("a map of {count} points can't show {}", p.len());
        return Err(Error::new(ErrorKind::Network, message));
    }
    let near = |i, j| 1.0 / (1.0 + map.squared_distance(i, j));
    let parts: Vec<(f64, f64)> = (0..count)
        .into_par_iter()
        .map(|i| {
            let all: f64 = (0..count).filter(|&j| j != i).map(|j| near(i, j)).sum();
            let known = p.row(i).iter().filter(|(_, p)| *p > 0.0);
            let part: f64 = known.map(|&(j, p)| p * (p / near(i, j)).ln()).sum();
            (all, part)
        })
        .collect();
    let all: f64 = parts.iter().map(|(all, _)| all).sum();
    let sum: f64 = parts.iter().map(|(_, part)| part).sum();
    // The logarithm of Q's common divisor stands in every term, and P adds up to 1.
    Ok(sum + all.ln())
}
