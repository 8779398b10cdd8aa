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

use super::{BackwardPass, Method, MethodOutput, MethodInfo, ClassMethod};
use crate::error::Result;
use crate::network::graph::NodeId;

/// No options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InputXGradient {}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "input_x_gradient",
    title: "Input × gradient",
    summary: "what each pixel contributes to the logit of a linear network with this gradient (Shrikumar et al. 2016)",
    read: "Red pixels support the class, blue ones are evidence against it: each value is the pixel's distance from the mean colour times the gradient there, in units of the class's logit.",
    limit: "A pixel of nearly the mean colour gets nearly nothing, whatever it means to the network, and only the gradient at this one photo counts.",
    papers: &[
        "Shrikumar, A., Greenside, P., Shcherbina, A., and Kundaje, A. (2016). Not just a black box: learning important features through propagating activation differences. arXiv:1605.01713",
    ],
};

impl Method for InputXGradient {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for InputXGradient {
    fn class_figures(
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
