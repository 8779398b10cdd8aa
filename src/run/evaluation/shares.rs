//! Shares of images with their intervals.

use crate::compare::wilson_interval;

/// The share of `part` in `whole`, 0 without any.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

/// Its interval of 95 %.
pub(super) fn interval(part: usize, whole: usize) -> [f64; 2] {
    wilson_interval(part, whole).unwrap_or([0.0, 1.0])
}
