//! P of t-SNE: how near two points are to each other, as a probability, from Gaussians about each
//! point that are as wide as the perplexity asks.

use rayon::prelude::*;

use crate::compare::{PointSet, nearest};
use crate::error::{Error, ErrorKind, Result};

/// How near the logarithm of a row's perplexity comes to what is asked.
const TOLERANCE: f64 = 1e-5;
/// Halvings of an interval reach the end of double precision before that.
const ATTEMPTS: usize = 100;

/// A sparse, symmetric matrix of probabilities that add up to 1.
#[derive(Debug, Clone)]
pub struct Affinities {
    /// Where each point's row begins in `others`; one more at the end.
    pub(super) rows: Vec<usize>,
    /// Point and probability, by the point's number.
    pub(super) others: Vec<(usize, f64)>,
}

impl Affinities {
    /// Of every point to its 3 · `perplexity` nearest (van der Maaten 2014): what lies beyond is too far
    /// to weigh anything.
    ///
    /// # Errors
    /// If `perplexity` is not above 1, or not below the number of other points.
    pub fn new(points: &PointSet, perplexity: f64) -> Result<Affinities> {
        Affinities::among(points, perplexity, (3.0 * perplexity + 1.0) as usize)
    }

    /// The same of every point to all others.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn dense(points: &PointSet, perplexity: f64) -> Result<Affinities> {
        Affinities::among(points, perplexity, points.len())
    }

    fn among(points: &PointSet, perplexity: f64, neighbours: usize) -> Result<Affinities> {
        let count = points.len();
        if !(perplexity > 1.0 && perplexity < count as f64 - 1.0) {
            let message = format!("{count} points can't have a perplexity of {perplexity}");
            return Err(Error::new(ErrorKind::Network, message).help(
                "it is a number of neighbours: above 1, and below that of the other points",
            ));
        }
        let conditional: Vec<Vec<(usize, f64)>> = nearest(points, neighbours)
            .into_par_iter()
            .map(|row| {
                let distances: Vec<f64> = row.iter().map(|n| n.squared_distance).collect();
                let weights = gaussian(&distances, perplexity.ln());
                row.iter().map(|n| n.point).zip(weights).collect()
            })
            .collect();
        let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); count];
        let mut sum = 0.0;
        for (point, row) in conditional.iter().enumerate() {
            for &(other, weight) in row {
                rows[point].push((other, weight));
                rows[other].push((point, weight));
                sum += 2.0 * weight;
            }
        }
        let mut starts = vec![0];
        let mut others: Vec<(usize, f64)> = Vec::new();
        for mut row in rows {
            row.sort_by_key(|(other, _)| *other);
            let start = others.len();
            for (other, weight) in row {
                match others[start..].last_mut() {
                    Some((known, sum)) if *known == other => *sum += weight,
                    _ => others.push((other, weight)),
                }
            }
            starts.push(others.len());
        }
        others.iter_mut().for_each(|(_, weight)| *weight /= sum);
        Ok(Affinities {
            rows: starts,
            others,
        })
    }

    /// How many points there are.
    pub fn len(&self) -> usize {
        self.rows.len() - 1
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points that `point` is near to, and how much.
    pub(super) fn row(&self, point: usize) -> &[(usize, f64)] {
        &self.others[self.rows[point]..self.rows[point + 1]]
    }
}

/// The weights exp(−β d²), adding up to 1, with the β whose entropy is `entropy` (in nats).
fn gaussian(squared_distances: &[f64], entropy: f64) -> Vec<f64> {
    // Against underflow; the factor falls out with the sum.
    let nearest = squared_distances.iter().copied().fold(f64::MAX, f64::min);
    let mean = squared_distances.iter().sum::<f64>() / squared_distances.len().max(1) as f64;
    let weigh = |beta: f64| -> (Vec<f64>, f64) {
        let weights = squared_distances
            .iter()
            .map(|d| (-beta * (d - nearest)).exp());
        let mut weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let spread: f64 = weights
            .iter()
            .zip(squared_distances)
            .map(|(weight, d)| weight * (d - nearest))
            .sum();
        (weights, beta * spread + sum.ln())
    };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut beta = if mean > nearest {
        1.0 / (mean - nearest)
    } else {
        1.0
    };
    let (mut weights, mut reached) = weigh(beta);
    for _ in 0..ATTEMPTS {
        if (reached - entropy).abs() < TOLERANCE {
            break;
        }
        // A wider Gaussian has more entropy.
        match reached > entropy {
            true => low = beta,
            false => high = beta,
        }
        beta = if high.is_finite() {
            (low + high) / 2.0
        } else {
            2.0 * beta
        };
        if !beta.is_finite() {
            // All are equally near: no width tells them apart.
            break;
        }
        (weights, reached) = weigh(beta);
    }
    weights
}
