//! A sample of a collection's images that is drawn while they come, of bounded size, and that is the same however the
//! collection is cut into parts.

use serde::{Deserialize, Serialize};

use crate::rng::mix64;

/// The images whose hash ends in `level` zeros: as few zeros as leave no more images than allowed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageSample {
    seed: u64,
    most: usize,
    level: u32,
    /// Their indices in the collection, in order.
    images: Vec<usize>,
}

impl ImageSample {
    /// An empty sample of at most `most` images, drawn with `seed`.
    pub fn new(most: usize, seed: u64) -> Self {
        ImageSample {
            seed,
            most,
            level: 0,
            images: Vec::new(),
        }
    }

    /// The sample of these images, which come in order.
    pub fn of(most: usize, seed: u64, images: impl Iterator<Item = usize>) -> Self {
        let mut sample = ImageSample::new(most, seed);
        for image in images {
            sample.add(image);
            if sample.images.len() > most {
                sample.thin();
            }
        }
        sample
    }

    /// The indices of its images.
    pub fn images(&self) -> &[usize] {
        &self.images
    }

    /// Adds an image, if it belongs to the sample. Images come in order.
    pub fn add(&mut self, image: usize) -> bool {
        let belongs = self.belongs(image);
        if belongs {
            self.images.push(image);
        }
        belongs
    }

    /// Adds the sample of the images that follow. Images of it that this one is too fine for are left out.
    pub fn append(&mut self, later: &ImageSample) {
        self.level = self.level.max(later.level);
        self.images.extend(&later.images);
    }

    /// Removes images until there are no more than allowed. Returns for each image that was there whether it stays; `None`
    /// if all do.
    pub fn thin(&mut self) -> Option<Vec<bool>> {
        let stays = |sample: &Self| -> Vec<bool> {
            let images = sample.images.iter();
            images.map(|&image| sample.belongs(image)).collect()
        };
        let mut kept = stays(self);
        while kept.iter().filter(|stays| **stays).count() > self.most {
            self.level += 1;
            kept = stays(self);
        }
        if kept.iter().all(|stays| *stays) {
            return None;
        }
        let mut each = kept.iter();
        self.images
            .retain(|_| each.next().is_some_and(|stays| *stays));
        Some(kept)
    }

    fn belongs(&self, image: usize) -> bool {
        let hash = mix64(mix64(self.seed).wrapping_add(image as u64));
        hash.trailing_zeros() >= self.level
    }
}

#[cfg(test)]
mod tests {
    use super::ImageSample;

    fn sample(images: std::ops::Range<usize>) -> ImageSample {
        ImageSample::of(100, 9, images)
    }

    #[test]
    fn parts_give_the_sample_of_the_whole() {
        assert_eq!(sample(0..100).images().len(), 100);
        let whole = sample(0..5000);
        assert!((50..=100).contains(&whole.images().len()), "{whole:?}");
        for border in [1, 64, 80, 2500, 4990] {
            let mut joined = sample(0..border);
            joined.append(&sample(border..5000));
            joined.thin();
            assert_eq!(joined, whole, "{border}");
        }
    }
}
