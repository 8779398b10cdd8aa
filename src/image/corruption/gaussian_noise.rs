//! Normal noise, added to each value.

use ::image::RgbImage;

use super::samples::Samples;
use crate::rng::Rng;

/// Standard deviations, of values from 0 to 1.
const DEVIATIONS: [f64; 5] = [0.08, 0.12, 0.18, 0.26, 0.38];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, rng: &mut Rng) -> RgbImage {
    let mut samples = Samples::of(pixels);
    let noise = rng.normal(samples.values.len(), DEVIATIONS[severity]);
    for (value, noise) in samples.values.iter_mut().zip(noise) {
        *value += f64::from(noise);
    }
    samples.to_pixels()
}
