//! Scores of networks that predict numbers.

use super::super::pearson;
use crate::error::{Error, ErrorKind, Result};

/// How well predicted numbers match the true ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RegressionScores {
    /// The coefficient of determination, at most 1: 1 minus the squared errors relative to those of predicting the mean of
    /// the true values. Negative where that would be better. `None` if the true values are constant or fewer than two, or
    /// their squares are beyond float64.
    pub r_squared: Option<f64>,
    /// The mean absolute error, in the unit of the values. `None` without values, or if it is beyond float64.
    pub mean_absolute_error: Option<f64>,
    /// Pearson's correlation of true and predicted values, −1 to 1; see [`pearson`].
    pub pearson: Option<f64>,
}

/// The scores of one output: `truth` and `predicted` have a value per image.
///
/// # Errors
/// If the lengths differ or a value is not finite.
pub fn regression_scores(truth: &[f64], predicted: &[f64]) -> Result<RegressionScores> {
    if truth.len() != predicted.len() {
        let (truth, predicted) = (truth.len(), predicted.len());
        let message = format!("got {predicted} predicted values for {truth} true ones");
        return Err(Error::new(ErrorKind::Usage, message));
    }
    for (name, values) in [("true", truth), ("predicted", predicted)] {
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            let message = format!("{name} value {at} is {}, not a finite number", values[at]);
            return Err(Error::new(ErrorKind::Usage, message));
        }
    }
    let count = truth.len() as f64;
    let mean = truth.iter().sum::<f64>() / count;
    let variation: f64 = truth.iter().map(|value| (value - mean).powi(2)).sum();
    let errors = || truth.iter().zip(predicted).map(|(t, p)| t - p);
    let squared: f64 = errors().map(|error| error * error).sum();
    // By the values: the mean of equal numbers can differ from them by a rounding error.
    let constant = truth.iter().all(|value| *value == truth[0]);
    let r_squared = (!constant && variation > 0.0).then(|| 1.0 - squared / variation);
    let error = errors().map(f64::abs).sum::<f64>() / count;
    Ok(RegressionScores {
        r_squared: r_squared.filter(|_| squared.is_finite() && variation.is_finite()),
        mean_absolute_error: Some(error).filter(|error| error.is_finite()),
        pearson: pearson(truth, predicted),
    })
}
