//! `eigen_cam`: what a layer's channels have in common over its places (Muhammad & Yeasin 2020,
//! <https://arxiv.org/abs/2008.00299>).
//!
//! **What it shows.** The pattern that explains most of how a layer's channels vary from place to place: what stands out in
//! the picture for the layer, whatever the class.
//! **How it is computed.** The layer's values, `[C, h, w]`, less each channel's mean over the places, are projected on their
//! first principal component. Its sign, which the component leaves open, is the one that goes along with the mean over the
//! channels. The projection is kept under `<key>/raw`; the map is its positive part, `[h, w]`.
//! **How to read it.** Bright places stand out most for the layer.
//! **What it can't show.** Anything about a class: no class is asked, so it is the same for all; and more than the layer's places.
//! **Options.** `layers`. **Cost.** A decomposition of the layer's values.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{ForwardPass, Method, MethodOutput, MethodInfo, ImageMethod};
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

/// On which layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EigenCam {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
}

impl Default for EigenCam {
    fn default() -> Self {
        EigenCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

super::at_layers::at_layers!(EigenCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "eigen_cam",
    title: "Eigen-CAM",
    summary: "the first principal component of a layer's channels (Muhammad & Yeasin 2020)",
    read: "Bright positions differ most from the rest of the layer: the map is the first principal component of its channels over the positions.",
    limit: "It depends on no class, so the map is the same for all of them; it shows what is conspicuous, not what decides.",
    papers: &[
        "Muhammad, M. B., and Yeasin, M. (2020). Eigen-CAM: class activation map using principal components. IJCNN. arXiv:2008.00299",
    ],
};

impl Method for EigenCam {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn for_image(&self) -> Option<&dyn ImageMethod> {
        Some(self)
    }
}

impl ImageMethod for EigenCam {
    fn image_figures(
        &self,
        pass: &ForwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        for &layer in layers {
            let projection = projection(&pass.value(layer)?.f_detach()?.f_squeeze_dim(0)?)?;
            let (model, image) = (&pass.subject.id, pass.image);
            let key = format!("{model}/{image}/eigen_cam/{}", pass.subject.layer(layer));
            out.tensor(&format!("{key}/raw"), &projection)?;
            let content = out.map(&key, &projection.f_relu()?, false)?;
            out.figures
                .push(pass.figure("eigen_cam", Some(layer), content));
        }
        Ok(())
    }
}

/// `[C, h, w]` on its first principal component, `[h, w]`; zeros where every place is like every other.
fn projection(values: &Tensor) -> Result<Tensor> {
    let (channels, height, width) = values.size3()?;
    // Places by channels, in double precision: the smaller side's Gram matrix has the same components.
    let places = values
        .f_view([channels, height * width])?
        .f_tr()?
        .f_to_kind(Kind::Double)?;
    let mean = places.f_mean(Kind::Double)?.f_double_value(&[])?;
    let over_channels = places.f_mean_dim([1i64].as_slice(), false, None)?;
    let places = places.f_sub(&places.f_mean_dim([0i64].as_slice(), true, None)?)?;
    let flat = match channels <= height * width {
        true => {
            let (_, vectors) = places.f_tr()?.f_matmul(&places)?.f_linalg_eigh("L")?;
            places.f_matmul(&vectors.f_select(1, channels - 1)?)?
        }
        false => {
            let gram = places.f_matmul(&places.f_tr()?)?;
            let (values, vectors) = gram.f_linalg_eigh("L")?;
            let last = height * width - 1;
            let scale = values.f_select(0, last)?.f_clamp_min(0.0)?.f_sqrt()?;
            vectors.f_select(1, last)?.f_mul(&scale)?
        }
    };
    let along = flat
        .f_mul(&over_channels.f_add_scalar(-mean)?)?
        .f_sum(Kind::Double)?
        .f_double_value(&[])?;
    let sign = if along < 0.0 { -1.0 } else { 1.0 };
    Ok(flat
        .f_mul_scalar(sign)?
        .f_to_kind(Kind::Float)?
        .f_view([height, width])?)
}
