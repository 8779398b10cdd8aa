//! Values that are black or white: salt and pepper, in each colour by itself.

use ::image::RgbImage;

use crate::rng::Rng;

/// The shares of values that are replaced.
const SHARES: [f64; 5] = [0.03, 0.06, 0.09, 0.17, 0.27];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, rng: &mut Rng) -> RgbImage {
    let mut corrupted = pixels.clone();
    for value in corrupted.iter_mut() {
        let uniform = rng.uniform();
        if uniform < SHARES[severity] {
            // Half of the replaced ones are white.
            *value = if uniform < SHARES[severity] / 2.0 {
                255
            } else {
                0
            };
        }
    }
    corrupted
}
