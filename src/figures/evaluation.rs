//! How well networks classify a labelled collection: accuracy, calibration, confusions, and where two networks differ.

use serde::{Deserialize, Serialize};

/// The evaluation of all networks on a collection. Shares are 0 to 1, intervals are Wilson's at 95 %.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Evaluation {
    /// How many images of the collection have a label that some network knows.
    pub images: usize,
    /// The networks that have been evaluated, in the experiment's order.
    pub models: Vec<ModelEvaluation>,
    /// Every two of them.
    pub pairs: Vec<PairEvaluation>,
    /// Which networks are right together, most images first, where there are two or more.
    pub combinations: Vec<RightTogether>,
    /// Images that show where the networks differ or err.
    pub galleries: Vec<Gallery>,
}

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
    /// The most frequent confusions, most images first.
    pub confusions: Vec<Confusion>,
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

/// Images of one kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gallery {
    /// Which kind.
    pub kind: GalleryKind,
    /// The network that the gallery is about.
    pub model: String,
    /// The images, the most telling first.
    pub images: Vec<GalleryImage>,
}

/// What the images of a gallery have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GalleryKind {
    /// The network is right and all others are wrong.
    OnlyRight,
    /// The network is wrong, and as sure of its class as of none else.
    ConfidentErrors,
}

/// An image of a gallery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GalleryImage {
    /// Its id in the collection.
    pub image: String,
    /// Its path as the experiment names it.
    pub source: String,
    /// Its true class.
    pub class: String,
    /// What each network predicts, in the order of the evaluation's models; absent for one that doesn't know the class.
    pub predictions: Vec<Option<GalleryPrediction>>,
    /// Key of its thumbnail, 8-bit `[side, side, 3]`; absent where the file can't be read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thumbnail: Option<String>,
}

/// What a network predicts for an image of a gallery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GalleryPrediction {
    /// The predicted class.
    pub class: String,
    /// Its probability.
    pub probability: f32,
}
