//! `eigen_cam`: the first principal component of a layer's channels (Muhammad & Yeasin 2020,
//! <https://arxiv.org/abs/2008.00299>).
//!
//! **What it shows.** The pattern that explains most of how a layer's channels vary over the spatial positions: what is
//! conspicuous in the image for the layer, whatever the class.
//! **How it is computed.** The layer's activations, `[C, h, w]`, less each channel's mean over the spatial positions,
//! are projected on their first principal component. Its sign, which a component does not determine, is chosen so that
//! the projection correlates positively with the mean over the channels. The projection is stored under `<key>/raw`;
//! the map is its positive part, `[h, w]`.
//! **How to read it.** Bright positions differ most from the others in this layer.
//! **What it can't show.** It depends on no class, so it is the same for all. It can't show anything finer than the layer's
//! positions.
//! **Options.** `layers`.
//! **Cost.** An eigendecomposition for each layer, of a matrix as large as its channels or its positions, whichever are
//! fewer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::forward_backward::ForwardPass;
use super::layer_constructors::at_layers;
use super::method::{ImageMethod, Method, MethodInfo, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

/// The layers of the maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct EigenCam {
    /// The layers, by selector; they must have height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for EigenCam {
    fn default() -> Self {
        EigenCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(EigenCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "eigen_cam",
    title: "Eigen-CAM",
    summary: "the first principal component of a layer's channels (Muhammad & Yeasin 2020)",
    read: "Bright positions differ most from the rest of the layer: the map is the first principal component of its channels over the positions.",
    limit: "It depends on no class, so the map is the same for all of them; it shows what is conspicuous, not what decides.",
    result: ResultKind::Map,
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
            let values = pass.map(layer)?.f_detach()?.f_squeeze_dim(0)?;
            let projection = first_component(&values)?;
            let key = pass.key(INFO.key, Some(layer));
            out.tensor(&format!("{key}/raw"), &projection)?;
            let content = out.map(&key, &projection.f_relu()?, false)?;
            out.figures
                .push(pass.figure(INFO.key, Some(layer), content));
        }
        Ok(())
    }
}

/// `values`, `[C, h, w]`, projected on their first principal component: `[h, w]`, zeros where all positions are equal.
fn first_component(values: &Tensor) -> Result<Tensor> {
    let (channels, height, width) = values.size3()?;
    // Positions by channels, in double precision.
    let positions = values
        .f_view([channels, height * width])?
        .f_tr()?
        .f_to_kind(Kind::Double)?;
    let mean = positions.f_mean(Kind::Double)?.f_double_value(&[])?;
    let channel_means = positions.f_mean_dim([1i64].as_slice(), false, None)?;
    let centred = positions.f_sub(&positions.f_mean_dim([0i64].as_slice(), true, None)?)?;
    // Both Gram matrices have the same nonzero eigenvalues; the smaller one is decomposed.
    let projection = if channels <= height * width {
        let (_, vectors) = centred.f_tr()?.f_matmul(&centred)?.f_linalg_eigh("L")?;
        centred.f_matmul(&vectors.f_select(1, channels - 1)?)?
    } else {
        let gram = centred.f_matmul(&centred.f_tr()?)?;
        let (eigenvalues, vectors) = gram.f_linalg_eigh("L")?;
        let last = height * width - 1;
        let scale = eigenvalues.f_select(0, last)?.f_clamp_min(0.0)?.f_sqrt()?;
        vectors.f_select(1, last)?.f_mul(&scale)?
    };
    let covariance = projection
        .f_mul(&channel_means.f_add_scalar(-mean)?)?
        .f_sum(Kind::Double)?
        .f_double_value(&[])?;
    let sign = if covariance < 0.0 { -1.0 } else { 1.0 };
    Ok(projection
        .f_mul_scalar(sign)?
        .f_to_kind(Kind::Float)?
        .f_view([height, width])?)
}
