//! How often one network is right, and what it takes for what.

use serde::{Deserialize, Serialize};

use super::super::GroupedBy;

/// One network on the labelled images whose class it knows.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelEvaluation {
    /// The model's id.
    pub model: String,
    /// How many images.
    pub images: usize,
    /// The share of images whose true class has the largest logit.
    pub top1: f64,
    /// Its interval.
    pub top1_interval: [f64; 2],
    /// The share of images whose true class is among the five with the largest logits.
    pub top5: f64,
    /// Its interval.
    pub top5_interval: [f64; 2],
    /// The expected calibration error over 15 bins of equal width (Guo et al. 2017).
    pub ece: f64,
    /// The bins of the reliability diagram, from 0 to 1.
    pub bins: Vec<CalibrationBin>,
    /// The accuracy for each true class, lowest first.
    pub classes: Vec<ClassAccuracy>,
    /// The accuracy for each group of images that a CSV names.
    pub groups: Vec<GroupAccuracy>,
    /// The most frequent confusions, most images first.
    pub confusions: Vec<Confusion>,
    /// How often which class, or group of classes, is predicted for which; absent for many classes without groups.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub matrix: Option<ConfusionMatrix>,
}

/// The images whose predicted class has a probability in one range.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// How many images.
    pub images: usize,
    /// The mean probability of the predicted class; 0 in an empty bin.
    pub confidence: f64,
    /// The share of them that are right; 0 in an empty bin.
    pub accuracy: f64,
}

/// The accuracy for the images of one class.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClassAccuracy {
    /// The class's name.
    pub class: String,
    /// How many images have it.
    pub images: usize,
    /// The share that is predicted right.
    pub top1: f64,
    /// Its interval.
    pub interval: [f64; 2],
}

/// Images of one class for which another one is predicted.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Confusion {
    /// The true class.
    pub class: String,
    /// The predicted class.
    pub predicted: String,
    /// How many images.
    pub images: usize,
    /// Their share of the class's images.
    pub share: f64,
}

/// The accuracy for the images with one text in a column of the collection's CSV.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupAccuracy {
    /// The column.
    pub column: String,
    /// The text.
    pub group: String,
    /// How many images have it.
    pub images: usize,
    /// The share that is predicted right.
    pub top1: f64,
    /// Its interval.
    pub interval: [f64; 2],
}

/// How often which class, or group of classes, is predicted for which.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// What the rows and columns are.
    pub by: GroupedBy,
    /// Their names: of classes, or the keys of superclasses in the report's word files, after `group.`.
    pub names: Vec<String>,
    /// The numbers of images, a row for each true class and a column for each predicted one.
    pub counts: Vec<Vec<usize>>,
}
