//! JPEG of low quality, as Pillow writes and reads it: libjpeg's tables, colours at half the resolution.

use ::image::RgbImage;

use super::super::encode::through_libjpeg;
use crate::rng::Rng;

/// The qualities, of 100.
const QUALITIES: [u8; 5] = [25, 18, 15, 10, 7];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, _rng: &mut Rng) -> RgbImage {
    // Pixels of 8 bits, of which there is at least one, can always be encoded.
    through_libjpeg(pixels, QUALITIES[severity]).unwrap_or_else(|| pixels.clone())
}
