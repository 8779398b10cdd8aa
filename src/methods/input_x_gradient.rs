//! `input_x_gradient`: how much of a class's logit each pixel carries, were the network linear (Shrikumar
//! et al. 2016, <https://arxiv.org/abs/1605.01713>).
//!
//! **What it shows.** Pixels that speak for the class, and pixels that speak against it.
//! **How it is computed.** `x · ∂logit/∂x` at the preprocessed picture, `[3, H, W]`, kept under `<key>/raw`;
//! the map is its sum over the colours, `[H, W]`, signed, in logits.
//! **How to read it.** Red speaks for the class, blue against it, as seen from the mean colour (0 after
//! preprocessing).
//! **What it can't show.** Pixels near the mean colour, whatever they mean: they are multiplied by nearly 0.
//! What lies between the picture and the mean colour is not looked at.
//! **Options.** None. **Cost.** The backward pass that all gradient methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BackwardPass, Method, MethodOutput};
use crate::error::Result;
use crate::network::graph::NodeId;

/// No options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InputXGradient {}

impl Method for InputXGradient {
    fn asks_about_classes(&self) -> bool {
        true
    }

    fn of_class(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let input = pass.pass.subject.network.graph().input();
        let parts = pass
            .gradient(input)?
            .f_mul(&pass.pass.input.f_detach()?)?
            .f_squeeze_dim(0)?;
        out.parts("input_x_gradient", pass, &parts)?;
        Ok(())
    }
}
