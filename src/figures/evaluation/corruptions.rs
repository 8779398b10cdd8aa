//! How often networks are right on corrupted images.

use serde::{Deserialize, Serialize};

/// The accuracy of the networks on corrupted images (Hendrycks & Dietterich 2019).
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CorruptionEvaluation {
    /// One entry for each network, corruption and severity; severity 0 for the same images as they are.
    pub accuracies: Vec<CorruptedAccuracy>,
    /// A picture with each corruption.
    pub strips: Vec<CorruptionStrip>,
    /// How many images were left out because no network sees them as 8-bit colours.
    pub skipped: usize,
}

/// The accuracy of one network on images with one corruption.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CorruptedAccuracy {
    /// The model's id.
    pub model: String,
    /// ImageNet-C's name of the corruption.
    pub kind: String,
    /// The severity, 1 to 5; 0 for the images as they are.
    pub severity: usize,
    /// How many images.
    pub images: usize,
    /// The share that is predicted right, 0 to 1.
    pub top1: f64,
    /// Its interval.
    pub interval: [f64; 2],
}

/// The middle of a picture with one corruption, pixel by pixel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CorruptionStrip {
    /// ImageNet-C's name of the corruption.
    pub kind: String,
    /// The image's id.
    pub image: String,
    /// The severities of the pictures, 0 for the one as it is.
    pub severities: Vec<usize>,
    /// Key of the pictures, 8-bit `[n, height, width, 3]`.
    pub tensor: String,
}
