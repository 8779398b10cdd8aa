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

use super::{ClassPass, Method, Output};
use crate::error::Result;
use crate::network::graph::NodeId;
use crate::spec::LayerSelector;

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

impl Method for GradCam {
    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn asks_about_classes(&self) -> bool {
        true
    }

    fn of_class(&self, pass: &ClassPass, layers: &[NodeId], out: &mut Output) -> Result<()> {
        for &layer in layers {
            let values = pass.pass.value(layer)?.f_detach()?;
            let weights = pass
                .gradient(layer)?
                .f_mean_dim([2i64, 3].as_slice(), true, None)?;
            let sum = values
                .f_mul(&weights)?
                .f_sum_dim_intlist([1i64].as_slice(), false, None)?
                .f_squeeze_dim(0)?;
            let key = pass.key("grad_cam", Some(layer));
            out.tensor(&format!("{key}/raw"), &sum)?;
            let content = out.map(&key, &sum.f_relu()?, false)?;
            out.figures
                .push(pass.figure("grad_cam", Some(layer), content));
        }
        Ok(())
    }
}
