//! From numbers to the 256 entries of a palette.

use std::cmp::Ordering;

/// The index of a place without a number: a gap between tiles, or NaN.
pub const NO_VALUE: u8 = 0;

/// Which numbers a palette's two ends stand for. Values take the indices 1 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scale {
    pub low: f32,
    pub high: f32,
    /// Whether both signs mean something; then `low` is −`high`, and 0 has an index of its own, 128.
    pub signed: bool,
}

impl Scale {
    /// From the smallest to the largest finite value; where `signed`, from −m to m for the largest
    /// magnitude m. Of no finite values: 0 to 0.
    pub fn of(values: &[f32], signed: bool) -> Scale {
        let finite = || values.iter().copied().filter(|value| value.is_finite());
        if signed {
            return Scale::symmetric(finite().fold(0.0, |m, value| m.max(value.abs())));
        }
        let (low, high) = finite().fold((f32::INFINITY, f32::NEG_INFINITY), |(low, high), v| {
            (low.min(v), high.max(v))
        });
        if low > high {
            return Scale::between(0.0, 0.0);
        }
        Scale::between(low, high)
    }

    /// From `low` to `high`.
    pub fn between(low: f32, high: f32) -> Scale {
        Scale {
            low,
            high,
            signed: false,
        }
    }

    /// From −`magnitude` to `magnitude`.
    pub fn symmetric(magnitude: f32) -> Scale {
        Scale {
            low: -magnitude,
            high: magnitude,
            signed: true,
        }
    }

    /// Whether the scale has no length: every value looks the same on it.
    pub fn is_flat(&self) -> bool {
        // A scale with a NaN for an end has no length either.
        self.low.partial_cmp(&self.high) != Some(Ordering::Less)
    }

    /// The palette's index of `value`, clamped to the scale; NaN is [`NO_VALUE`]. On a flat scale
    /// every number has the index of its middle where signed, else of its lower end.
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
}

/// [`Scale::index`] of each value.
pub fn to_indices(values: &[f32], scale: Scale) -> Vec<u8> {
    values.iter().map(|value| scale.index(*value)).collect()
}
