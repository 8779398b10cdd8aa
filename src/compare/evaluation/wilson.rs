//! The interval of a share, such as an accuracy, that was counted on some images.

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// The 95 % score interval of a share (Wilson 1927): its lower and upper end, from 0 to 1, with the share between them.
///
/// `None` if `total` is 0 or below `successes`.
pub fn wilson_interval(successes: usize, total: usize) -> Option<[f64; 2]> {
    if total == 0 || successes > total {
        return None;
    }
    let count = total as f64;
    let share = successes as f64 / count;
    let scale = 1.0 + Z * Z / count;
    let centre = (share + Z * Z / (2.0 * count)) / scale;
    let variance = share * (1.0 - share) / count + Z * Z / (4.0 * count * count);
    let half = Z * variance.sqrt() / scale;
    // Rounding may put an end beyond the share, where it is 0 or 1.
    let (low, high) = (centre - half, centre + half);
    Some([low.clamp(0.0, share), high.clamp(share, 1.0)])
}
