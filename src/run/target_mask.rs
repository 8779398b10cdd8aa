//! Where a picture shows its class, as a network sees it: a box or a mask, gone the picture's own way.

use image::{Rgb, RgbImage};

use crate::error::{Error, ErrorKind, Result};
use crate::image::{DecodedImage, Preprocess};
use crate::plan::images::Shows;

/// 1 inside and 0 outside, for each pixel of the view that `preprocess` cuts from a picture of `width` × `height`.
///
/// # Errors
/// If the mask can't be read or has another size, or nothing of the thing is left in the view.
pub fn inside(
    shows: &Shows,
    (width, height): (u32, u32),
    preprocess: &Preprocess,
) -> Result<Vec<f32>> {
    let whole = match shows {
        Shows::Box([left, top, right, bottom]) => {
            let within = |at: u32, low: f64, high: f64| {
                let middle = f64::from(at) + 0.5;
                low <= middle && middle < high
            };
            RgbImage::from_fn(width, height, |x, y| {
                match within(x, *left, *right) && within(y, *top, *bottom) {
                    true => Rgb([255; 3]),
                    false => Rgb([0; 3]),
                }
            })
        }
        Shows::Mask(path) => {
            let mask = DecodedImage::open(path)?.pixels;
            if mask.dimensions() != (width, height) {
                let (w, h) = mask.dimensions();
                let message = format!(
                    "the mask {} is {w} × {h}, its picture {width} × {height}",
                    path.display()
                );
                return Err(Error::new(ErrorKind::Image, message)
                    .help("a mask has its picture's size, with the thing in white on black"));
            }
            mask
        }
    };
    let view = preprocess.view(&whole)?;
    let inside: Vec<f32> = view
        .pixels()
        .map(|pixel| f32::from(u8::from(pixel[0] >= 128)))
        .collect();
    match inside.iter().any(|inside| *inside > 0.0) {
        true => Ok(inside),
        false => Err(Error::new(
            ErrorKind::Image,
            "nothing of what the box or the mask shows is left in the input",
        )
        .help("it lies outside the picture, or outside the part that the preprocessing cuts")),
    }
}
