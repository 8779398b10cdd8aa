//! Sums over a collection that do not depend on how it was cut into parts: rounding makes (a + b) + c differ from
//! a + (b + c), so the order of the additions is fixed by the images' indices.

use serde::{Deserialize, Serialize};

/// How many consecutive images form a block. A part of a collection begins and ends at the border of one.
pub const BLOCK: usize = 64;

/// Sums of several quantities. Within a block they are added in order; blocks are added in pairs, these again in pairs,
/// and so on, as far as the blocks go.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BlockSums {
    width: usize,
    /// The sums of runs of blocks, in order. No two of them form a pair, but for the last one, which grows.
    runs: Vec<Run>,
}

/// The sums of 2^`level` blocks, from the block `index` · 2^`level` on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Run {
    level: u32,
    index: usize,
    sums: Vec<f64>,
}

impl BlockSums {
    /// The sums of `width` quantities over no image.
    pub fn new(width: usize) -> Self {
        BlockSums {
            width,
            runs: Vec::new(),
        }
    }

    /// Adds the quantities of the image at an index of the collection. Images come in order.
    pub fn add(&mut self, image: usize, quantities: impl Iterator<Item = f64>) {
        let index = image / BLOCK;
        let is_open = |run: &Run| run.level == 0 && run.index == index;
        if !self.runs.last().is_some_and(is_open) {
            self.push(Run {
                level: 0,
                index,
                sums: vec![0.0; self.width],
            });
        }
        if let Some(run) = self.runs.last_mut() {
            run.sums
                .iter_mut()
                .zip(quantities)
                .for_each(|(sum, q)| *sum += q);
        }
    }

    /// Adds the sums of the images that follow, from the next block on.
    pub fn append(&mut self, later: BlockSums) {
        for run in later.runs {
            self.push(run);
        }
    }

    /// The sums over all images.
    pub fn totals(&self) -> Vec<f64> {
        let mut runs = self.runs.clone();
        join_pairs(&mut runs);
        let mut totals = vec![0.0; self.width];
        for run in runs {
            totals
                .iter_mut()
                .zip(run.sums)
                .for_each(|(total, sum)| *total += sum);
        }
        totals
    }

    fn push(&mut self, run: Run) {
        // The last block is complete once another one begins.
        join_pairs(&mut self.runs);
        self.runs.push(run);
    }
}

/// Adds up the last two runs as long as they are a pair.
fn join_pairs(runs: &mut Vec<Run>) {
    while let [.., a, b] = &runs[..]
        && a.level == b.level
        && a.index.is_multiple_of(2)
        && b.index == a.index + 1
    {
        let joined = Run {
            level: a.level + 1,
            index: a.index / 2,
            sums: a.sums.iter().zip(&b.sums).map(|(a, b)| a + b).collect(),
        };
        runs.truncate(runs.len() - 2);
        runs.push(joined);
    }
}

#[cfg(test)]
mod tests {
    use super::{BLOCK, BlockSums};
    use crate::rng::Rng;

    /// The sums over the images of some blocks, without every 7th image and without all of block 3.
    fn sums(blocks: std::ops::Range<usize>) -> BlockSums {
        let mut sums = BlockSums::new(2);
        for image in blocks.start * BLOCK..blocks.end * BLOCK {
            if image % 7 != 0 && image / BLOCK != 3 {
                let value = Rng::new(5, &image.to_string()).uniform() - 0.3;
                sums.add(image, [value, value * value].into_iter());
            }
        }
        sums
    }

    #[test]
    fn parts_have_the_bits_of_the_whole() {
        let whole = sums(0..23);
        for borders in [
            vec![1, 2, 3, 4, 5],
            vec![8],
            vec![3, 17, 22],
            (1..23).collect(),
        ] {
            let mut joined = BlockSums::new(2);
            let mut start = 0;
            for end in borders.into_iter().chain([23]) {
                let text = serde_json::to_string(&sums(start..end)).unwrap();
                joined.append(serde_json::from_str(&text).unwrap());
                start = end;
            }
            let bits = |sums: &BlockSums| {
                sums.totals()
                    .iter()
                    .map(|s| s.to_bits())
                    .collect::<Vec<_>>()
            };
            assert_eq!(bits(&joined), bits(&whole));
        }
        assert!(whole.runs.len() < 8, "{}", whole.runs.len());
    }

    #[test]
    fn the_total_is_the_sum_of_all() {
        let mut sums = BlockSums::new(1);
        assert_eq!(sums.totals(), [0.0]);
        for image in 0..1000 {
            sums.add(image, [image as f64].into_iter());
        }
        assert_eq!(sums.totals(), [499_500.0]);
    }
}
