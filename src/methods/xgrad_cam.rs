//! `xgrad_cam`: Grad-CAM with each channel weighted by its share of the logit (Fu et al. 2020,
//! <https://arxiv.org/abs/2008.02312>).
//!
//! **What it shows.** The spatial positions of a layer that support the class, with weights that conserve the logit
//! where the layers that follow are linear.
//! **How it is computed.** With the layer's activations `A` and `g = ∂logit/∂A`, both `[C, h, w]`: the weight of a
//! channel is `Σ g · A / (Σ A + 1e-7)` over the spatial positions; the map is `ReLU(Σ weight · A)`, `[h, w]`. The sum
//! before the ReLU is stored under `<key>/raw`.
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** Anything finer than the layer's positions. Before a ReLU the sum of a channel may be near 0
//! and its weight then very large: choose a layer after one.
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
pub struct XgradCam {
    /// The layers, by selector; they must have height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for XgradCam {
    fn default() -> Self {
        XgradCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(XgradCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "xgrad_cam",
    title: "XGrad-CAM",
    summary: "Grad-CAM with gradients weighted by the activations (Fu et al. 2020)",
    read: "As Grad-CAM, but each gradient is weighted by the activation at its position as a share of the channel's sum, so that the weights sum to the logit where the rest of the network is linear.",
    limit: "It is as coarse as its layer, and a channel whose values cancel out gets a disproportionate weight.",
    result: ResultKind::Map,
    papers: &[
        "Fu, R., Hu, Q., Dong, X., Guo, Y., Gao, Y., and Li, B. (2020). Axiom-based Grad-CAM: towards accurate visualization and explanation of CNNs. BMVC. arXiv:2008.02312",
    ],
};

/// Keeps the weight of a channel that is 0 everywhere finite.
const EPSILON: f64 = 1e-7;

impl Method for XgradCam {
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

impl ClassMethod for XgradCam {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        cam::add_maps(INFO.key, pass, layers, out, |values, gradient| {
            let spatial = Some(cam::SPATIAL);
            let sums = values.f_sum_dim_intlist(spatial, true, None)?;
            let weights = gradient
                .f_mul(values)?
                .f_sum_dim_intlist(spatial, true, None)?
                .f_div(&sums.f_add_scalar(EPSILON)?)?;
            Ok(values.f_mul(&weights)?)
        })
    }
}
