//! `vargrad`: the variance of the gradient over noisy copies of the image (Adebayo et al. 2018,
//! <https://arxiv.org/abs/1810.03307>).
//!
//! **What it shows.** Pixels where a little noise changes how the class's logit depends on them: edges that take part
//! in the decision.
//! **How it is computed.** The noisy copies are those of `smoothgrad`; the sample variance of `∂logit/∂input` over
//! them, `[3, H, W]`, is stored under `<key>/raw`; the map is its maximum over the colours, `[H, W]`.
//! **How to read it.** Where the map is bright, the gradient varies, so the pixel takes part in the decision in one way
//! or another.
//! **What it can't show.** It has no sign, and can't show how much of the logit a pixel contributes; where the network is linear the
//! variance is 0, however much the logit depends on the pixel.
//! **Options.** `samples`, `noise`.
//! **Cost.** `samples` forward and backward passes for each class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, ManyInputs, Method, MethodInfo, PassCount, ResultKind};
use super::method_output::MethodOutput;
use super::smoothgrad::Smoothgrad;
use crate::error::Result;
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;

/// The number of copies, and their noise, as for `smoothgrad`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Vargrad(pub Smoothgrad);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "vargrad",
    title: "VarGrad",
    summary: "the gradient's variance over noisy copies of the image (Adebayo et al. 2018)",
    read: "Bright pixels are those where the gradient changes most when a little noise is added: edges that the decision depends on.",
    limit: "It shows neither support nor evidence against the class, nor how much; where the network is linear the map is dark however much the logit depends on the pixel.",
    result: ResultKind::Map,
    papers: &[
        "Adebayo, J., Gilmer, J., Goodfellow, I., and Kim, B. (2018). Local explanation methods for deep neural networks lack sensitivity to parameter values. arXiv:1810.03307",
    ],
};

impl Method for Vargrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Vargrad {
    fn passes(&self, info: &[NodeInfo], layers: &[NodeId]) -> PassCount {
        self.0.passes(info, layers)
    }

    fn many_inputs(&self) -> Option<ManyInputs> {
        Some(ManyInputs::Gradients)
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let (mean, mean_of_squares) = self.0.moments(pass)?;
        let samples = self.0.samples as f64;
        let variance = mean_of_squares
            .f_sub(&mean.f_square()?)?
            .f_relu()?
            .f_mul_scalar(samples / (samples - 1.0))?;
        out.sensitivity(INFO.key, pass, &variance, Vec::new())
    }
}
