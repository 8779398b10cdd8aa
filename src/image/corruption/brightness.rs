//! More light: a larger value in the colour's hue, saturation and value.

use ::image::RgbImage;

use super::samples::Samples;
use crate::rng::Rng;

/// What is added to the value, 0 to 1.
const ADDED: [f64; 5] = [0.1, 0.2, 0.3, 0.4, 0.5];

pub(super) fn corrupt(pixels: &RgbImage, severity: usize, _rng: &mut Rng) -> RgbImage {
    let mut samples = Samples::of(pixels);
    for pixel in samples.values.as_chunks_mut::<3>().0 {
        let [hue, saturation, value] = to_hsv(*pixel);
        let value = (value + ADDED[severity]).min(1.0);
        *pixel = from_hsv([hue, saturation, value]);
    }
    samples.to_pixels()
}

/// Hue, saturation and value, each 0 to 1, as scikit-image computes them.
fn to_hsv([red, green, blue]: [f64; 3]) -> [f64; 3] {
    let value = red.max(green).max(blue);
    let range = value - red.min(green).min(blue);
    if range == 0.0 {
        return [0.0, 0.0, value];
    }
    let sixth = if blue == value {
        4.0 + (red - green) / range
    } else if green == value {
        2.0 + (blue - red) / range
    } else {
        (green - blue) / range
    };
    [(sixth / 6.0).rem_euclid(1.0), range / value, value]
}

/// Red, green and blue.
fn from_hsv([hue, saturation, value]: [f64; 3]) -> [f64; 3] {
    let sixth = (hue * 6.0).floor();
    let part = hue * 6.0 - sixth;
    let low = value * (1.0 - saturation);
    let falling = value * (1.0 - part * saturation);
    let rising = value * (1.0 - (1.0 - part) * saturation);
    match sixth as usize % 6 {
        0 => [value, rising, low],
        1 => [falling, value, low],
        2 => [low, value, rising],
        3 => [low, falling, value],
        4 => [rising, low, value],
        _ => [value, low, falling],
    }
}
