//! Networks that don't choose one of several classes.

use serde::{Deserialize, Serialize};

/// A network whose classes are independent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MultiLabelEvaluation {
    /// The model's id.
    pub model: String,
    /// How many images have a class that it knows.
    pub images: usize,
    /// The mean over the classes with an image of the average precision, 0 to 1.
    pub mean_average_precision: Option<f64>,
    /// The mean over the classes with images that have it and images that don't of the area under the ROC curve, 0 to 1.
    pub mean_auroc: Option<f64>,
    /// The classes that an image has.
    pub classes: Vec<ClassRanking>,
}

/// How well the logit of a class ranks the images.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClassRanking {
    /// The class.
    pub class: String,
    /// How many images have it.
    pub images: usize,
    /// The average precision, 0 to 1.
    pub average_precision: Option<f64>,
    /// The area under the ROC curve, 0 to 1; absent where all images have the class.
    pub auroc: Option<f64>,
}

/// A network that predicts values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RegressionEvaluation {
    /// The model's id.
    pub model: String,
    /// How many images have true values.
    pub images: usize,
    /// Key of the values, `[n, 1 + 2 · outputs]`: the image's index in the collection, the true values, the predicted ones.
    pub tensor: String,
    /// Its outputs.
    pub outputs: Vec<OutputScores>,
}

/// How well one output matches the true values.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct OutputScores {
    /// The name of the output.
    pub output: String,
    /// The coefficient of determination, at most 1; absent where it is undefined.
    pub r_squared: Option<f64>,
    /// The mean absolute error, in the unit of the values.
    pub mean_absolute_error: Option<f64>,
    /// Pearson's correlation, −1 to 1; absent where it is undefined.
    pub pearson: Option<f64>,
}
