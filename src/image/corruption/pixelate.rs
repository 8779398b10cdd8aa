//! Large pixels: the picture made smaller and larger again by Pillow's box filter.

use ::image::RgbImage;

use super::super::resize::resize_by_box;
use crate::rng::Rng;

/// The sides of the small picture as shares of the picture's.
const SHARES: [f64; 5] = [0.6, 0.5, 0.4, 0.3, 0.25];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, _rng: &mut Rng) -> RgbImage {
    let (width, height) = pixels.dimensions();
    let side = |length: u32| ((f64::from(length) * SHARES[severity]) as u32).max(1);
    let small = resize_by_box(pixels, side(width), side(height));
    resize_by_box(&small, width, height)
}
