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

use super::{BackwardPass, Method, MethodOutput, cam};
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

impl Method for HiresCam {
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
        cam::draw("hires_cam", pass, layers, out, |values, gradient| {
            Ok(values.f_mul(gradient)?)
        })
    }
}
