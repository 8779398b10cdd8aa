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
use super::{BackwardPass, Method, MethodOutput, PassCount};
use crate::error::Result;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// How many copies, and how noisy: as of `smoothgrad`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Vargrad(pub Smoothgrad);

impl Method for Vargrad {
    fn asks_about_classes(&self) -> bool {
        true
    }

    fn passes(&self, info: &[NodeInfo], layers: &[NodeId]) -> PassCount {
        self.0.passes(info, layers)
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        self.0.sensible()
    }

    fn of_class(
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
