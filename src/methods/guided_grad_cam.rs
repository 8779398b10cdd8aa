//! `guided_grad_cam`: guided backprop where Grad-CAM speaks for the class (Selvaraju et al. 2017,
//! <https://arxiv.org/abs/1610.02391>).
//!
//! **What it shows.** The fine pattern of guided backprop, kept only in those regions of the photo that a
//! layer holds to be the class's.
//! **How it is computed.** Guided backprop of the class's logit, `[3, H, W]`, times Grad-CAM of the
//! layer, ReLU and all, enlarged bilinearly to `[H, W]`. The map is the maximum over colours of the
//! magnitude; the product itself, signed, is kept under `<key>/raw`.
//! **How to read it.** Bright lines are pattern that excites the class's logit, in a region that speaks for the class.
//! **What it can't show.** The class decides only which regions count, coarsely: within them it is guided
//! backprop, which hardly hangs on the class or on the later layers (Adebayo et al. 2018). Where
//! Grad-CAM is 0 everywhere, so is this. Networks without a ReLU (SiLU) have no such map.
//! **Options.** `layers`. **Cost.** Guided backprop's passes; Grad-CAM's is shared.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BackwardPass, Method, MethodOutput, cam, grad_cam, guided_backprop, MethodInfo, ClassMethod};
use crate::error::Result;
use crate::figures::{Content, Note};
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

/// On which layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GuidedGradCam {
    /// Layers with height and width, for the Grad-CAM; `last` is what the paper uses.
    pub layers: Vec<LayerSelector>,
}

impl Default for GuidedGradCam {
    fn default() -> Self {
        GuidedGradCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

super::at_layers::at_layers!(GuidedGradCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "guided_grad_cam",
    title: "Guided Grad-CAM",
    summary: "guided backprop where Grad-CAM supports the class (Selvaraju et al. 2017)",
    read: "Bright lines are the pattern of guided backprop, kept only in the regions where Grad-CAM of the layer supports the class.",
    limit: "The class decides only which regions count, and only coarsely; the fine lines in them are guided backprop's and would be there for other classes too.",
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
        const NAME: &str = "guided_grad_cam";
        let network = &pass.pass.subject.network;
        if !network.has_relu() {
            let reason = Note::new("note.no_relu");
            let content = Content::Absent { reason };
            out.figures.push(pass.figure(NAME, None, content));
            return Ok(());
        }
        let guided = guided_backprop::back(pass)?;
        let size = &guided.size()[1..];
        for &layer in layers {
            let cam = cam::sum(pass, layer, grad_cam::weigh)?
                .f_relu()?
                .f_unsqueeze(0)?
                .f_unsqueeze(0)?
                .f_upsample_bilinear2d(size, false, None, None)?
                .f_squeeze_dim(0)?;
            let product = guided.f_mul(&cam)?;
            let key = pass.key(NAME, Some(layer));
            out.tensor(&format!("{key}/raw"), &product)?;
            let strongest = product.f_abs()?.f_amax([0i64], false)?;
            let content = out.map(&key, &strongest, false)?;
            let mut figure = pass.figure(NAME, Some(layer), content);
            if network.has_relu6() {
                figure.notes.push(Note::new("note.relu6"));
            }
            out.figures.push(figure);
        }
        Ok(())
    }
}
