//! `vargrad`: how much the gradient changes over noisy copies of the picture (Adebayo et al. 2018,
//! <https://arxiv.org/abs/1810.03307>).
//!
//! **What it shows.** Pixels at which a little noise changes how the class's logit hangs on them: edges of what the network
//! attends to.
//! **How it is computed.** The copies of `smoothgrad`; the variance of `∂logit/∂input` over them (divided by their number less one),
//! `[3, H, W]`, is kept under `<key>/raw`; the map is its maximum over the colours, `[H, W]`.
//! **How to read it.** Bright: the gradient is unsteady here, so the pixel takes part in the decision in one way or another.
//! **What it can't show.** A sign, or how much of the logit a pixel carries; where the network answers linearly the variance is 0
//! however much it hangs on the pixel.
//! **Options.** `samples`, `noise`. **Cost.** `samples` forward and backward passes a class.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::smoothgrad::Smoothgrad;
use super::{BackwardPass, Method, MethodOutput, PassCount, MethodInfo, ClassMethod};
use crate::error::Result;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// How many copies, and how noisy: as of `smoothgrad`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Vargrad(pub Smoothgrad);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "vargrad",
    title: "VarGrad",
    summary: "the gradient's variance over noisy copies of the image (Adebayo et al. 2018)",
    read: "Bright pixels are those where the gradient changes most when a little noise is added: edges that the decision depends on.",
    limit: "It shows neither support nor evidence against the class, nor how much; where the network is linear the map is dark however much the logit depends on the pixel.",
    papers: &[
        "Adebayo, J., Gilmer, J., Goodfellow, I., and Kim, B. (2018). Local explanation methods for deep neural networks lack sensitivity to parameter values. arXiv:1810.03307",
    ],
};

impl Method for Vargrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        self.0.sensible()
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Vargrad {
    fn passes(&self, info: &[NodeInfo], layers: &[NodeId]) -> PassCount {
        self.0.passes(info, layers)
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let (mean, squares) = self.0.moments(pass)?;
        let samples = self.0.samples as f64;
        let variance = squares
            .f_sub(&mean.f_square()?)?
            .f_relu()?
            .f_mul_scalar(samples / (samples - 1.0))?;
        let key = pass.key("vargrad", None);
        out.tensor(&format!("{key}/raw"), &variance)?;
        let content = out.map(&key, &variance.f_amax([0i64], false)?, false)?;
        out.figures.push(pass.figure("vargrad", None, content));
        Ok(())
    }
}
