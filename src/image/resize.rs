//! Resizes an image to exactly the pixels that Pillow computes.
//!
//! Networks are trained and evaluated on Pillow's pixels. They depend on the filter, on the order of
//! the passes and on the rounding between them: rows first, clamped and rounded to 8 bits, then
//! columns, with weights of 22 fractional bits. The crates image 0.25, fast_image_resize 6 and
//! pic-scale 0.7 differ in one of these: the best is within one level for bilinear, but for bicubic,
//! which overshoots, it differs by up to 7 levels on a photo and 30 on noise.

use image::RgbImage;
use rayon::prelude::*;

use super::interpolation::Interpolation;

/// Fractional bits of a weight: 32 minus 8 for the sample and 2 for sign and overshoot.
const BITS: u32 = 22;

/// The image at `width` × `height`; empty if a side of either is 0.
pub(crate) fn resize(
    pixels: &RgbImage,
    width: u32,
    height: u32,
    interpolation: Interpolation,
) -> RgbImage {
    let (from_width, from_height) = pixels.dimensions();
    if [width, height, from_width, from_height].contains(&0) {
        return RgbImage::new(width, height);
    }
    // A pass that changes nothing is left out, as in Pillow.
    let across = if width == from_width {
        pixels.clone()
    } else {
        resize_rows(pixels, width, interpolation)
    };
    if height == from_height {
        across
    } else {
        resize_columns(&across, height, interpolation)
    }
}

fn resize_rows(pixels: &RgbImage, width: u32, interpolation: Interpolation) -> RgbImage {
    let taps = filter_taps(pixels.width(), width, interpolation);
    let mut resized = RgbImage::new(width, pixels.height());
    let from_stride = 3 * pixels.width() as usize;
    resized
        .par_chunks_exact_mut(3 * width as usize)
        .zip(pixels.par_chunks_exact(from_stride))
        .for_each(|(to, from)| {
            for (pixel, tap) in to.chunks_exact_mut(3).zip(&taps) {
                let mut sums = [1 << (BITS - 1); 3];
                let window = from[3 * tap.first..].chunks_exact(3);
                for (weight, sample) in tap.weights.iter().zip(window) {
                    for (sum, value) in sums.iter_mut().zip(sample) {
                        *sum += weight * i32::from(*value);
                    }
                }
                for (value, sum) in pixel.iter_mut().zip(sums) {
                    *value = to_byte(sum);
                }
            }
        });
    resized
}

fn resize_columns(pixels: &RgbImage, height: u32, interpolation: Interpolation) -> RgbImage {
    let taps = filter_taps(pixels.height(), height, interpolation);
    let mut resized = RgbImage::new(pixels.width(), height);
    let stride = 3 * pixels.width() as usize;
    resized
        .par_chunks_exact_mut(stride)
        .zip(&taps)
        .for_each(|(to, tap)| {
            let mut sums = vec![1 << (BITS - 1); stride];
            let window = pixels.as_raw()[stride * tap.first..].chunks_exact(stride);
            for (weight, row) in tap.weights.iter().zip(window) {
                for (sum, value) in sums.iter_mut().zip(row) {
                    *sum += weight * i32::from(*value);
                }
            }
            for (value, sum) in to.iter_mut().zip(sums) {
                *value = to_byte(sum);
            }
        });
    resized
}

fn to_byte(sum: i32) -> u8 {
    (sum >> BITS).clamp(0, 255) as u8
}

/// The source samples of one resized sample, and their weights.
struct FilterTaps {
    /// The index of the first source sample.
    first: usize,
    /// The weights of that sample and the following ones, in units of 2⁻²²; they sum to about one.
    weights: Vec<i32>,
}

/// The taps of each of the `to` samples that a line of `from` samples is resized to.
fn filter_taps(from: u32, to: u32, interpolation: Interpolation) -> Vec<FilterTaps> {
    let (filter, support): (fn(f64) -> f64, f64) = match interpolation {
        Interpolation::Bilinear => (triangle, 1.0),
        Interpolation::Bicubic => (cubic, 2.0),
    };
    let step = f64::from(from) / f64::from(to);
    // Shrinking widens the filter by the same factor: that is the antialiasing.
    let widening = step.max(1.0);
    let support = support * widening;
    (0..to)
        .map(|index| {
            let centre = (f64::from(index) + 0.5) * step;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from as usize);
            let parts: Vec<f64> = (first..end)
                .map(|sample| filter((sample as f64 - centre + 0.5) * (1.0 / widening)))
                .collect();
            let sum: f64 = parts.iter().sum();
            let weights = parts
                .iter()
                .map(|part| {
                    let part = if sum == 0.0 { *part } else { part / sum };
                    // Half away from zero.
                    (part * f64::from(1 << BITS)).round() as i32
                })
                .collect();
            FilterTaps { first, weights }
        })
        .collect()
}

fn triangle(x: f64) -> f64 {
    (1.0 - x.abs()).max(0.0)
}

/// Keys' cubic convolution (1981) with a = −½.
fn cubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    let x = x.abs();
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}
