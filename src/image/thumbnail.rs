//! Thumbnails: a part of an image, or the whole image, scaled to a square of a given size.

use image::{Rgb, RgbImage, imageops};

use super::interpolation::Interpolation;
use super::resize::resize;

/// The part `[left, top, width, height]` of an image, scaled to fit a square of `side` pixels with its aspect
/// ratio kept, and centred on grey. `part` is clipped to the image.
pub fn thumbnail(pixels: &RgbImage, part: [u32; 4], side: u32) -> RgbImage {
    let mut square = RgbImage::from_pixel(side, side, Rgb([128; 3]));
    let left = part[0].min(pixels.width());
    let top = part[1].min(pixels.height());
    let width = part[2].min(pixels.width() - left);
    let height = part[3].min(pixels.height() - top);
    let longest = u64::from(width.max(height));
    if longest == 0 {
        return square;
    }
    let cut = imageops::crop_imm(pixels, left, top, width, height).to_image();
    // At most `side`, so it fits; a line stays at least a pixel wide.
    let scaled = |length: u32| (u64::from(length) * u64::from(side) / longest).max(1) as u32;
    let (to_width, to_height) = (scaled(width), scaled(height));
    let small = resize(&cut, to_width, to_height, Interpolation::Bicubic);
    let (x, y) = ((side - to_width) / 2, (side - to_height) / 2);
    imageops::replace(&mut square, &small, x.into(), y.into());
    square
}
