//! Where the networks agree: on classes, on what their maps show, and on which images are alike.

use serde::{Deserialize, Serialize};

/// Networks held against each other. Matrices have a row and a column a network, in the experiment's order.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The share of the photos to which two networks give the same first class.
    pub predictions: Vec<Vec<Option<f64>>>,
    pub maps: Vec<MapAgreement>,
    /// Photo by photo, those on which the maps agree least first.
    pub photos: Vec<PhotoAgreement>,
    pub layers: Vec<LayerAgreement>,
}

/// How one method's maps agree, over all photos.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MapAgreement {
    pub method: String,
    /// What the spec calls the layers, where the method has some.
    pub layer: Option<String>,
    /// How many pairs of maps went into it.
    pub pairs: usize,
    /// Means over the photos; absent where two networks have no pair of maps.
    pub spearman: Vec<Vec<Option<f64>>>,
    /// Of the brightest fifth.
    pub overlap: Vec<Vec<Option<f64>>>,
    pub ssim: Vec<Vec<Option<f64>>>,
}

/// How the maps of one photo agree.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PhotoAgreement {
    pub image: String,
    /// Mean rank correlation over all methods and pairs of networks.
    pub spearman: f64,
    /// Where it is lowest: the method, its layers, and the two networks.
    pub method: String,
    pub layer: Option<String>,
    pub models: [String; 2],
    pub lowest: f64,
    /// The network whose maps agree least with those of the others, where there are more than two.
    pub odd_one: Option<String>,
}

/// CKA between the layers of two networks.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerAgreement {
    /// The network of the rows and that of the columns; may be the same.
    pub models: [String; 2],
    pub rows: Vec<String>,
    pub columns: Vec<String>,
    /// Key of the matrix in `data.safetensors`.
    pub tensor: String,
    /// How many images went into it.
    pub images: usize,
    pub batches: usize,
}
