//! `guided_backprop`: a gradient that keeps only positive values at every ReLU (Springenberg et al. 2014,
//! <https://arxiv.org/abs/1412.6806>).
//!
//! **What it shows.** The pattern in the image that increases the class's logit, sharper than the gradient: edges and
//! textures that activate ReLUs with a positive effect.
//! **How it is computed.** The logit is propagated back to the pixels; at each ReLU only positive values pass, and only
//! where the ReLU's input was positive in the forward pass (a ReLU6 passes nothing where its output is 6). The map is the maximum over the colours
//! of the magnitude, `[H, W]`; the result itself, `[3, H, W]` and signed, is stored under `<key>/raw`.
//! **How to read it.** Bright lines are the pattern that increases the logit, in the shape that it has in the image.
//! **What it can't show.** It can't show what supports one class rather than another: the maps of different classes are
//! similar, and stay similar if the later layers are randomised (Adebayo et al. 2018). Networks without a ReLU (SiLU) have no such map.
//! **Options.** None.
//! **Cost.** One forward and one backward pass for each class, in segments between the ReLUs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, Method, MethodInfo, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::figures::{Content, Note};
use crate::network::ReluRule;
use crate::network::graph::NodeId;

/// The options of `guided_backprop`: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuidedBackprop {}

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "guided_backprop",
    title: "Guided backprop",
    summary: "the pattern in the image that increases a class's logit: a gradient that keeps only positive values at each ReLU with a positive input (Springenberg et al. 2014)",
    read: "Bright lines are the pattern in the photo that excites the class's logit: in the backward pass only positive values pass each ReLU that was open.",
    limit: "It hardly depends on the class: another class, or even randomised later layers, give much the same map, so it shows what the network detects rather than why it decides.",
    result: ResultKind::Map,
    papers: &[
        "Springenberg, J. T., Dosovitskiy, A., Brox, T., and Riedmiller, M. (2014). Striving for simplicity: the all convolutional net. arXiv:1412.6806",
    ],
};

impl Method for GuidedBackprop {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for GuidedBackprop {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let network = &pass.model().network;
        if !network.has_relu() {
            let reason = Note::new("note.no_relu");
            let content = Content::Absent { reason };
            out.figures.push(pass.figure(INFO.key, None, content));
            return Ok(());
        }
        let notes = network.has_relu6().then(|| Note::new("note.relu6"));
        let gradient = guided_gradient(pass)?;
        out.sensitivity(INFO.key, pass, &gradient, notes.into_iter().collect())
    }
}

/// The target's value propagated back to the pixels by the guided rule: `[3, H, W]`, signed.
///
/// # Errors
/// If libtorch fails.
pub fn guided_gradient(pass: &BackwardPass) -> Result<Tensor> {
    let network = &pass.model().network;
    let node = pass.target.node;
    let start = pass.target.gradient(pass.model(), &pass.value(node)?)?;
    let gradient = network.backward(&pass.input()?, node, &start, ReluRule::Guided)?;
    Ok(gradient.f_squeeze_dim(0)?)
}
