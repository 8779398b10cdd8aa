//! `hires_cam`: where a layer speaks for a class, place by place (Draelos & Carin 2020,
//! <https://arxiv.org/abs/2011.08891>).
//!
//! **What it shows.** The places of a layer that speak for the class, each judged by its own gradient.
//! **How it is computed.** With the layer's values `A` and `g = ∂logit/∂A`, both `[C, h, w]`: the map is
//! `ReLU(Σ g · A)` over channels, `[h, w]`. The sum before the ReLU is kept under `<key>/raw`.
//! **How to read it.** As Grad-CAM; where both differ, averaging the gradients moved Grad-CAM. At a last
//! convolution with nothing but a linear head behind it, the raw map sums to the logit without its bias.
//! **What it can't show.** More than the layer's places; deep before the head it is as noisy as a gradient.
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
pub struct HiresCam {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
}

impl Default for HiresCam {
    fn default() -> Self {
        HiresCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

super::at_layers::at_layers!(HiresCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "hires_cam",
    title: "HiResCAM",
    summary: "Grad-CAM with a weight for each position (Draelos & Carin 2020)",
    read: "Bright positions of the layer support the class: each position is weighted by its own gradient, not by the channel's mean as in Grad-CAM.",
    limit: "It is as coarse as its layer, and in layers far from the output it is as noisy as the gradient itself.",
    papers: &[
        "Draelos, R. L., and Carin, L. (2020). Use HiResCAM instead of Grad-CAM for faithful explanations of convolutional neural networks. arXiv:2011.08891",
    ],
};

impl Method for HiresCam {
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

impl ClassMethod for HiresCam {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        cam::draw("hires_cam", pass, layers, out, |values, gradient| {
            Ok(values.f_mul(gradient)?)
        })
    }
}
