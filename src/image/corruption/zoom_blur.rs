//! A camera that moves forward: the mean of the picture and of enlarged copies.

use ::image::RgbImage;
use rayon::prelude::*;

use super::samples::Samples;
use crate::rng::Rng;

/// How many enlargements there are from 1 on, and by how much each is larger than the last.
const ZOOMS: [(usize, f64); 5] = [(12, 0.01), (16, 0.01), (11, 0.02), (13, 0.02), (11, 0.03)];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, _rng: &mut Rng) -> RgbImage {
    let (count, step) = ZOOMS[severity];
    let samples = Samples::of(pixels);
    // As NumPy's `arange` rounds.
    let step = (1.0 + step) - 1.0;
    let zooms = (0..count).into_par_iter();
    let enlarged: Vec<Vec<f64>> = zooms
        .map(|index| zoomed(&samples, 1.0 + index as f64 * step))
        .collect();
    let mut mean = samples.clone();
    for copy in &enlarged {
        for (value, own) in mean.values.iter_mut().zip(copy) {
            *value += own;
        }
    }
    for value in &mut mean.values {
        *value /= (count + 1) as f64;
    }
    mean.to_pixels()
}

/// The middle of the picture, enlarged bilinearly to its size.
fn zoomed(samples: &Samples, zoom: f64) -> Vec<f64> {
    let columns = Line::new(samples.width, zoom);
    let rows = Line::new(samples.height, zoom);
    let mut values = Vec::with_capacity(samples.values.len());
    for y in 0..samples.height {
        let (above, below, down) = rows.at(y);
        for x in 0..samples.width {
            let (left, right, across) = columns.at(x);
            for channel in 0..3 {
                let between = |row: usize| {
                    let left = samples.at(left, row, channel);
                    left + across * (samples.at(right, row, channel) - left)
                };
                values.push(between(above) + down * (between(below) - between(above)));
            }
        }
    }
    values
}

/// The enlargement along one side: SciPy's `zoom` of the middle part, of which the middle is kept.
struct Line {
    first: usize,
    length: usize,
    scale: f64,
    trimmed: usize,
}

impl Line {
    fn new(side: usize, zoom: f64) -> Line {
        let length = ((side as f64 / zoom).ceil() as usize).clamp(1, side);
        let enlarged = (length as f64 * zoom).round_ties_even().max(1.0);
        Line {
            first: (side - length) / 2,
            length,
            scale: (length - 1) as f64 / (enlarged - 1.0).max(1.0),
            trimmed: (enlarged as usize).saturating_sub(side) / 2,
        }
    }

    /// The two places that the value at `at` lies between, and how far it is from the first.
    fn at(&self, at: usize) -> (usize, usize, f64) {
        let place = (at + self.trimmed) as f64 * self.scale;
        let last = self.length - 1;
        let low = (place as usize).min(last);
        let high = (low + 1).min(last);
        (self.first + low, self.first + high, place - low as f64)
    }
}
