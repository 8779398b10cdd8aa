//! `grad_cam_plus_plus`: Grad-CAM that does not favour large objects (Chattopadhay et al. 2017,
//! <https://arxiv.org/abs/1710.11063>).
//!
//! **What it shows.** The spatial positions of a layer that support the class; several or small objects count as much
//! as one large one.
//! **How it is computed.** With the layer's activations `A` and `g = ∂logit/∂A`, both `[C, h, w]`: the weight of a
//! channel is `Σ α · ReLU(g)` over the spatial positions, with `α = g² / (2 g² + g³ Σ A + 1e-6)`, and 0 where `g` is 0;
//! the map is `ReLU(Σ weight · A)`, `[h, w]`. The sum before the ReLU is stored under `<key>/raw`. As is usual, the
//! gradients are those of the logit itself; the paper derives the weights from its exponential.
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** Evidence against the class: only positive gradients count, so the map of another class may
//! look nearly the same.
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
pub struct GradCamPlusPlus {
    /// The layers, by selector; they must have height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for GradCamPlusPlus {
    fn default() -> Self {
        GradCamPlusPlus {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(GradCamPlusPlus);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "grad_cam_plus_plus",
    title: "Grad-CAM++",
    summary: "Grad-CAM with weights from positive gradients, for several or small objects (Chattopadhay et al. 2018)",
    read: "As Grad-CAM, but channels are weighted by their positive gradients alone, so that several or small objects count as much as one large one.",
    limit: "Evidence against the class is left out, so the maps of two classes can look almost alike; and it is as coarse as its layer.",
    result: ResultKind::Map,
    papers: &[
        "Chattopadhay, A., Sarkar, A., Howlader, P., and Balasubramanian, V. N. (2018). Grad-CAM++: improved visual explanations for deep convolutional networks. WACV. arXiv:1710.11063",
    ],
};

/// Keeps the quotient finite where gradients are tiny: it damps those below about its square root.
const EPSILON: f64 = 1e-6;

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
        cam::add_maps(INFO.key, pass, layers, out, |values, gradient| {
            let spatial = Some(cam::SPATIAL);
            let sums = values.f_sum_dim_intlist(spatial, true, None)?;
            let square = gradient.f_square()?;
            let denominator = square
                .f_mul_scalar(2.0)?
                .f_add(&square.f_mul(gradient)?.f_mul(&sums)?)?
                .f_add_scalar(EPSILON)?;
            let alpha = square.f_div(&denominator)?;
            let alpha = alpha.f_masked_fill(&gradient.f_eq(0.0)?, 0.0)?;
            let weights = alpha
                .f_mul(&gradient.f_relu()?)?
                .f_sum_dim_intlist(spatial, true, None)?;
            Ok(values.f_mul(&weights)?)
        })
    }
}
