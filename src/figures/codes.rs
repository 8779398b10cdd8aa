//! The results of `tsne`: the codes of a collection's images by one layer, a map of them, and measures of the map.

use serde::{Deserialize, Serialize};

use super::ClassInfo;

/// A layer's codes and their map.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Codes {
    /// Key of the codes, `[n, d]`.
    pub codes: String,
    /// Key of the map, `[n, 2]`: x to the right, y down, with mean 0.
    pub map: String,
    /// Key of the grid, `[m, 2]`: column and row of every `grid_step`-th image, beginning with the first.
    pub grid: String,
    /// The step between the images of the grid: 1 if all of them are on it.
    #[serde(rename = "every")]
    pub grid_step: usize,
    /// Key of the thumbnails, 8-bit `[n, side, side, 3]`. Its first part, `_thumbnails`, is no model's id: networks with
    /// the same preprocessing share one tensor.
    pub thumbnails: String,
    /// The images, in the order of the tensors' rows.
    pub images: Vec<CodedImage>,
    /// The groups by which images are coloured; absent where there are no labels, or too many classes.
    #[serde(rename = "kinds", skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<ImageGroups>,
    /// The number of values of a code, d.
    pub dims: usize,
    /// The number of principal components that t-SNE is given.
    pub components: usize,
    /// The share of the variance that they explain, 0 to 1.
    #[serde(rename = "share")]
    pub explained_variance: f64,
    /// The perplexity of the affinities.
    pub perplexity: f64,
    /// Steps of gradient descent.
    pub epochs: usize,
    /// The Kullback–Leibler divergence of the map in nats, 0 or more; smaller is better.
    pub divergence: f64,
    /// The trustworthiness of the map.
    #[serde(rename = "trust")]
    pub trustworthiness: Trustworthiness,
    /// The accuracy of a kNN classifier; absent where there are too few labels for one.
    #[serde(rename = "votes", skip_serializing_if = "Option::is_none", default)]
    pub knn_accuracy: Option<KnnAccuracy>,
}

/// One image of a map.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CodedImage {
    /// Its id in the collection.
    pub id: String,
    /// Its true class, where it is known.
    pub label: Option<ClassInfo>,
    /// The index of its group in [`ImageGroups::names`].
    #[serde(rename = "kind", skip_serializing_if = "Option::is_none", default)]
    pub group: Option<usize>,
}

/// The groups by which a map's images are coloured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageGroups {
    /// What an image's group is.
    pub by: GroupedBy,
    /// Names of classes, or keys of superclasses: `birds` is `group.birds` in the word files.
    pub names: Vec<String>,
}

/// What an image's group is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GroupedBy {
    /// Its class.
    #[default]
    Class,
    /// The superclass of its class: one of eight groups of ImageNet's classes.
    #[serde(rename = "group")]
    Superclass,
}

/// The trustworthiness of a map (Venna & Kaski 2001): whether neighbours on the map are neighbours among the codes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Trustworthiness {
    /// The number of neighbours of each image, k.
    pub neighbours: usize,
    /// 0 to 1; 1 for a map without false neighbours.
    pub value: f64,
}

/// The leave-one-out accuracy of a k-nearest-neighbour classifier, 0 to 1.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct KnnAccuracy {
    /// Whether classes or superclasses are classified.
    pub by: GroupedBy,
    /// The number of neighbours, k.
    pub neighbours: usize,
    /// The number of images with a label.
    pub images: usize,
    /// The accuracy among the codes.
    pub codes: f64,
    /// The accuracy on the map.
    pub map: f64,
    /// The chance level: the accuracy of predicting the most frequent group for every image.
    pub chance: f64,
}
