//! How well neighbours agree on their class: the accuracy of a k-nearest-neighbour vote, each point
//! left out in its turn.

use std::collections::BTreeMap;

use super::{PointSet, nearest};
use crate::error::{Error, ErrorKind, Result};

/// What came of the vote.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Vote {
    /// The share of the points whose neighbours voted for their class, 0 to 1.
    pub accuracy: f64,
    /// What naming the most frequent class for every point would reach, 0 to 1.
    pub chance: f64,
}

/// Lets the `k` nearest other points vote for the class of each; where two classes have as many
/// votes, the one with the nearer voter wins.
///
/// # Errors
/// If `classes` are not as many as the points, or there are not more than `k` points, or `k` is 0.
pub fn vote(points: &PointSet, classes: &[usize], k: usize) -> Result<Vote> {
    let count = points.len();
    if classes.len() != count {
        let message = format!("{count} points can't have {} classes", classes.len());
        return Err(Error::new(ErrorKind::Network, message));
    }
    if k == 0 || k >= count {
        let message = format!("{k} neighbours can't vote among {count} points");
        return Err(Error::new(ErrorKind::Network, message)
            .help("take at least 1, and fewer than there are points"));
    }
    let voters = nearest(points, k);
    let right = voters.iter().zip(classes).filter(|(voters, class)| {
        let voted = voters.iter().map(|voter| classes[voter.point]);
        winner(voted) == Some(**class)
    });
    let accuracy = right.count() as f64 / count as f64;
    let mut sizes = BTreeMap::new();
    for class in classes {
        *sizes.entry(class).or_insert(0_usize) += 1;
    }
    let largest = sizes.into_values().max().unwrap_or(0);
    Ok(Vote {
        accuracy,
        chance: largest as f64 / count as f64,
    })
}

/// The class with most votes, of several the one that was voted for first.
fn winner(votes: impl Iterator<Item = usize>) -> Option<usize> {
    let mut counted: Vec<(usize, usize)> = Vec::new();
    for class in votes {
        match counted.iter_mut().find(|(known, _)| *known == class) {
            Some((_, votes)) => *votes += 1,
            None => counted.push((class, 1)),
        }
    }
    // `max_by_key` gives the last of several, so from behind.
    let best = counted.into_iter().rev().max_by_key(|(_, votes)| *votes);
    best.map(|(class, _)| class)
}
