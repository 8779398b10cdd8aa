//! Thumbnails: a part of a picture, or all of it, on a square of a given size.

use image::{Rgb, RgbImage, imageops};

use super::Interpolation;
use super::resize::resize;

/// The part `[left, top, width, height]` of `picture` as large as it fits on a square of `side` pixels, in
/// its proportions, in the middle of grey. What lies outside of the picture is left out.
pub fn patch(picture: &RgbImage, part: [u32; 4], side: u32) -> RgbImage {
    let mut square = RgbImage::from_pixel(side, side, Rgb([128; 3]));
    let left = part[0].min(picture.width());
    let top = part[1].min(picture.height());
    let width = part[2].min(picture.width() - left);
    let height = part[3].min(picture.height() - top);
    let longest = u64::from(width.max(height));
    if longest == 0 {
        return square;
    }
    let cut = imageops::crop_imm(picture, left, top, width, height).to_image();
    // At most `side`, so it fits; a line stays at least a pixel wide.
    let scaled = |length: u32| (u64::from(length) * u64::from(side) / longest).max(1) as u32;
    let (to_width, to_height) = (scaled(width), scaled(height));
    let small = resize(&cut, to_width, to_height, Interpolation::Bicubic);
    let (x, y) = ((side - to_width) / 2, (side - to_height) / 2);
    imageops::replace(&mut square, &small, x.into(), y.into());
    square
}
