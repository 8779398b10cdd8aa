//! `grad_cam`: where in the picture a layer speaks for a class (Selvaraju et al. 2017,
//! <https://arxiv.org/abs/1610.02391>).
//!
//! **What it shows.** The places of a layer whose channels, weighed by how the class's logit hangs on
//! them, speak for the class.
//! **How it is computed.** With the layer's values `A`, `[C, h, w]`: each channel's weight is the mean
//! over places of `∂logit/∂A`; the map is `ReLU(Σ weight · A)`, `[h, w]`, the layer's own size. The sum
//! before the ReLU is kept under `<key>/raw`.
//! **How to read it.** Bright places speak for the class. A map of zeros is an answer: at no place do
//! the channels together speak for it.
//! **What it can't show.** More than the layer's places: a 7×7 layer knows 49; nor what speaks against.
//! **Options.** `layers`. **Cost.** The backward pass that all gradient methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{BackwardPass, Method, MethodOutput, cam, MethodInfo, ClassMethod};
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

/// On which layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GradCam {
    /// Layers with height and width; `last` is what the paper uses.
    pub layers: Vec<LayerSelector>,
}

impl Default for GradCam {
    fn default() -> Self {
        GradCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

super::at_layers::at_layers!(GradCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "grad_cam",
    title: "Grad-CAM",
    summary: "where a layer supports a class (Selvaraju et al. 2017)",
    read: "Bright positions of the layer support the class: its channels are weighted by their mean gradient and summed, and negative sums are set to 0.",
    limit: "It is as coarse as its layer, and smoothing it over the photo adds no detail; a position can be bright for anything in its receptive field.",
    papers: &[
        "Selvaraju, R. R., Cogswell, M., Das, A., Vedantam, R., Parikh, D., and Batra, D. (2017). Grad-CAM: visual explanations from deep networks via gradient-based localization. ICCV. arXiv:1610.02391",
    ],
};

impl Method for GradCam {
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

impl ClassMethod for GradCam {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        cam::draw("grad_cam", pass, layers, out, weigh)
    }
}

/// Each channel times the mean of its gradient, all `[1, C, h, w]`.
///
/// # Errors
/// If libtorch refuses.
pub fn weigh(values: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let weights = gradient.f_mean_dim(Some(cam::PLACES), true, None)?;
    Ok(values.f_mul(&weights)?)
}
