//! Less contrast: each colour nearer to its mean.

use ::image::RgbImage;

use super::samples::Samples;
use crate::rng::Rng;

/// The shares of the distance from the mean that are left.
const SHARES: [f64; 5] = [0.4, 0.3, 0.2, 0.1, 0.05];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, _rng: &mut Rng) -> RgbImage {
    let mut samples = Samples::of(pixels);
    let count = samples.width * samples.height;
    let means = [0, 1, 2].map(|channel| {
        let values = samples.values.iter().skip(channel).step_by(3);
        values.sum::<f64>() / count as f64
    });
    for pixel in samples.values.chunks_exact_mut(3) {
        for (value, mean) in pixel.iter_mut().zip(means) {
            *value = (*value - mean) * SHARES[severity] + mean;
        }
    }
    samples.to_pixels()
}
