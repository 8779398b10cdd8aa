//! `saliency`: the gradient of a class's logit with respect to the picture (Simonyan et al. 2013,
//! <https://arxiv.org/abs/1312.6034>).
//!
//! **What it shows.** Which pixels, changed a little, would change the class's logit most.
//! **How it is computed.** `w = ∂logit/∂input` at the preprocessed picture; the map is
//! `max over colours of |w|`, `[H, W]`, in logits per unit of the normalised input. `w` itself,
//! `[3, H, W]` and signed, is kept under `<key>/raw`.
//! **How to read it.** Bright is sensitive, not "for the class": a pixel may speak for or against.
//! **What it can't show.** How much of the logit a pixel carries; maps are noisy where a network has
//! many ReLUs and strides.
//! **Options.** None. **Cost.** The backward pass that all gradient methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BackwardPass, Method, MethodOutput, MethodInfo, ClassMethod};
use crate::error::Result;
use crate::network::graph::NodeId;

/// No options: the absolute gradient, and its maximum over the colours.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Saliency {}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "saliency",
    title: "Saliency",
    summary: "the gradient of a class's logit with respect to the pixels (Simonyan et al. 2013)",
    read: "Bright pixels are those where a very small change would move the class's logit the most; of the three colours the largest gradient counts.",
    limit: "It is the slope at this one photo: it is noisy, it has no sign, and it does not say how much of the logit a pixel contributes.",
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
        let input = pass.pass.subject.network.graph().input();
        let gradient = pass.gradient(input)?.f_squeeze_dim(0)?;
        let key = pass.key("saliency", None);
        out.tensor(&format!("{key}/raw"), &gradient)?;
        let strongest = gradient.f_abs()?.f_amax([0i64], false)?;
        let content = out.map(&key, &strongest, false)?;
        out.figures.push(pass.figure("saliency", None, content));
        Ok(())
    }
}
