//! `layer_cam`: the support for a class in any layer, early ones too (Jiang et al. 2021,
//! <https://doi.org/10.1109/TIP.2021.3089943>).
//!
//! **What it shows.** The spatial positions whose activations raise the class's logit, also in layers that are too
//! early for Grad-CAM.
//! **How it is computed.** With the layer's activations `A` and `g = ∂logit/∂A`, both `[C, h, w]`: the map is `ReLU(Σ
//! ReLU(g) · A)` over the channels, `[h, w]`. The sum before the outer ReLU is stored under `<key>/raw`.
//! **How to read it.** Bright positions are active and raise the logit. In early layers the map is fine.
//! **What it can't show.** Evidence against the class: negative gradients are removed before the sum, so a bright
//! position may be outweighed by channels that are not counted.
//! **Options.** `layers`.
//! **Cost.** The backward pass that all methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cam;
use super::forward_backward::BackwardPass;
use super::layer_constructors::at_layers;
use super::method::{ClassMethod, Method, MethodInfo, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

/// The layers of the maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LayerCam {
    /// The layers, by selector; they must have height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for LayerCam {
    fn default() -> Self {
        LayerCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(LayerCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "layer_cam",
    title: "LayerCAM",
    summary: "Grad-CAM with positive gradients position by position, for early layers too (Jiang et al. 2021)",
    read: "Bright positions are active and raise the class's logit; in early layers the map is finer than Grad-CAM can be.",
    limit: "What lowers the logit is removed before the channels are summed, so a bright position can be outweighed by what is not shown.",
    result: ResultKind::Map,
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
        cam::add_maps(INFO.key, pass, layers, out, |values, gradient| {
            Ok(values.f_mul(&gradient.f_relu()?)?)
        })
    }
}
