//! `grad_cam`: where in the picture a layer speaks for a class (Selvaraju et al. 2017).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::LayerSelector;

/// On which layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GradCam {
    /// Layers with height and width; `last` is what the paper uses.
    pub layers: Vec<LayerSelector>,
}

impl Default for GradCam {
    fn default() -> Self {
        GradCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}
