//! `grad_cam`: the spatial positions of a layer that support a class (Selvaraju et al. 2017,
//! <https://arxiv.org/abs/1610.02391>).
//!
//! **What it shows.** The spatial positions of a layer whose channels, weighted by the gradient of the class's logit,
//! support the class.
//! **How it is computed.** With the layer's activations `A`, `[C, h, w]`: the weight of a channel is the mean of
//! `∂logit/∂A` over the spatial positions; the map is `ReLU(Σ weight · A)`, `[h, w]`, in the layer's own size. The sum
//! before the ReLU is stored under `<key>/raw`.
//! **How to read it.** Bright positions support the class. A map of zeros is a result, too: at no position does the
//! weighted sum of the channels support the class.
//! **What it can't show.** Anything finer than the layer's positions: a 7 × 7 layer has 49. Evidence against the class,
//! which the ReLU removes.
//! **Options.** `layers`.
//! **Cost.** The backward pass that all methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

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
pub struct GradCam {
    /// The layers, by selector; they must have height and width. The paper uses `last`.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for GradCam {
    fn default() -> Self {
        GradCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(GradCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "grad_cam",
    title: "Grad-CAM",
    summary: "where a layer supports a class (Selvaraju et al. 2017)",
    read: "Bright positions of the layer support the class: its channels are weighted by their mean gradient and summed, and negative sums are set to 0.",
    limit: "It is as coarse as its layer, and smoothing it over the photo adds no detail; a position can be bright for anything in its receptive field.",
    result: ResultKind::Map,
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
        cam::add_maps(INFO.key, pass, layers, out, weight)
    }
}

/// Each channel times the mean of its gradient over the spatial positions, all `[1, C, h, w]`.
///
/// # Errors
/// If libtorch fails.
pub fn weight(values: &Tensor, gradient: &Tensor) -> Result<Tensor> {
    let weights = gradient.f_mean_dim(Some(cam::SPATIAL), true, None)?;
    Ok(values.f_mul(&weights)?)
}
