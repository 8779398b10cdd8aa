//! `grad_cam_plus_plus`: Grad-CAM that does not favour large objects (Chattopadhay et al. 2017,
//! <https://arxiv.org/abs/1710.11063>).
//!
//! **What it shows.** The places of a layer that speak for the class; several or small objects count as much
//! as one large one.
//! **How it is computed.** With the layer's values `A` and `g = ∂logit/∂A`, both `[C, h, w]`: a channel's weight
//! is `Σ α · ReLU(g)` over places with `α = g² / (2 g² + g³ Σ A + 1e-6)`, 0 where `g` is; the map is
//! `ReLU(Σ weight · A)`, `[h, w]`. The sum before the ReLU is kept under `<key>/raw`. As is usual, the gradients
//! are of the logit itself, where the paper derives the weights from its exponential.
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** What speaks against the class: only positive gradients count, so the map of another
//! class may look nearly the same.
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
pub struct GradCamPlusPlus {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
}

impl Default for GradCamPlusPlus {
    fn default() -> Self {
        GradCamPlusPlus {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

/// Keeps the quotient finite where gradients are tiny; it damps those below about its root.
const SMALL: f64 = 1e-6;

super::at_layers::at_layers!(GradCamPlusPlus);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "grad_cam_plus_plus",
    title: "Grad-CAM++",
    summary: "Grad-CAM with weights from positive gradients, for several or small objects (Chattopadhay et al. 2018)",
    read: "As Grad-CAM, but channels are weighted by their positive gradients alone, so that several or small objects count as much as one large one.",
    limit: "Evidence against the class is left out, so the maps of two classes can look almost alike; and it is as coarse as its layer.",
    papers: &[
        "Chattopadhay, A., Sarkar, A., Howlader, P., and Balasubramanian, V. N. (2018). Grad-CAM++: improved visual explanations for deep convolutional networks. WACV. arXiv:1710.11063",
    ],
};

impl Method for GradCamPlusPlus {
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

impl ClassMethod for GradCamPlusPlus {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        cam::draw(
            "grad_cam_plus_plus",
            pass,
            layers,
            out,
            |values, gradient| {
                let places = Some(cam::PLACES);
                let sums = values.f_sum_dim_intlist(places, true, None)?;
                let square = gradient.f_square()?;
                let below = square
                    .f_mul_scalar(2.0)?
                    .f_add(&square.f_mul(gradient)?.f_mul(&sums)?)?
                    .f_add_scalar(SMALL)?;
                let alpha = square.f_div(&below)?;
                let alpha = alpha.f_masked_fill(&gradient.f_eq(0.0)?, 0.0)?;
                let weights = alpha
                    .f_mul(&gradient.f_relu()?)?
                    .f_sum_dim_intlist(places, true, None)?;
                Ok(values.f_mul(&weights)?)
            },
        )
    }
}
