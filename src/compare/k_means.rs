//! Groups of points that are near each other: k-means (Lloyd 1982) from a seeded start (k-means++, Arthur & Vassilvitskii 2007).

use rayon::prelude::*;

use super::PointSet;
use crate::rng::Rng;

/// The largest number of rounds. The assignment changes little after the first ones.
const ROUNDS: usize = 50;

/// The groups of some points.
#[derive(Debug, Clone, PartialEq)]
pub struct KMeans {
    /// The group of each point, `[n]`, below `groups`.
    pub group: Vec<usize>,
    /// The squared distance of each point to its group's mean, `[n]`.
    pub distance: Vec<f64>,
    /// The number of groups; each has a point.
    pub groups: usize,
}

/// Puts the points into at most `groups` groups, at least one, so that the squared distances to the groups' means are small. The result depends on
/// the points, `seed` and `purpose` alone.
pub fn k_means(points: &PointSet, groups: usize, seed: u64, purpose: &str) -> KMeans {
    let mut means = start(points, groups.max(1), &mut Rng::new(seed, purpose));
    let mut nearest = assign(points, &means);
    for _ in 0..ROUNDS {
        means = means_of(points, &nearest, &means);
        let next = assign(points, &means);
        let same = next.iter().zip(&nearest).all(|(a, b)| a.0 == b.0);
        nearest = next;
        if same {
            break;
        }
    }
    // Numbered by their first points; without those that have lost all.
    let mut number = vec![None; means.len()];
    let mut found = 0;
    let group = nearest.iter().map(|(mean, _)| {
        *number[*mean].get_or_insert_with(|| {
            found += 1;
            found - 1
        })
    });
    let group = group.collect();
    KMeans {
        group,
        distance: nearest.iter().map(|(_, distance)| *distance).collect(),
        groups: found,
    }
}

fn squared_distance(point: &[f32], mean: &[f64]) -> f64 {
    let differences = point.iter().zip(mean);
    differences.map(|(a, b)| (f64::from(*a) - b).powi(2)).sum()
}

/// The first means: each next one is a point, drawn with a probability that grows with the squared distance to those before.
fn start(points: &PointSet, groups: usize, rng: &mut Rng) -> Vec<Vec<f64>> {
    let widened = |point: usize| points.row(point).iter().map(|v| f64::from(*v)).collect();
    let mut means: Vec<Vec<f64>> = Vec::new();
    let mut distances = vec![f64::INFINITY; points.len()];
    while means.len() < groups.min(points.len()) {
        let chosen = match means.last() {
            None => ((rng.uniform() * points.len() as f64) as usize).min(points.len() - 1),
            Some(last) => {
                for (point, distance) in distances.iter_mut().enumerate() {
                    *distance = distance.min(squared_distance(points.row(point), last));
                }
                let sum: f64 = distances.iter().sum();
                if sum <= 0.0 {
                    break;
                }
                let mut left = rng.uniform() * sum;
                let passed = distances.iter().position(|distance| {
                    left -= distance;
                    left < 0.0
                });
                let last = distances.iter().rposition(|distance| *distance > 0.0);
                passed.or(last).unwrap_or(0)
            }
        };
        means.push(widened(chosen));
    }
    means
}

/// The nearest mean of each point, the first of equally near ones, with its squared distance.
fn assign(points: &PointSet, means: &[Vec<f64>]) -> Vec<(usize, f64)> {
    let all = (0..points.len()).into_par_iter();
    all.map(|point| {
        let row = points.row(point);
        let mut nearest = (0, f64::INFINITY);
        for (index, mean) in means.iter().enumerate() {
            let distance = squared_distance(row, mean);
            if distance < nearest.1 {
                nearest = (index, distance);
            }
        }
        nearest
    })
    .collect()
}

/// The mean of each group's points; one without points stays where it was.
fn means_of(points: &PointSet, nearest: &[(usize, f64)], before: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let mut sums = vec![(vec![0.0; points.dims()], 0usize); before.len()];
    for (point, (mean, _)) in nearest.iter().enumerate() {
        let (sum, count) = &mut sums[*mean];
        *count += 1;
        for (sum, value) in sum.iter_mut().zip(points.row(point)) {
            *sum += f64::from(*value);
        }
    }
    let all = sums.into_iter().zip(before);
    all.map(|((sum, count), before)| match count {
        0 => before.clone(),
        _ => sum.into_iter().map(|value| value / count as f64).collect(),
    })
    .collect()
}
