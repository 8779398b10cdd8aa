//! Images of the collection that show where the networks differ or err.

use serde::{Deserialize, Serialize};

/// Images of one kind.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gallery {
    /// Which kind.
    pub kind: GalleryKind,
    /// The network that the gallery is about; absent where it is about all of them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
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
    /// Two networks give the true class the most different probabilities.
    LargestDifference,
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
    /// Whether it is the true class.
    pub right: bool,
    /// The probability of the true class.
    pub truth: f32,
    /// The attribution of the predicted class; absent where none is asked for, or it failed.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub map: Option<GalleryMap>,
}

/// An attribution of a network for an image of a gallery.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct GalleryMap {
    /// Key of the map, `[height, width]`.
    pub tensor: String,
    /// Whether both signs have a meaning.
    pub signed: bool,
    /// Key of the image as the network sees it, 8-bit `[height, width, 3]`, made smaller.
    pub view: String,
}
