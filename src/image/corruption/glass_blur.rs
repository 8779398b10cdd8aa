//! A rough pane: pixels are replaced by neighbours, between two blurs.

use ::image::RgbImage;

use super::samples::Samples;
use super::smoothing::smooth;
use crate::rng::Rng;

/// Standard deviations of the blur, the farthest neighbours, and how often pixels are replaced.
const PANES: [(f64, u32, usize); 5] = [
    (0.7, 1, 2),
    (0.9, 2, 1),
    (1.0, 2, 3),
    (1.1, 3, 2),
    (1.5, 4, 2),
];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, rng: &mut Rng) -> RgbImage {
    let (deviation, farthest, times) = PANES[severity];
    let mut pixels = smooth(&Samples::of(pixels), deviation).to_pixels();
    let (width, height) = pixels.dimensions();
    let places = |side: u32| (farthest + 1..=side.saturating_sub(farthest)).rev();
    let mut shift = |at: u32| {
        // From −`farthest` to `farthest` − 1.
        let steps = (rng.uniform() * f64::from(2 * farthest)) as u32;
        at + steps - farthest
    };
    for _ in 0..times {
        for y in places(height) {
            for x in places(width) {
                // ImageNet-C means to exchange the two, but NumPy's views make both the neighbour.
                let (from_x, from_y) = (shift(x), shift(y));
                let neighbour = *pixels.get_pixel(from_x, from_y);
                pixels.put_pixel(x, y, neighbour);
            }
        }
    }
    smooth(&Samples::of(&pixels), deviation).to_pixels()
}
