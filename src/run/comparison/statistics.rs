//! Means and matrices of values that may be missing.

/// The square matrix of `value(row, column)`.
pub(super) fn matrix(
    side: usize,
    value: impl Fn(usize, usize) -> Option<f64>,
) -> Vec<Vec<Option<f64>>> {
    let row = |a: usize| (0..side).map(|b| value(a, b)).collect();
    (0..side).map(row).collect()
}

/// The mean; `None` of no values.
pub(super) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| sum / f64::from(count))
}
