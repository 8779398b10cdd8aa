//! Stored tensors as images.

use std::borrow::Cow;

use image::{Rgb, RgbImage, imageops};

use super::scale::DisplayScale;
use crate::error::Result;
use crate::figures::Array;
use crate::image::{Drawing, MosaicGrid};

/// The longer side of a stored projection: they are displayed small, and there are many.
const PROJECTION_SIDE: u32 = 144;

/// A photo: 8-bit `[height, width, 3]`.
pub fn photo_image(array: &Array) -> Option<RgbImage> {
    let [height, width, 3] = array.shape[..] else {
        return None;
    };
    let (width, height) = (width.try_into().ok()?, height.try_into().ok()?);
    RgbImage::from_raw(width, height, array.bytes()?.to_vec())
}

/// Images of one size in rows: 8-bit `[n, height, width, 3]`.
pub fn tiled_images(array: &Array) -> Option<RgbImage> {
    let [count, height, width, 3] = array.shape[..] else {
        return None;
    };
    let grid = MosaicGrid::new(count, width, height, 1).ok()?;
    let mut mosaic = RgbImage::from_pixel(grid.width(), grid.height(), Rgb([128; 3]));
    let tiles = array.bytes()?.chunks_exact(width * height * 3);
    for (index, tile) in tiles.enumerate() {
        let tile = RgbImage::from_raw(grid.tile_width, grid.tile_height, tile.to_vec())?;
        let (x, y) = grid.origin(index);
        imageops::replace(&mut mosaic, &tile, x.into(), y.into());
    }
    Some(mosaic)
}

/// The planes of `[channels, height, width]` that are shown as red, green and blue: the bands of the photo's picture where
/// they are known and the network reads as many as the photo has; else the first three, or the first alone where there are
/// fewer.
pub fn three_colours<'a>(
    values: &'a [f32],
    [channels, height, width]: [usize; 3],
    drawing: Option<&Drawing>,
) -> Cow<'a, [f32]> {
    let drawn = drawing.filter(|drawing| drawing.of == channels);
    let first = match drawn.map(|drawing| &drawing.bands[..]) {
        Some(&[grey]) => [grey; 3],
        Some(&[red, green, blue]) => [red, green, blue],
        _ if channels < 3 => [1; 3],
        _ => [1, 2, 3],
    };
    if channels == 3 && first == [1, 2, 3] {
        return Cow::Borrowed(values);
    }
    let planes = first.map(|band| values.chunks(height * width).nth(band - 1));
    let planes = planes.map(Option::unwrap_or_default);
    Cow::Owned(planes.concat())
}

/// An image of float planes: `[channels, height, width]`, 0 to 1.
pub fn planes_image(array: &Array) -> Option<RgbImage> {
    let (values, [channels, height, width]) = array.shaped()?;
    let values = three_colours(values, [channels, height, width], None);
    let (columns, rows) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    if values.len() != 3 * height * width {
        return None;
    }
    Some(RgbImage::from_fn(columns, rows, |x, y| {
        let index = y as usize * width + x as usize;
        Rgb([0, 1, 2].map(|colour| byte(values[colour * height * width + index])))
    }))
}

/// A projection `[3, height, width]` in its colours, grey where it is 0, at the size at which it is stored; and the
/// magnitude that is black or white.
///
/// # Errors
/// If it has no pixels.
pub fn projection_image(values: &[f32], height: usize, width: usize) -> Result<(RgbImage, f32)> {
    let magnitude = DisplayScale::new(values, true).scale.high;
    let pixels = crate::image::kernel_mosaic(values, [1, height, width], magnitude, 1)?;
    let longer = pixels.width().max(pixels.height());
    if longer <= PROJECTION_SIDE {
        return Ok((pixels, magnitude));
    }
    let side = |length: u32| (length * PROJECTION_SIDE / longer).max(1);
    let (width, height) = (side(pixels.width()), side(pixels.height()));
    let filter = imageops::FilterType::Triangle;
    let pixels = imageops::resize(&pixels, width, height, filter);
    Ok((pixels, magnitude))
}
