//! Filters of several corruptions.

use super::samples::Samples;

/// The standard deviations after which a Gaussian ends.
const TRUNCATE: f64 = 4.0;

/// The weights of a Gaussian from −`radius` to `radius`; their sum is 1.
pub(super) fn gaussian(radius: usize, deviation: f64) -> Vec<f64> {
    let radius = radius as i64;
    let weights = (-radius..=radius).map(|x| (-0.5 * (x as f64 / deviation).powi(2)).exp());
    let weights: Vec<f64> = weights.collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|weight| weight / sum).collect()
}

/// The samples smoothed by a Gaussian along both sides, with the pixels at the edges repeated beyond them: scikit-image's `gaussian`.
pub(super) fn smooth(samples: &Samples, deviation: f64) -> Samples {
    let radius = (TRUNCATE * deviation + 0.5) as usize;
    let weights = gaussian(radius, deviation);
    let along = |from: &Samples, downward: bool| {
        let mut to = from.clone();
        for y in 0..from.height {
            for x in 0..from.width {
                for channel in 0..3 {
                    let taps = weights.iter().enumerate();
                    let sum: f64 = taps
                        .map(|(tap, weight)| {
                            let place = |at: usize, side: usize| {
                                (at + tap).saturating_sub(radius).min(side - 1)
                            };
                            let (x, y) = if downward {
                                (x, place(y, from.height))
                            } else {
                                (place(x, from.width), y)
                            };
                            weight * from.at(x, y, channel)
                        })
                        .sum();
                    to.values[(y * from.width + x) * 3 + channel] = sum;
                }
            }
        }
        to
    };
    along(&along(samples, true), false)
}

/// The index that `at` means in a line of `length`, which is mirrored at its first and its last value: OpenCV's `BORDER_REFLECT_101`.
pub(super) fn reflected(at: i64, length: usize) -> usize {
    let period = 2 * (length as i64 - 1);
    if period <= 0 {
        return 0;
    }
    let at = at.rem_euclid(period);
    at.min(period - at) as usize
}
