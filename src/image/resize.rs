//! Resizes an image to exactly the pixels that Pillow computes.
//!
//! Networks are trained and evaluated on Pillow's pixels. They depend on the filter, on the order of
//! the passes and on the rounding between them: rows first, clamped and rounded to 8 bits, then
//! columns, with weights of 22 fractional bits. The crates image 0.25, fast_image_resize 6 and
//! pic-scale 0.7 differ in one of these: the best is within one level for bilinear, but for bicubic,
//! which overshoots, it differs by up to 7 levels on a photo and 30 on noise.
//!
//! Samples of more than 8 bits are resized as Pillow resizes its mode "F": sums of f64, stored as f32 between the passes.

use image::RgbImage;
use rayon::prelude::*;

use super::interpolation::Interpolation;

/// Fractional bits of a weight: 32 minus 8 for the sample and 2 for sign and overshoot.
const BITS: u32 = 22;

/// Width and height.
type Size = (u32, u32);

/// The image at `width` × `height`; empty if a side of either is 0.
pub(crate) fn resize(
    pixels: &RgbImage,
    width: u32,
    height: u32,
    interpolation: Interpolation,
) -> RgbImage {
    resize_by(pixels, width, height, Filter::of(interpolation))
}

/// The image at `width` × `height` by Pillow's box filter: each new pixel is the mean of those below it.
pub(super) fn resize_by_box(pixels: &RgbImage, width: u32, height: u32) -> RgbImage {
    let filter = Filter {
        weight: |x| f64::from(u8::from(x > -0.5 && x <= 0.5)),
        support: 0.5,
    };
    resize_by(pixels, width, height, filter)
}

fn resize_by(pixels: &RgbImage, width: u32, height: u32, filter: Filter) -> RgbImage {
    let from = pixels.dimensions();
    let resized = resize_bytes::<3>(pixels.as_raw(), from, (width, height), filter);
    RgbImage::from_raw(width, height, resized).unwrap_or_else(|| RgbImage::new(width, height))
}

/// One band of 8 bits at another size; empty if a side of either is 0.
pub(super) fn resize_band(
    samples: &[u8],
    from: Size,
    to: Size,
    interpolation: Interpolation,
) -> Vec<u8> {
    resize_bytes::<1>(samples, from, to, Filter::of(interpolation))
}

/// A filter: its weights around 0, and where they end.
#[derive(Clone, Copy)]
struct Filter {
    weight: fn(f64) -> f64,
    support: f64,
}

impl Filter {
    fn of(interpolation: Interpolation) -> Filter {
        let (weight, support): (fn(f64) -> f64, f64) = match interpolation {
            Interpolation::Bilinear => (triangle, 1.0),
            Interpolation::Bicubic => (cubic, 2.0),
        };
        Filter { weight, support }
    }
}

/// Samples of `C` values for each pixel at another size; empty if a side of either is 0.
fn resize_bytes<const C: usize>(samples: &[u8], from: Size, to: Size, filter: Filter) -> Vec<u8> {
    if [from.0, from.1, to.0, to.1].contains(&0) {
        return Vec::new();
    }
    // A pass that changes nothing is left out, as in Pillow.
    let across = if to.0 == from.0 {
        samples.to_vec()
    } else {
        let taps = filter_taps(from.0, to.0, filter);
        resize_rows::<C>(samples, from, &taps)
    };
    if to.1 == from.1 {
        across
    } else {
        let taps = filter_taps(from.1, to.1, filter);
        resize_columns(&across, C * to.0 as usize, &taps)
    }
}

fn resize_rows<const C: usize>(samples: &[u8], from: Size, taps: &[FilterTaps<i32>]) -> Vec<u8> {
    let mut resized = vec![0; C * taps.len() * from.1 as usize];
    resized
        .par_chunks_exact_mut(C * taps.len())
        .zip(samples.par_chunks_exact(C * from.0 as usize))
        .for_each(|(to, from)| {
            for (pixel, tap) in to.chunks_exact_mut(C).zip(taps) {
                let mut sums = [1 << (BITS - 1); C];
                let window = from[C * tap.first..].chunks_exact(C);
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

fn resize_columns(samples: &[u8], stride: usize, taps: &[FilterTaps<i32>]) -> Vec<u8> {
    let mut resized = vec![0; stride * taps.len()];
    resized
        .par_chunks_exact_mut(stride)
        .zip(taps)
        .for_each(|(to, tap)| {
            let mut sums = vec![1 << (BITS - 1); stride];
            let window = samples[stride * tap.first..].chunks_exact(stride);
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

/// One band of floats at another size; empty if a side of either is 0.
pub(super) fn resize_floats(
    samples: &[f32],
    from: Size,
    to: Size,
    interpolation: Interpolation,
) -> Vec<f32> {
    if [from.0, from.1, to.0, to.1].contains(&0) {
        return Vec::new();
    }
    let sum = |tap: &FilterTaps<f64>, sample: &dyn Fn(usize) -> f32| -> f32 {
        let parts = tap.weights.iter().enumerate();
        let parts = parts.map(|(index, weight)| f64::from(sample(tap.first + index)) * weight);
        parts.sum::<f64>() as f32
    };
    let across = if to.0 == from.0 {
        samples.to_vec()
    } else {
        let taps = filter_weights(from.0, to.0, Filter::of(interpolation));
        let rows = samples.par_chunks_exact(from.0 as usize);
        rows.flat_map_iter(|row| taps.iter().map(move |tap| sum(tap, &|x| row[x])))
            .collect()
    };
    if to.1 == from.1 {
        return across;
    }
    let stride = to.0 as usize;
    let taps = filter_weights(from.1, to.1, Filter::of(interpolation));
    taps.par_iter()
        .flat_map_iter(|tap| (0..stride).map(|x| sum(tap, &|y| across[y * stride + x])))
        .collect()
}

/// The source samples of one resized sample, and their weights.
struct FilterTaps<W> {
    /// The index of the first source sample.
    first: usize,
    /// The weights of that sample and the following ones.
    weights: Vec<W>,
}

/// The taps of each of the `to` samples that a line of `from` samples is resized to. Weights are in units of 2⁻²² and sum to
/// about one.
fn filter_taps(from: u32, to: u32, filter: Filter) -> Vec<FilterTaps<i32>> {
    let taps = filter_weights(from, to, filter).into_iter();
    taps.map(|tap| {
        let weights = tap.weights.iter();
        FilterTaps {
            first: tap.first,
            // Half away from zero.
            weights: weights
                .map(|part| (part * f64::from(1 << BITS)).round() as i32)
                .collect(),
        }
    })
    .collect()
}

/// The same with weights that sum to one.
fn filter_weights(from: u32, to: u32, filter: Filter) -> Vec<FilterTaps<f64>> {
    let step = f64::from(from) / f64::from(to);
    // Shrinking widens the filter by the same factor: that is the antialiasing.
    let widening = step.max(1.0);
    let support = filter.support * widening;
    (0..to)
        .map(|index| {
            let centre = (f64::from(index) + 0.5) * step;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let end = ((centre + support + 0.5) as usize).min(from as usize);
            let parts: Vec<f64> = (first..end)
                .map(|sample| (filter.weight)((sample as f64 - centre + 0.5) * (1.0 / widening)))
                .collect();
            let sum: f64 = parts.iter().sum();
            let parts = parts.iter();
            FilterTaps {
                first,
                weights: parts
                    .map(|part| if sum == 0.0 { *part } else { part / sum })
                    .collect(),
            }
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
