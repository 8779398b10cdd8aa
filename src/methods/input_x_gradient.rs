//! `input_x_gradient`: each pixel times the gradient of the logit with respect to it (Shrikumar et al. 2016,
//! <https://arxiv.org/abs/1605.01713>).
//!
//! **What it shows.** Pixels that support the class, and pixels that are evidence against it.
//! **How it is computed.** `x · ∂logit/∂x` at the preprocessed image, `[3, H, W]`, stored under `<key>/raw`; the map is
//! its sum over the colours, `[H, W]`, signed, in logits.
//! **How to read it.** Red pixels support the class, blue ones are evidence against it, compared with the mean colour
//! (0 after preprocessing).
//! **What it can't show.** Pixels near the mean colour get nearly 0, whatever they mean for the network. The map does not
//! show how the logit changes between the mean colour and the image: only the gradient at the image counts.
//! **Options.** None.
//! **Cost.** The backward pass that all methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, Method, MethodInfo, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::network::graph::NodeId;

/// The options of `input_x_gradient`: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct InputXGradient {}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "input_x_gradient",
    title: "Input × gradient",
    summary: "each pixel times the gradient of the logit with respect to it (Shrikumar et al. 2016)",
    read: "Red pixels support the class, blue ones are evidence against it: each value is the pixel's distance from the mean colour times the gradient there, in units of the class's logit.",
    limit: "A pixel of nearly the mean colour gets nearly nothing, whatever it means to the network, and only the gradient at this one photo counts.",
    result: ResultKind::Map,
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
        let input = pass.model().network.graph().input();
        let attribution = pass
            .gradient(input)?
            .f_mul(&pass.input()?)?
            .f_squeeze_dim(0)?;
        out.attribution(INFO.key, pass, &attribution, Vec::new())
    }
}
