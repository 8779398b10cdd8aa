//! `guided_grad_cam`: guided backprop where Grad-CAM supports the class (Selvaraju et al. 2017,
//! <https://arxiv.org/abs/1610.02391>).
//!
//! **What it shows.** The fine pattern of guided backprop, kept only in the regions of the image where a layer supports
//! the class.
//! **How it is computed.** Guided backprop of the class's logit, `[3, H, W]`, times Grad-CAM of the layer, after its
//! ReLU and enlarged bilinearly to `[H, W]`. The map is the maximum over the colours of the magnitude; the product
//! itself, signed, is stored under `<key>/raw`.
//! **How to read it.** Bright lines are a pattern that excites the class's logit, in a region that supports the class.
//! **What it can't show.** The class decides only which regions count, coarsely: within them it is guided backprop,
//! which hardly depends on the class or on the later layers (Adebayo et al. 2018). Where Grad-CAM is 0 everywhere, so
//! is this. Networks without a ReLU (SiLU) have no such map.
//! **Options.** `layers`.
//! **Cost.** Those of guided backprop; Grad-CAM's backward pass is shared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::forward_backward::BackwardPass;
use super::guided_backprop::guided_gradient;
use super::layer_constructors::at_layers;
use super::method::{ClassMethod, Method, MethodInfo, ResultKind};
use super::method_output::MethodOutput;
use super::{cam, grad_cam};
use crate::error::Result;
use crate::figures::{Content, Note};
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

/// The layers whose Grad-CAM is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuidedGradCam {
    /// The layers, by selector; they must have height and width. The paper uses `last`.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for GuidedGradCam {
    fn default() -> Self {
        GuidedGradCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(GuidedGradCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "guided_grad_cam",
    title: "Guided Grad-CAM",
    summary: "guided backprop where Grad-CAM supports the class (Selvaraju et al. 2017)",
    read: "Bright lines are the pattern of guided backprop, kept only in the regions where Grad-CAM of the layer supports the class.",
    limit: "The class decides only which regions count, and only coarsely; the fine lines in them are guided backprop's and would be there for other classes too.",
    result: ResultKind::Map,
    papers: &[
        "Selvaraju, R. R., Cogswell, M., Das, A., Vedantam, R., Parikh, D., and Batra, D. (2017). Grad-CAM: visual explanations from deep networks via gradient-based localization. ICCV. arXiv:1610.02391",
    ],
};

impl Method for GuidedGradCam {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for GuidedGradCam {
    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let network = &pass.model().network;
        if !network.has_relu() {
            let reason = Note::new("note.no_relu");
            let content = Content::Absent { reason };
            out.figures.push(pass.figure(INFO.key, None, content));
            return Ok(());
        }
        let guided = guided_gradient(pass)?;
        let size = &guided.size()[1..];
        for &layer in layers {
            let cam = cam::weighted_sum(pass, layer, grad_cam::weight)?
                .f_relu()?
                .f_unsqueeze(0)?
                .f_unsqueeze(0)?
                .f_upsample_bilinear2d(size, false, None, None)?
                .f_squeeze_dim(0)?;
            let product = guided.f_mul(&cam)?;
            let key = pass.key(INFO.key, Some(layer));
            out.tensor(&format!("{key}/raw"), &product)?;
            let largest = product.f_abs()?.f_amax([0i64], false)?;
            let content = out.map(&key, &largest, false)?;
            let mut figure = pass.figure(INFO.key, Some(layer), content);
            if network.has_relu6() {
                figure.notes.push(Note::new("note.relu6"));
            }
            out.figures.push(figure);
        }
        Ok(())
    }
}
