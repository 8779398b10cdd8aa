//! The affinities P of t-SNE: the probability of each pair of points, from Gaussians about each point whose width gives
//! the perplexity.

use rayon::prelude::*;

use crate::compare::{PointSet, nearest_neighbours};
use crate::error::{Error, ErrorKind, Result};

/// The largest deviation of a row's entropy from the logarithm of the perplexity, as in scikit-learn.
const TOLERANCE: f64 = 1e-5;
/// Most steps of the bisection: after fewer, the interval is at the limit of double precision.
const MAX_BISECTIONS: usize = 100;

/// P: a sparse symmetric matrix of probabilities with sum 1.
#[derive(Debug, Clone)]
pub struct Affinities {
    /// The start of each point's row in `entries`; one more at the end.
    row_starts: Vec<usize>,
    /// Index and probability of other points, by index within a row.
    entries: Vec<(usize, f64)>,
}

impl Affinities {
    /// The affinities of every point to its 3 · `perplexity` nearest neighbours (van der Maaten 2014); those of farther
    /// points are negligible.
    ///
    /// # Errors
    /// If `perplexity` is not above 1, or not below the number of other points.
    pub fn new(points: &PointSet, perplexity: f64) -> Result<Affinities> {
        Affinities::to_neighbours(points, perplexity, (3.0 * perplexity + 1.0) as usize)
    }

    /// The affinities of every point to all others.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn dense(points: &PointSet, perplexity: f64) -> Result<Affinities> {
        Affinities::to_neighbours(points, perplexity, points.len())
    }

    fn to_neighbours(points: &PointSet, perplexity: f64, neighbours: usize) -> Result<Affinities> {
        let count = points.len();
        if !(perplexity > 1.0 && perplexity < count as f64 - 1.0) {
            let message = format!(
                "the perplexity must be above 1 and below {} for {count} points, got {perplexity}",
                count as f64 - 1.0
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        let conditional: Vec<Vec<(usize, f64)>> = nearest_neighbours(points, neighbours)
            .into_par_iter()
            .map(|row| {
                let distances: Vec<f64> = row.iter().map(|n| n.squared_distance).collect();
                let weights = conditional_probabilities(&distances, perplexity.ln());
                row.iter().map(|n| n.point).zip(weights).collect()
            })
            .collect();
        Ok(symmetrised(&conditional))
    }

    /// The number of points.
    pub fn len(&self) -> usize {
        self.row_starts.len() - 1
    }

    /// Whether there are no points.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The points with a nonzero affinity to `point`, and the affinities.
    ///
    /// # Panics
    /// If there is no such point.
    pub(super) fn row(&self, point: usize) -> &[(usize, f64)] {
        &self.entries[self.row_starts[point]..self.row_starts[point + 1]]
    }
}

/// P from the conditional probabilities: p(i, j) = (p(i | j) + p(j | i)) / 2n.
fn symmetrised(conditional: &[Vec<(usize, f64)>]) -> Affinities {
    let mut rows: Vec<Vec<(usize, f64)>> = vec![Vec::new(); conditional.len()];
    let mut sum = 0.0;
    for (point, row) in conditional.iter().enumerate() {
        for &(other, weight) in row {
            rows[point].push((other, weight));
            rows[other].push((point, weight));
            sum += 2.0 * weight;
        }
    }
    let mut row_starts = vec![0];
    let mut entries: Vec<(usize, f64)> = Vec::new();
    for mut row in rows {
        row.sort_by_key(|(other, _)| *other);
        let start = entries.len();
        for (other, weight) in row {
            match entries[start..].last_mut() {
                Some((known, sum)) if *known == other => *sum += weight,
                _ => entries.push((other, weight)),
            }
        }
        row_starts.push(entries.len());
    }
    entries.iter_mut().for_each(|(_, weight)| *weight /= sum);
    Affinities {
        row_starts,
        entries,
    }
}

/// exp(−β d²) normalised to sum 1, with the precision β for which the entropy is `entropy` (in nats), by bisection.
fn conditional_probabilities(squared_distances: &[f64], entropy: f64) -> Vec<f64> {
    // Subtracted against underflow; the factor cancels in the normalisation.
    let nearest = squared_distances.iter().copied().fold(f64::MAX, f64::min);
    let mean = squared_distances.iter().sum::<f64>() / squared_distances.len().max(1) as f64;
    let with_precision = |beta: f64| -> (Vec<f64>, f64) {
        let weights = squared_distances
            .iter()
            .map(|d| (-beta * (d - nearest)).exp());
        let mut weights: Vec<f64> = weights.collect();
        let sum: f64 = weights.iter().sum();
        weights.iter_mut().for_each(|weight| *weight /= sum);
        let mean_distance: f64 = weights
            .iter()
            .zip(squared_distances)
            .map(|(weight, d)| weight * (d - nearest))
            .sum();
        (weights, beta * mean_distance + sum.ln())
    };
    let (mut low, mut high) = (0.0, f64::INFINITY);
    let mut beta = if mean > nearest {
        1.0 / (mean - nearest)
    } else {
        1.0
    };
    let (mut weights, mut found) = with_precision(beta);
    for _ in 0..MAX_BISECTIONS {
        if (found - entropy).abs() < TOLERANCE {
            break;
        }
        // The entropy falls with the precision.
        if found > entropy {
            low = beta;
        } else {
            high = beta;
        }
        beta = if high.is_finite() {
            (low + high) / 2.0
        } else {
            2.0 * beta
        };
        if !beta.is_finite() {
            // All neighbours have the same distance: the entropy does not depend on β.
            break;
        }
        (weights, found) = with_precision(beta);
    }
    weights
}
