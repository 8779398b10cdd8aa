//! The target mask: which pixels of a view show the image's class.

use image::{Rgb, RgbImage};

use crate::error::{Error, ErrorKind, Result};
use crate::image::{DecodedImage, Preprocess};
use crate::plan::TargetRegion;

/// 1 for each pixel in the region and 0 outside, `[height, width]` of the view that `preprocess` makes of an image of
/// `width` × `height`: the region is resized and cropped in the same way.
///
/// # Errors
/// If the mask can't be read or has another size than the image, or if no pixel of the view is in the region.
pub(super) fn target_mask(
    region: &TargetRegion,
    (width, height): (u32, u32),
    preprocess: &Preprocess,
) -> Result<Vec<f32>> {
    let whole = match region {
        TargetRegion::Box([left, top, right, bottom]) => {
            let within = |pixel: u32, low: f64, high: f64| {
                let centre = f64::from(pixel) + 0.5;
                low <= centre && centre < high
            };
            RgbImage::from_fn(width, height, |x, y| {
                if within(x, *left, *right) && within(y, *top, *bottom) {
                    Rgb([255; 3])
                } else {
                    Rgb([0; 3])
                }
            })
        }
        TargetRegion::Mask(path) => {
            let mask = DecodedImage::open(path)?.pixels;
            if mask.dimensions() != (width, height) {
                let (w, h) = mask.dimensions();
                let message = format!(
                    "the mask {} must have the size of its image, {width} × {height}, got {w} × {h}",
                    path.display()
                );
                return Err(Error::new(ErrorKind::Image, message)
                    .help("a mask is white where the image shows its class, and black elsewhere"));
            }
            mask
        }
    };
    let view = preprocess.view(&whole)?;
    let mask: Vec<f32> = view
        .pixels()
        .map(|pixel| f32::from(u8::from(pixel[0] >= 128)))
        .collect();
    if mask.iter().all(|inside| *inside == 0.0) {
        let message = "no pixel of the network's input is in the box or the mask";
        return Err(Error::new(ErrorKind::Image, message)
            .help("it is outside the image, or outside the part that the preprocessing crops"));
    }
    Ok(mask)
}
