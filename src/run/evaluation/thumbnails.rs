//! Thumbnails of the collection's images that an evaluation names.

use crate::figures::{Array, Tensors};
use crate::image::{RgbImage, thumbnail};
use crate::plan::PlannedImage;

/// Side of a thumbnail in pixels.
const SIDE: u32 = 96;

/// Stores the image's thumbnail, unless it is there already; `None` where the file can't be read again.
pub(super) fn store_thumbnail(image: &PlannedImage, tensors: &mut Tensors) -> Option<String> {
    let key = format!("_evaluation/{}", image.id);
    if !tensors.contains_key(&key) {
        let decoded = image.decode().ok()?;
        let (width, height) = decoded.pixels.dimensions();
        store_pixels(
            &key,
            thumbnail(&decoded.pixels, [0, 0, width, height], SIDE),
            tensors,
        );
    }
    Some(key)
}

/// Stores pixels as `[height, width, 3]`.
pub(super) fn store_pixels(key: &str, pixels: RgbImage, tensors: &mut Tensors) {
    let (width, height) = pixels.dimensions();
    let shape = [height as usize, width as usize, 3];
    tensors.insert(key.to_owned(), Array::u8(&shape, pixels.into_raw()));
}
