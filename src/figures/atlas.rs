//! The results of `atlas`: a map of all images of a collection by their codes, and their neighbours among the codes.

use serde::{Deserialize, Serialize};

use super::{ClassInfo, ImageGroups, KnnAccuracy, Trustworthiness};

/// The map of one layer's codes. All that there is of each image is in tensors, a row for each in the collection's order.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Atlas {
    /// Key of the images' indices in the collection and of their true classes, −1 where unknown: `[n, 2]`.
    pub images: String,
    /// Key of the images' ids, 8-bit: UTF-8, each followed by a line feed.
    pub ids: String,
    /// Key of the codes in the coordinates of their first principal components, `[n, components]`.
    pub codes: String,
    /// Key of the map, `[n, 2]`: x to the right, y down, with mean 0.
    pub map: String,
    /// Key of the grid, `[n, 2]`: column and row of each image, in distinct cells near its point.
    pub grid: String,
    /// Key of the nearest images among the codes as rows of these tensors, `[n, k]`, nearest first.
    pub neighbours: String,
    /// Key of the thumbnails, 8-bit `[m, side, side, 3]`.
    pub thumbnails: String,
    /// Key of the rows that have a thumbnail, `[m]`, ascending.
    pub with_thumbnail: String,
    /// The number of images.
    pub count: usize,
    /// The true classes that occur, by index.
    pub classes: Vec<ClassInfo>,
    /// The groups by which images are coloured; absent where there are no labels, or too many classes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub groups: Option<ImageGroups>,
    /// For each of `classes` the index of its group; empty without groups.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub group_of_class: Vec<usize>,
    /// The number of values of a code.
    pub dims: usize,
    /// The number of principal components.
    pub components: usize,
    /// The share of the variance that they explain, 0 to 1.
    pub explained_variance: f64,
    /// The perplexity of the affinities.
    pub perplexity: f64,
    /// Steps of gradient descent.
    pub epochs: usize,
    /// The Kullback–Leibler divergence of the map in nats.
    pub divergence: f64,
    /// How many images, chosen by the seed, the trustworthiness and the accuracy are measured on.
    pub sample: usize,
    /// The trustworthiness of the map among the sample.
    pub trustworthiness: Trustworthiness,
    /// The accuracy of a kNN classifier among the sample; absent where there are too few labels for one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub knn_accuracy: Option<KnnAccuracy>,
}
