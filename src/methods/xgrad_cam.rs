//! `xgrad_cam`: Grad-CAM with each channel weighed by its share of the logit (Fu et al. 2020,
//! <https://arxiv.org/abs/2008.02312>).
//!
//! **What it shows.** The places of a layer that speak for the class, with weights that conserve the logit
//! where the layers behind are linear.
//! **How it is computed.** With the layer's values `A` and `g = ∂logit/∂A`, both `[C, h, w]`: a channel's weight
//! is `Σ g · A / (Σ A + 1e-7)` over places; the map is `ReLU(Σ weight · A)`, `[h, w]`. The sum before the ReLU is
//! kept under `<key>/raw`.
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** More than the layer's places. Before a ReLU a channel's sum may be near 0 and its
//! weight then huge: choose a layer behind one.
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
pub struct XgradCam {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
}

impl Default for XgradCam {
    fn default() -> Self {
        XgradCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

/// Keeps the weight of a channel that is 0 everywhere finite.
const SMALL: f64 = 1e-7;

super::at_layers::at_layers!(XgradCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "xgrad_cam",
    title: "XGrad-CAM",
    summary: "Grad-CAM with gradients weighted by the activations (Fu et al. 2020)",
    read: "As Grad-CAM, but each gradient is weighted by the activation at its position as a share of the channel's sum, so that the weights sum to the logit where the rest of the network is linear.",
    limit: "It is as coarse as its layer, and a channel whose values cancel out gets a disproportionate weight.",
    papers: &[
        "Fu, R., Hu, Q., Dong, X., Guo, Y., Gao, Y., and Li, B. (2020). Axiom-based Grad-CAM: towards accurate visualization and explanation of CNNs. BMVC. arXiv:2008.02312",
    ],
};

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
        cam::draw("xgrad_cam", pass, layers, out, |values, gradient| {
            let places = Some(cam::PLACES);
            let sums = values.f_sum_dim_intlist(places, true, None)?;
            let weights = gradient
                .f_mul(values)?
                .f_sum_dim_intlist(places, true, None)?
                .f_div(&sums.f_add_scalar(SMALL)?)?;
            Ok(values.f_mul(&weights)?)
        })
    }
}
