//! On which images two networks, or all of them, are right.

use serde::{Deserialize, Serialize};

/// Two networks on the images whose class both know. Shares are of these images.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PairEvaluation {
    /// Both ids.
    pub models: [String; 2],
    /// How many images.
    pub images: usize,
    /// Both are right.
    pub both_right: f64,
    /// Only the first is right.
    pub only_first: f64,
    /// Only the second is right.
    pub only_second: f64,
    /// Both are wrong.
    pub both_wrong: f64,
    /// Cohen's kappa of the predicted classes; absent where it is undefined.
    pub kappa: Option<f64>,
    /// Cohen's kappa of right and wrong (Geirhos et al. 2020); absent where it is undefined.
    pub error_consistency: Option<f64>,
    /// The p-value of McNemar's exact test, two-sided: whether one is really better.
    pub mcnemar_p: f64,
}

/// The images on which exactly these networks are right.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RightTogether {
    /// The ids; none where all are wrong.
    pub models: Vec<String>,
    /// How many images.
    pub images: usize,
}
