//! The affinities P of t-SNE: the probability of each pair of points, from Gaussians about each point whose width gives
//! the perplexity.

use std::borrow::Cow;

use rayon::prelude::*;

use super::EXACT_POINTS;
use super::conditional_probabilities::conditional_probabilities;
use super::neighbour_graph::NeighbourGraph;
use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};

/// P: a sparse symmetric matrix of probabilities with sum 1.
#[derive(Debug, Clone)]
pub struct Affinities {
    /// The start of each point's row in `others` and `probabilities`; one more at the end.
    row_starts: Vec<usize>,
    /// The other point of each entry, ascending within a row.
    others: Vec<u32>,
    probabilities: Probabilities,
}

/// The entries of P: in single precision where there are many.
#[derive(Debug, Clone)]
enum Probabilities {
    Double(Vec<f64>),
    Single(Vec<f32>),
}

impl Affinities {
    /// The affinities of every point to its 3 · `perplexity` nearest neighbours (van der Maaten 2014); those of farther
    /// points are negligible. Beyond [`EXACT_POINTS`] points some neighbours are missed, as
    /// [`NeighbourGraph::approximate`] says.
    ///
    /// # Errors
    /// If `perplexity` is not above 1, or not below the number of other points.
    pub fn new(points: &PointSet, perplexity: f64) -> Result<Affinities> {
        check_perplexity(points.len(), perplexity)?;
        Affinities::of_graph(
            &NeighbourGraph::new(points, neighbours(perplexity)),
            perplexity,
        )
    }

    /// The affinities of every point to all others.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn dense(points: &PointSet, perplexity: f64) -> Result<Affinities> {
        check_perplexity(points.len(), perplexity)?;
        Affinities::of_graph(&NeighbourGraph::exact(points, points.len()), perplexity)
    }

    /// The affinities of every point to its neighbours in `graph`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_graph(graph: &NeighbourGraph, perplexity: f64) -> Result<Affinities> {
        let count = graph.len();
        check_perplexity(count, perplexity)?;
        let width = graph.width();
        let mut weights = vec![0.0; count * width];
        weights
            .par_chunks_mut(width.max(1))
            .enumerate()
            .for_each(|(point, row)| {
                let found =
                    conditional_probabilities(graph.squared_distances(point), perplexity.ln());
                row.copy_from_slice(&found);
            });
        Ok(symmetrised(graph, &weights))
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
    pub(super) fn row(&self, point: usize) -> impl Iterator<Item = (usize, f64)> {
        let range = self.row_starts[point]..self.row_starts[point + 1];
        range.map(|at| {
            let probability = match &self.probabilities {
                Probabilities::Double(values) => values[at],
                Probabilities::Single(values) => f64::from(values[at]),
            };
            (self.others[at] as usize, probability)
        })
    }

    /// The start of each point's row in [`others`](Self::others); one more at the end.
    pub(super) fn row_starts(&self) -> &[usize] {
        &self.row_starts
    }

    /// The other point of each entry.
    pub(super) fn others(&self) -> &[u32] {
        &self.others
    }

    /// The entries in single precision.
    pub(super) fn probabilities(&self) -> Cow<'_, [f32]> {
        match &self.probabilities {
            Probabilities::Double(values) => values.iter().map(|p| *p as f32).collect(),
            Probabilities::Single(values) => Cow::Borrowed(values),
        }
    }
}

/// How many neighbours the affinities reach.
fn neighbours(perplexity: f64) -> usize {
    (3.0 * perplexity + 1.0) as usize
}

fn check_perplexity(count: usize, perplexity: f64) -> Result<()> {
    let others = count as f64 - 1.0;
    if perplexity > 1.0 && perplexity < others {
        return Ok(());
    }
    let message = format!(
        "the perplexity must be above 1 and below {others} for {count} points, got {perplexity}"
    );
    Err(Error::new(ErrorKind::Network, message))
}

/// P from the conditional probabilities `[n, width]`: p(i, j) = (p(i | j) + p(j | i)) / 2n.
fn symmetrised(graph: &NeighbourGraph, weights: &[f64]) -> Affinities {
    let (count, width) = (graph.len(), graph.width());
    let sum: f64 = weights.iter().fold(0.0, |sum, weight| sum + 2.0 * weight);
    // The transposed matrix: its rows are filled in the order of the points, and so are sorted.
    let mut starts = vec![0_usize; count + 1];
    for point in 0..count {
        for &other in graph.neighbours(point) {
            starts[other as usize + 1] += 1;
        }
    }
    for point in 0..count {
        starts[point + 1] += starts[point];
    }
    let mut next = starts.clone();
    let mut reversed = vec![(0_u32, 0.0_f64); count * width];
    for point in 0..count {
        for (&other, &weight) in graph
            .neighbours(point)
            .iter()
            .zip(&weights[point * width..])
        {
            reversed[next[other as usize]] = (point as u32, weight);
            next[other as usize] += 1;
        }
    }
    let mut row_starts = vec![0];
    let mut others = Vec::new();
    let mut double = Vec::new();
    let mut single = Vec::new();
    let is_large = count > EXACT_POINTS;
    let mut own: Vec<(u32, f64)> = Vec::with_capacity(width);
    for point in 0..count {
        own.clear();
        let neighbours = graph.neighbours(point).iter().copied();
        own.extend(neighbours.zip(weights[point * width..].iter().copied()));
        own.sort_unstable_by_key(|(other, _)| *other);
        merge(
            &own,
            &reversed[starts[point]..starts[point + 1]],
            |other, weight| {
                others.push(other);
                let probability = weight / sum;
                if is_large {
                    single.push(probability as f32);
                } else {
                    double.push(probability);
                }
            },
        );
        row_starts.push(others.len());
    }
    Affinities {
        row_starts,
        others,
        probabilities: if is_large {
            Probabilities::Single(single)
        } else {
            Probabilities::Double(double)
        },
    }
}

/// The entries of two sorted rows in order; the sum of both where they have the same point.
fn merge(one: &[(u32, f64)], other: &[(u32, f64)], mut add: impl FnMut(u32, f64)) {
    let (mut i, mut j) = (0, 0);
    loop {
        match (one.get(i), other.get(j)) {
            (Some(&(a, weight)), Some(&(b, reversed))) if a == b => {
                add(a, weight + reversed);
                (i, j) = (i + 1, j + 1);
            }
            (Some(&(a, weight)), Some(&(b, _))) if a < b => {
                add(a, weight);
                i += 1;
            }
            (Some(&(a, weight)), None) => {
                add(a, weight);
                i += 1;
            }
            (_, Some(&(b, weight))) => {
                add(b, weight);
                j += 1;
            }
            (None, None) => return,
        }
    }
}
