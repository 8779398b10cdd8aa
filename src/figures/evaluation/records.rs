//! What the method `evaluate` stores of each image of a collection.

use serde::{Deserialize, Serialize};

/// What one network predicts for the labelled images of a collection.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct EvaluationRecords {
    /// What the network's outputs mean, and so what a row of `tensor` has.
    pub task: EvaluatedTask,
    /// Key of the predictions, a row for each image. The first value is the image's index in the collection. For `classes`
    /// the true class, its rank from 1 and its probability follow, then up to five most probable classes, each with its
    /// probability; for `multi-label` the logits of all classes, then 1 for each true class and 0 for the others; for
    /// `regression` the true values, then the predicted ones.
    pub tensor: String,
    /// The names of the network's classes, or of its outputs, by index.
    pub classes: Vec<String>,
    /// Key of short codes of all images, or of a random part of many, `[n, 1 + dims]` with at most 64 `dims`: the image's index in
    /// the collection, then its code.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub codes: Option<String>,
    /// The ranks of the true classes of corrupted images.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub corruptions: Option<CorruptionRecords>,
}

/// What the outputs of an evaluated network mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EvaluatedTask {
    /// One of several classes is true.
    Classes,
    /// Several classes can be true.
    MultiLabel,
    /// Values.
    Regression,
}

/// The ranks of the true classes of corrupted images.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CorruptionRecords {
    /// Key of the ranks, a row for each image: its index in the collection, then a rank from 1 for each corruption and, within
    /// it, each severity; ranks of 0 for an image that the network does not see as 8-bit colours.
    pub tensor: String,
    /// ImageNet-C's names of the corruptions.
    pub kinds: Vec<String>,
    /// The severities, 1 to 5.
    pub severities: Vec<usize>,
}
