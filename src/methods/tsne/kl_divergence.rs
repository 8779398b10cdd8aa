//! The objective of t-SNE: the Kullback–Leibler divergence of a map.

use rayon::prelude::*;

use super::affinities::Affinities;
use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};

/// KL(P ‖ Q) in nats, with Q(i, j) proportional to 1 / (1 + |yᵢ − yⱼ|²) over **all** pairs of points of the map: the
/// gradient descent approximates by Barnes–Hut, this value is exact. 0 or more; 0 if Q equals P.
///
/// # Errors
/// If the map has another number of points than `p`.
pub fn kl_divergence(p: &Affinities, map: &PointSet) -> Result<f64> {
    let count = map.len();
    if p.len() != count {
        let message = format!("the map has {count} points, the affinities {}", p.len());
        return Err(Error::new(ErrorKind::Network, message));
    }
    let similarity = |i, j| 1.0 / (1.0 + map.squared_distance(i, j));
    let sums: Vec<(f64, f64)> = (0..count)
        .into_par_iter()
        .map(|i| {
            let others = (0..count).filter(|&j| j != i);
            let similarities: f64 = others.map(|j| similarity(i, j)).sum();
            let affinities = p.row(i).iter().filter(|(_, p)| *p > 0.0);
            let terms: f64 = affinities
                .map(|&(j, p)| p * (p / similarity(i, j)).ln())
                .sum();
            (similarities, terms)
        })
        .collect();
    let normaliser: f64 = sums.iter().map(|(similarities, _)| similarities).sum();
    let sum: f64 = sums.iter().map(|(_, terms)| terms).sum();
    // The logarithm of Q's normaliser is in every term, and P has sum 1.
    Ok(sum + normaliser.ln())
}
