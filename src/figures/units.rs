//! The results of `exemplars`, `maximize` and `deconvnet` for a unit: exemplars, synthetic images, projections.

use serde::{Deserialize, Serialize};

use super::ClassInfo;
use super::Note;
use crate::image::Window;

/// The exemplars of one unit, with a projection and an image that show what activates it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitExemplars {
    /// The unit's index in its layer.
    pub unit: usize,
    /// Pearson correlation of the unit's largest activation with the logit of the class that it was chosen for, −1 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<f64>,
    /// Key of the patches, 8-bit `[n, side, side, 3]`, in the order of `exemplars`.
    pub patches: String,
    /// The patches' origins, largest activation first.
    pub exemplars: Vec<Exemplar>,
    /// Key of the first exemplar's activation projected to the pixels by the deconvnet, `[3, height, width]`, signed.
    /// Absent for networks without ReLU and layers without spatial positions.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub projection: Option<String>,
    /// The image that gradient ascent made for the unit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub maximised: Option<AscentImage>,
    /// Notes below the unit.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
}

/// A patch of an image for which a unit has one of its largest activations.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exemplar {
    /// The image's id in the collection.
    pub image: String,
    /// The image's path as the spec names it.
    pub source: String,
    /// The image's true class, where it is known.
    pub label: Option<ClassInfo>,
    /// The unit's activation at that spatial position.
    pub value: f32,
    /// The spatial position in the layer: row, column.
    #[serde(rename = "place")]
    pub position: [usize; 2],
    /// Its receptive field in the view.
    pub window: Window,
}

/// An image made by gradient ascent for the unit of some exemplars.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct AscentImage {
    /// Key of the image, `[3, side, side]`, red, green, blue, 0 to 1.
    pub tensor: String,
    /// The unit's largest activation over the spatial positions.
    pub value: f32,
}

/// An image made by gradient ascent for a unit or a class, with the value of its objective before and after.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MaximisedImage {
    /// The unit's index, or the class's.
    pub unit: usize,
    /// The class, where the objective is a logit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<ClassInfo>,
    /// Pearson correlation of the unit's largest activation with the logit of the class that it was chosen for, −1 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<f64>,
    /// Key of the image, `[3, side, side]`, red, green, blue, 0 to 1.
    pub tensor: String,
    /// The objective's value for the initial image.
    #[serde(rename = "start")]
    pub initial_value: f64,
    /// The objective's value for this image.
    #[serde(rename = "reached")]
    pub final_value: f64,
    /// The image of the collection with the objective's largest value.
    #[serde(rename = "best", skip_serializing_if = "Option::is_none", default)]
    pub top_image: Option<TopImage>,
}

/// The image of the collection for which a unit's activation or a class's logit is largest.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TopImage {
    /// Its id in the collection.
    pub image: String,
    /// Its path as the spec names it.
    pub source: String,
    /// Its true class, where it is known.
    pub label: Option<ClassInfo>,
    /// The activation or logit.
    pub value: f32,
    /// Key of its thumbnail, 8-bit `[side, side, 3]`.
    pub tensor: String,
}

/// One activation of a unit, projected to the pixels by the deconvnet.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UnitProjection {
    /// The unit's index in its layer.
    pub unit: usize,
    /// The activation; the projection is all 0 unless it is positive.
    pub value: f32,
    /// The spatial position in the layer: row, column.
    #[serde(rename = "place")]
    pub position: [usize; 2],
    /// Its receptive field in the view.
    pub window: Window,
    /// Key of the window's pixels, `[3, height, width]`, red, green, blue, signed; the projection is 0 outside.
    pub tensor: String,
}
