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

use super::{BackwardPass, Method, MethodOutput, cam, MethodInfo, ClassMethod};
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

super::at_layers::at_layers!(LayerCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "layer_cam",
    title: "LayerCAM",
    summary: "Grad-CAM with positive gradients position by position, for early layers too (Jiang et al. 2021)",
    read: "Bright positions are active and raise the class's logit; in early layers the map is finer than Grad-CAM can be.",
    limit: "What lowers the logit is removed before the channels are summed, so a bright position can be outweighed by what is not shown.",
    papers: &[
        "Jiang, P.-T., Zhang, C.-B., Hou, Q., Cheng, M.-M., and Wei, Y. (2021). LayerCAM: exploring hierarchical class activation maps for localization. IEEE Transactions on Image Processing 30",
    ],
};

impl Method for LayerCam {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for LayerCam {
    fn class_figures(
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
