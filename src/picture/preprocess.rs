//! How a picture becomes a network's input: resize, crop, scale, as torchvision does it on PIL.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How pixels between pixels are made; both antialiased, as PIL does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Interpolation {
    #[default]
    Bilinear,
    Bicubic,
}

/// The whole way from pixels to input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// Length of the short side after resizing; `None` leaves the size as it is.
    pub resize: Option<u32>,
    /// Side of the square cut from the centre; `None` cuts nothing.
    pub crop: Option<u32>,
    pub interpolation: Interpolation,
    /// Subtracted from red, green and blue once they are scaled to 0…1.
    pub mean: [f64; 3],
    /// What the difference is divided by.
    pub std: [f64; 3],
}

impl Preprocess {
    /// torchvision's for most of its models: short side 256 bilinear, centre 224, ImageNet's mean
    /// and deviation.
    pub fn imagenet() -> Self {
        Preprocess {
            resize: Some(256),
            crop: Some(224),
            interpolation: Interpolation::Bilinear,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
        }
    }
}
