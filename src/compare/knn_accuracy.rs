//! The leave-one-out accuracy of a k-nearest-neighbour classifier on a labelled point set.

use std::collections::BTreeMap;

use super::{PointSet, nearest_neighbours};
use crate::error::{Error, ErrorKind, Result};

/// The leave-one-out accuracy of a kNN classifier, with its chance level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LeaveOneOutAccuracy {
    /// The share of the points that are classified correctly, 0 to 1.
    pub accuracy: f64,
    /// The accuracy of predicting the most frequent class for every point, 0 to 1.
    pub chance: f64,
}

/// Classifies each point by the majority class of its `k` nearest other points; of classes with equally many neighbours,
/// the one with the nearest neighbour wins.
///
/// # Errors
/// If the number of `classes` is not the number of points, or `k` is 0 or not below the number of points.
pub fn knn_accuracy(points: &PointSet, classes: &[usize], k: usize) -> Result<LeaveOneOutAccuracy> {
    let count = points.len();
    if classes.len() != count {
        let message = format!("got {} classes for {count} points", classes.len());
        return Err(Error::new(ErrorKind::Network, message));
    }
    if k == 0 || k >= count {
        let message = format!("k must be at least 1 and below the {count} points, got {k}");
        return Err(Error::new(ErrorKind::Network, message));
    }
    let neighbours = nearest_neighbours(points, k);
    let correct = neighbours.iter().zip(classes).filter(|(nearest, class)| {
        let nearest = nearest.iter().map(|neighbour| classes[neighbour.point]);
        majority(nearest) == Some(**class)
    });
    let accuracy = correct.count() as f64 / count as f64;
    let mut sizes = BTreeMap::new();
    for class in classes {
        *sizes.entry(class).or_insert(0_usize) += 1;
    }
    let largest = sizes.into_values().max().unwrap_or(0);
    Ok(LeaveOneOutAccuracy {
        accuracy,
        chance: largest as f64 / count as f64,
    })
}

/// The most frequent class; of several, the one that comes first.
fn majority(classes: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counts: Vec<(usize, usize)> = Vec::new();
    for class in classes {
        match counts.iter_mut().find(|(known, _)| *known == class) {
            Some((_, count)) => *count += 1,
            None => counts.push((class, 1)),
        }
    }
    // `max_by_key` returns the last of several maxima.
    let most = counts.into_iter().rev().max_by_key(|(_, count)| *count);
    most.map(|(class, _)| class)
}
