//! A lens that is out of focus: a disk for each point.

use ::image::RgbImage;
use rayon::prelude::*;

use super::samples::Samples;
use super::smoothing::{gaussian, reflected};
use crate::rng::Rng;

/// Radii of the disk, and standard deviations of the Gaussian that smooths its edge, in pixels.
const DISKS: [(i64, f64); 5] = [(3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)];

/// A kernel has at least this radius.
const LEAST: i64 = 8;

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, _rng: &mut Rng) -> RgbImage {
    let (radius, deviation) = DISKS[severity];
    let taps = disk(radius, deviation);
    let samples = Samples::of(pixels);
    let (width, height) = (samples.width, samples.height);
    let rows = (0..height).into_par_iter().flat_map_iter(|y| {
        let (samples, taps) = (&samples, &taps);
        (0..width).flat_map(move |x| {
            let mut sums = [0.0; 3];
            for (dx, dy, weight) in taps {
                let column = reflected(x as i64 + dx, width);
                let row = reflected(y as i64 + dy, height);
                for (channel, sum) in sums.iter_mut().enumerate() {
                    *sum += weight * samples.at(column, row, channel);
                }
            }
            sums
        })
    });
    let values = rows.collect();
    Samples { values, ..samples }.to_pixels()
}

/// The places and weights of a disk whose edge is smoothed.
fn disk(radius: i64, deviation: f64) -> Vec<(i64, i64, f64)> {
    let reach = radius.max(LEAST);
    let edge = if radius <= LEAST { 1 } else { 2 };
    let side = (2 * reach + 1) as usize;
    let inside = |x: i64, y: i64| f64::from(u8::from(x * x + y * y <= radius * radius));
    let all = || (-reach..=reach).flat_map(|y| (-reach..=reach).map(move |x| (x, y)));
    let sum: f64 = all().map(|(x, y)| inside(x, y)).sum();
    let weights = gaussian(edge, deviation);
    let smoothed = all().map(|(x, y)| {
        let mut value = 0.0;
        for (dy, down) in (-(edge as i64)..).zip(&weights) {
            for (dx, across) in (-(edge as i64)..).zip(&weights) {
                let column = reflected(x + dx + reach, side) as i64 - reach;
                let row = reflected(y + dy + reach, side) as i64 - reach;
                value += down * across * inside(column, row) / sum;
            }
        }
        // OpenCV's kernel is of float32, so that the sum of a white area's weights is not quite 1.
        (x, y, f64::from(value as f32))
    });
    smoothed.filter(|(_, _, weight)| *weight > 0.0).collect()
}
