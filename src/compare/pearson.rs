//! Pearson's correlation, which the rank correlation of maps and the scores of regression networks are made of.

/// The linear correlation of `a` and `b`, −1 to 1. `None` if the lengths differ, there are fewer than two values, one of
/// them is constant, or a value or a sum of squares is not finite.
pub fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    // By their values: the mean of equal numbers can differ from them by a rounding error.
    let constant = |values: &[f64]| values.iter().all(|value| *value == values[0]);
    if a.len() != b.len() || a.len() < 2 || constant(a) || constant(b) {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let (mut covariance, mut variance_a, mut variance_b) = (0.0, 0.0, 0.0);
    for (x, y) in a.iter().zip(b) {
        let (x, y) = (x - mean_a, y - mean_b);
        covariance += x * y;
        variance_a += x * x;
        variance_b += y * y;
    }
    let scale = f64::sqrt(variance_a) * f64::sqrt(variance_b);
    (scale > 0.0 && scale.is_finite()).then(|| (covariance / scale).clamp(-1.0, 1.0))
}
