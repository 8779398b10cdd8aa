//! A random part of the images of a collection whose size is not known before its end: every image, then about every second one,
//! every fourth one, …
//!
//! Which images belong to it depends on their indices and the seed alone, so that it is the same for all networks, for
//! an interrupted pass, and for one in parts.

use crate::rng::mix64;

/// A random part of ascending indices.
#[derive(Debug, Clone)]
pub(super) struct Sample {
    seed: u64,
    /// How many indices may belong to it.
    most: usize,
    /// An index belongs to the part if its hash ends in as many zero bits.
    zeros: u32,
    /// Ascending.
    indices: Vec<usize>,
}

impl Sample {
    pub fn new(seed: u64, most: usize) -> Self {
        Sample {
            seed,
            most,
            zeros: 0,
            indices: Vec::new(),
        }
    }

    /// The part of these indices.
    pub fn of(seed: u64, most: usize, indices: impl Iterator<Item = usize>) -> Vec<usize> {
        let mut sample = Sample::new(seed, most);
        for index in indices {
            sample.add(index);
        }
        sample.indices
    }

    /// Adds an index; whether it belongs to the part for now. One that does not never will.
    pub fn add(&mut self, index: usize) -> bool {
        if !has(self.seed, self.zeros, index) {
            return false;
        }
        self.indices.push(index);
        while self.indices.len() > self.most && self.zeros < u64::BITS {
            self.zeros += 1;
            let (seed, zeros) = (self.seed, self.zeros);
            self.indices.retain(|index| has(seed, zeros, *index));
        }
        self.indices.last() == Some(&index)
    }
}

fn has(seed: u64, zeros: u32, index: usize) -> bool {
    mix64(seed ^ mix64(index as u64 + 1)).trailing_zeros() >= zeros
}

#[cfg(test)]
mod tests {
    use super::Sample;

    #[test]
    fn a_sample_is_whole_up_to_its_limit_and_a_part_of_earlier_ones_beyond() {
        let of = |seed, count| Sample::of(seed, 10, 0..count);
        assert_eq!(of(7, 10), (0..10).collect::<Vec<_>>());
        let mut sample = Sample::new(7, 10);
        let added: Vec<usize> = (0..1000).filter(|index| sample.add(*index)).collect();
        let found = of(7, 1000);
        assert!(!found.is_empty() && found.len() <= 10, "{found:?}");
        assert!(found.iter().all(|index| added.contains(index)));
        assert!(added.len() < 100, "{}", added.len());
        assert_ne!(of(8, 1000), found);
    }
}
