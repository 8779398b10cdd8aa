//! `saliency`: the gradient of a class's logit with respect to the image (Simonyan et al. 2013,
//! <https://arxiv.org/abs/1312.6034>).
//!
//! **What it shows.** The pixels where a small change would change the class's logit most.
//! **How it is computed.** `w = ∂logit/∂input` at the preprocessed image; the map is `max over colours of |w|`, `[H,
//! W]`, in logits per unit of the normalised input. `w` itself, `[3, H, W]` and signed, is stored under `<key>/raw`.
//! **How to read it.** Bright pixels are sensitive; they may support the class or be evidence against it.
//! **What it can't show.** How much of the logit a pixel contributes. Maps are noisy in networks with many ReLUs and
//! strides.
//! **Options.** None.
//! **Cost.** The backward pass that all methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, Method, MethodInfo, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::network::graph::NodeId;

/// The options of `saliency`: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Saliency {}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "saliency",
    title: "Saliency",
    summary: "the gradient of a class's logit with respect to the pixels (Simonyan et al. 2013)",
    read: "Bright pixels are those where a very small change would move the class's logit the most; of the three colours the largest gradient counts.",
    limit: "It is the slope at this one photo: it is noisy, it has no sign, and it does not say how much of the logit a pixel contributes.",
    result: ResultKind::Map,
    papers: &[
        "Simonyan, K., Vedaldi, A., and Zisserman, A. (2013). Deep inside convolutional networks: visualising image classification models and saliency maps. arXiv:1312.6034",
    ],
};

impl Method for Saliency {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Saliency {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let input = pass.model().network.graph().input();
        let gradient = pass.gradient(input)?.f_squeeze_dim(0)?;
        out.sensitivity(INFO.key, pass, &gradient, Vec::new())
    }
}
