//! How far the networks of an experiment agree: on classes, on maps, and on which images are similar.

use serde::{Deserialize, Serialize};

/// The agreement of the networks. Matrices have a row and a column for each network, in the experiment's order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The share of the images for which two networks predict the same class, 0 to 1.
    pub predictions: Vec<Vec<Option<f64>>>,
    /// The agreement of maps, method by method.
    pub maps: Vec<MapAgreement>,
    /// Networks whose maps are compared over a part of the images, because they resize and crop differently.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub parts: Vec<ComparedPart>,
    /// The agreement of maps image by image, least agreement first.
    #[serde(rename = "photos")]
    pub images: Vec<ImageAgreement>,
    /// CKA between layers, for each pair of networks.
    pub layers: Vec<LayerAgreement>,
}

/// How far one method's maps agree, over all images. Matrices hold means over the images; an entry is absent where two
/// networks have no pair of maps.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MapAgreement {
    /// The method's name in the spec.
    pub method: String,
    /// The selector of the layers, where the method has layers.
    pub layer: Option<String>,
    /// The number of pairs of maps.
    pub pairs: usize,
    /// Spearman's rank correlation, −1 to 1.
    pub spearman: Vec<Vec<Option<f64>>>,
    /// Intersection over union of the largest fifth of the values, 0 to 1.
    pub overlap: Vec<Vec<Option<f64>>>,
    /// Structural similarity, −1 to 1.
    pub ssim: Vec<Vec<Option<f64>>>,
}

/// Two networks that see different parts of the images.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ComparedPart {
    /// Their ids.
    pub models: [String; 2],
    /// The mean share of an image over which their maps are compared: the part that both see. 0 to 1.
    pub share: f64,
}

/// How far the maps of one image agree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageAgreement {
    /// The image's id.
    pub image: String,
    /// Mean rank correlation over all methods and pairs of networks, −1 to 1.
    pub spearman: f64,
    /// The method of the pair of maps with the lowest rank correlation.
    pub method: String,
    /// That method's layer selector, where it has layers.
    pub layer: Option<String>,
    /// The two networks of that pair.
    pub models: [String; 2],
    /// The rank correlation of that pair.
    pub lowest: f64,
    /// The network whose maps agree least with those of the others, where there are more than two.
    #[serde(rename = "odd_one")]
    pub outlier: Option<String>,
}

/// CKA between the layers of two networks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerAgreement {
    /// The network of the rows and that of the columns; may be the same.
    pub models: [String; 2],
    /// The layers of the rows.
    pub rows: Vec<String>,
    /// The layers of the columns.
    pub columns: Vec<String>,
    /// Key of the matrix, `[rows, columns]`.
    pub tensor: String,
    /// The number of images of the minibatches.
    pub images: usize,
    /// The number of minibatches.
    pub batches: usize,
}
