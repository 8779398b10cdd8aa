//! Poisson noise: the number of photons that a small sensor counts.

use ::image::RgbImage;

use super::samples::Samples;
use crate::rng::Rng;

/// Photons of a white value.
const PHOTONS: [f64; 5] = [60.0, 25.0, 12.0, 5.0, 3.0];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, rng: &mut Rng) -> RgbImage {
    let mut samples = Samples::of(pixels);
    let photons = PHOTONS[severity];
    for value in &mut samples.values {
        *value = poisson(*value * photons, rng) / photons;
    }
    samples.to_pixels()
}

/// A number of the Poisson distribution, by inversion of its cumulative probabilities; `mean` is at most 60.
fn poisson(mean: f64, rng: &mut Rng) -> f64 {
    let uniform = rng.uniform();
    let mut probability = (-mean).exp();
    let (mut below, mut count) = (probability, 0.0);
    // Beyond 200 the probabilities of these means are 0 in float64.
    while below <= uniform && count < 200.0 {
        count += 1.0;
        probability *= mean / count;
        below += probability;
    }
    count
}
