//! Groups of images for which a network's accuracy is off.

use serde::{Deserialize, Serialize};

/// The groups that were tested for one network, and those for which its accuracy is off.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelSlices {
    /// The model's id.
    pub model: String,
    /// How many groups were tested.
    pub tested: usize,
    /// The groups whose accuracy differs from that of all other images, by Fisher's exact test with Holm's correction for all groups
    /// tested, lowest p first.
    pub slices: Vec<Slice>,
}

/// A group of images.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Slice {
    /// What the images have in common.
    pub source: SliceSource,
    /// How many images.
    pub images: usize,
    /// The share that is predicted right, 0 to 1.
    pub top1: f64,
    /// Its interval.
    pub interval: [f64; 2],
    /// The share of all other images that is predicted right, 0 to 1.
    pub others: f64,
    /// The p-value after Holm's correction.
    pub p: f64,
    /// Some of the images: of similar ones the most typical, of others the first.
    pub examples: Vec<SliceImage>,
}

/// What the images of a slice have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SliceSource {
    /// A text in a column of the collection's CSV.
    Column {
        /// The column.
        column: String,
        /// The text.
        group: String,
    },
    /// Similar codes, found by k-means.
    Codes {
        /// The most frequent true classes, most frequent first.
        classes: Vec<String>,
    },
}

/// An image of a slice.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SliceImage {
    /// Its id in the collection.
    pub image: String,
    /// Its true class.
    pub class: String,
    /// The predicted class.
    pub predicted: String,
    /// Key of its thumbnail; absent where the file can't be read again.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub thumbnail: Option<String>,
}
