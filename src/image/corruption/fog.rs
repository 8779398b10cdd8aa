//! A fractal cloud before the picture.

use ::image::RgbImage;

use super::fractal::plasma;
use super::samples::Samples;
use crate::rng::Rng;

/// How strong the cloud is, and by how much its details are weaker with each halving of their size.
const CLOUDS: [(f64, f64); 5] = [(1.5, 2.0), (2.0, 2.0), (2.5, 1.7), (2.5, 1.5), (3.0, 1.4)];

/// The least side of a cloud.
const SIDE: usize = 256;

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, rng: &mut Rng) -> RgbImage {
    let (strength, decay) = CLOUDS[severity];
    let mut samples = Samples::of(pixels);
    let side = samples
        .width
        .max(samples.height)
        .max(SIDE)
        .next_power_of_two();
    let cloud = plasma(side, decay, rng);
    let most = samples.values.iter().copied().fold(0.0, f64::max);
    let width = samples.width;
    for (index, pixel) in samples.values.chunks_exact_mut(3).enumerate() {
        let height = cloud[index / width * side + index % width];
        for value in pixel {
            *value = (*value + strength * height) * most / (most + strength);
        }
    }
    samples.to_pixels()
}
