//! Maps values to the 256 entries of a palette.

use std::cmp::Ordering;

/// The palette's index for a missing value: a gap between tiles, or NaN.
pub const NO_VALUE: u8 = 0;

/// The values at the two ends of a palette. Values between them take the indices 1 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ValueScale {
    /// The value of index 1.
    pub low: f32,
    /// The value of index 255.
    pub high: f32,
    /// Whether both signs have a meaning; then `low` is −`high`, and 0 has the index 128.
    pub signed: bool,
}

impl ValueScale {
    /// From the smallest to the largest finite value; where `signed`, from −m to m for the largest
    /// magnitude m. Without finite values: 0 to 0.
    pub fn from_values(values: &[f32], signed: bool) -> ValueScale {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        if signed {
            return ValueScale::symmetric(finite().fold(0.0, |m, value| m.max(value.abs())));
        }
        let (low, high) = finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        if low > high {
            return ValueScale::between(0.0, 0.0);
        }
        ValueScale::between(low, high)
    }

    /// An unsigned scale from `low` to `high`.
    pub fn between(low: f32, high: f32) -> ValueScale {
        ValueScale {
            low,
            high,
            signed: false,
        }
    }

    /// A signed scale from −`magnitude` to `magnitude`.
    pub fn symmetric(magnitude: f32) -> ValueScale {
        ValueScale {
            low: -magnitude,
            high: magnitude,
            signed: true,
        }
    }

    /// Whether the scale has no length, so that every value has the same index.
    pub fn is_flat(&self) -> bool {
        // A scale with a NaN for an end has no length either.
        self.low.partial_cmp(&self.high) != Some(Ordering::Less)
    }

    /// The palette's index of `value`, clamped to the scale; NaN is [`NO_VALUE`]. On a flat scale
    /// every value has the index of its middle where signed, else of its lower end.
    pub fn index(&self, value: f32) -> u8 {
        if value.is_nan() {
            return NO_VALUE;
        }
        if self.is_flat() {
            return if self.signed { 128 } else { 1 };
        }
        // In f64, where the two ends of f32 have a finite difference.
        let (low, high) = (f64::from(self.low), f64::from(self.high));
        let part = ((f64::from(value) - low) / (high - low)).clamp(0.0, 1.0);
        1 + (part * 254.0).round() as u8
    }

    /// The [`index`](Self::index) of each value.
    pub fn indices(&self, values: &[f32]) -> Vec<u8> {
        values.iter().map(|value| self.index(*value)).collect()
    }
}
