//! Which classes a network takes for which.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};

/// A confusion matrix, of which only the entries above 0 are kept; filled image by image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Confusion {
    counts: BTreeMap<(usize, usize), u64>,
}

/// Images of one class that are predicted as another one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ConfusedPair {
    /// The true class.
    pub truth: usize,
    /// The predicted class.
    pub predicted: usize,
    /// The number of images of the true class that are predicted as the other one.
    pub count: u64,
    /// The share that these are of the images of the true class, above 0 and at most 1.
    pub share: f64,
}

impl Confusion {
    /// Adds an image of the class `truth` that is predicted as `predicted`.
    pub fn add(&mut self, truth: usize, predicted: usize) {
        *self.counts.entry((truth, predicted)).or_default() += 1;
    }

    /// Adds the images of `other`.
    pub fn append(&mut self, other: &Confusion) {
        for (pair, count) in &other.counts {
            *self.counts.entry(*pair).or_default() += count;
        }
    }

    /// The entries above 0, as (true class, predicted class, number of images), by true and then by predicted class.
    pub fn entries(&self) -> impl Iterator<Item = (usize, usize, u64)> {
        let entries = self.counts.iter();
        entries.map(|(&(truth, predicted), &count)| (truth, predicted, count))
    }

    /// The number of images of each true class that has images.
    pub fn class_sizes(&self) -> BTreeMap<usize, u64> {
        let mut sizes = BTreeMap::new();
        for (truth, _, count) in self.entries() {
            *sizes.entry(truth).or_default() += count;
        }
        sizes
    }

    /// The `limit` ordered pairs of different classes that are confused most often. Of equal counts, the smaller true class
    /// is first, then the smaller predicted class.
    pub fn most_confused(&self, limit: usize) -> Vec<ConfusedPair> {
        let sizes = self.class_sizes();
        let wrong = self
            .entries()
            .filter(|(truth, predicted, _)| truth != predicted);
        let mut pairs: Vec<_> = wrong
            .map(|(truth, predicted, count)| ConfusedPair {
                truth,
                predicted,
                count,
                share: count as f64 / sizes[&truth] as f64,
            })
            .collect();
        // A stable sort: equal counts stay in the order of the map.
        pairs.sort_by_key(|pair| std::cmp::Reverse(pair.count));
        pairs.truncate(limit);
        pairs
    }

    /// The matrix of groups of classes: `groups` is the group of each class, `[classes]`.
    ///
    /// # Errors
    /// If a class of the matrix is not below the number of `groups`.
    pub fn folded(&self, groups: &[usize]) -> Result<Confusion> {
        let group = |class: usize| {
            groups.get(class).copied().ok_or_else(|| {
                let message = format!("class {class} is in no group: {} are given", groups.len());
                Error::new(ErrorKind::Usage, message)
            })
        };
        let mut folded = Confusion::default();
        for (truth, predicted, count) in self.entries() {
            let pair = (group(truth)?, group(predicted)?);
            *folded.counts.entry(pair).or_default() += count;
        }
        Ok(folded)
    }
}
