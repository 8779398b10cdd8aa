//! `guided_backprop`: the gradient with only what is positive let through at every ReLU (Springenberg
//! et al. 2014, <https://arxiv.org/abs/1412.6806>).
//!
//! **What it shows.** The pattern in the picture that excites the class's logit, sharper than the gradient:
//! edges and textures that open ReLUs speak for.
//! **How it is computed.** The logit is taken back to the pixels; each ReLU lets through what is
//! positive where it was open on the way there (a ReLU6 that has reached 6 is not). The map is the maximum over colours of the magnitude,
//! `[H, W]`; the result itself, `[3, H, W]` and signed, is kept under `<key>/raw`.
//! **How to read it.** Bright lines are what excites, in the shape they have in the picture.
//! **What it can't show.** What speaks for this class and not for another: the maps of different classes
//! look alike, and stay alike when the later layers are randomised (Adebayo et al. 2018). Networks
//! without a ReLU (SiLU) have no such map.
//! **Options.** None. **Cost.** One forward and one backward pass a class, cut at the ReLUs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{BackwardPass, Method, MethodOutput, MethodInfo, ClassMethod};
use crate::error::Result;
use crate::figures::{Content, Note};
use crate::network::ReluRule;
use crate::network::graph::NodeId;

/// No options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuidedBackprop {}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "guided_backprop",
    title: "Guided backprop",
    summary: "the pattern in the image that excites a class's logit: a gradient that keeps only positive values at each open ReLU (Springenberg et al. 2014)",
    read: "Bright lines are the pattern in the photo that excites the class's logit: in the backward pass only positive values pass each ReLU that was open.",
    limit: "It hardly depends on the class: another class, or even randomised later layers, give much the same map, so it shows what the network detects rather than why it decides.",
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
        let subject = pass.pass.subject;
        let network = &subject.network;
        if !network.has_relu() {
            let reason = Note::new("note.no_relu");
            let content = Content::Absent { reason };
            out.figures
                .push(pass.figure("guided_backprop", None, content));
            return Ok(());
        }
        let back = back(pass)?;
        let key = pass.key("guided_backprop", None);
        out.tensor(&format!("{key}/raw"), &back)?;
        let strongest = back.f_abs()?.f_amax([0i64], false)?;
        let content = out.map(&key, &strongest, false)?;
        let mut figure = pass.figure("guided_backprop", None, content);
        if network.has_relu6() {
            figure.notes.push(Note::new("note.relu6"));
        }
        out.figures.push(figure);
        Ok(())
    }
}

/// The class's logit taken back to the pixels by the rule: `[3, H, W]`, signed.
///
/// # Errors
/// If libtorch refuses.
pub fn back(pass: &BackwardPass) -> Result<Tensor> {
    let network = &pass.pass.subject.network;
    let output = network.graph().output();
    let logit = pass.pass.value(output)?.f_zeros_like()?;
    let _ = logit.f_select(1, pass.class.index as i64)?.f_fill_(1.0)?;
    let back = network.backward(pass.pass.input, output, &logit, ReluRule::Guided)?;
    Ok(back.f_squeeze_dim(0)?)
}
