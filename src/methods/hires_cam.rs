//! `hires_cam`: the support of a layer for a class, position by position (Draelos & Carin 2020,
//! <https://arxiv.org/abs/2011.08891>).
//!
//! **What it shows.** The spatial positions of a layer that support the class, each weighted by its own gradient.
//! **How it is computed.** With the layer's activations `A` and `g = ∂logit/∂A`, both `[C, h, w]`: the map is `ReLU(Σ g
//! · A)` over the channels, `[h, w]`. The sum before the ReLU is stored under `<key>/raw`.
//! **How to read it.** As Grad-CAM; where the two differ, Grad-CAM's average over the gradients is the reason. For a
//! last convolution that only a linear head follows, the raw map sums to the logit without its bias.
//! **What it can't show.** Anything finer than the layer's positions. Many layers before the head it is as noisy as a
//! gradient.
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
pub struct HiresCam {
    /// The layers, by selector; they must have height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for HiresCam {
    fn default() -> Self {
        HiresCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(HiresCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "hires_cam",
    title: "HiResCAM",
    summary: "Grad-CAM with a weight for each position (Draelos & Carin 2020)",
    read: "Bright positions of the layer support the class: each position is weighted by its own gradient, not by the channel's mean as in Grad-CAM.",
    limit: "It is as coarse as its layer, and in layers far from the output it is as noisy as the gradient itself.",
    result: ResultKind::Map,
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
        cam::add_maps(INFO.key, pass, layers, out, |values, gradient| {
            Ok(values.f_mul(gradient)?)
        })
    }
}
