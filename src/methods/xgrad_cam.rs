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

use super::{BackwardPass, Method, MethodOutput, cam};
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

impl Method for XgradCam {
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
