//! `layer_cam`: what agrees with a class in any layer, early ones too (Jiang et al. 2021,
//! <https://doi.org/10.1109/TIP.2021.3089943>).
//!
//! **What it shows.** The places whose activations the class wants more of, in layers too early for Grad-CAM.
//! **How it is computed.** With the layer's values `A` and `g = ∂logit/∂A`, both `[C, h, w]`: the map is
//! `ReLU(Σ ReLU(g) · A)` over channels, `[h, w]`. The sum before the outer ReLU is kept under `<key>/raw`.
//! **How to read it.** Bright places are active and pull the logit up. In early layers the map is fine.
//! **What it can't show.** What speaks against the class: negative gradients are cut off before the sum, so a
//! bright place may be outweighed by channels that are not counted.
//! **Options.** `layers`. **Cost.** The backward pass that all gradient methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BackwardPass, Method, MethodOutput, cam};
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

/// On which layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LayerCam {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
}

impl Default for LayerCam {
    fn default() -> Self {
        LayerCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

impl Method for LayerCam {
    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn asks_about_classes(&self) -> bool {
        true
    }

    fn of_class(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        cam::draw("layer_cam", pass, layers, out, |values, gradient| {
            Ok(values.f_mul(&gradient.f_relu()?)?)
        })
    }
}
