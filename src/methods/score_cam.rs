//! `score_cam`: a layer's channels weighted by the network's logit for the image masked by each of them (Wang et al.
//! 2020, <https://arxiv.org/abs/1910.01279>).
//!
//! **What it shows.** The spatial positions of a layer that support a class, without any gradient: a channel counts if
//! the network still recognises the class in the pixels that the channel leaves visible.
//! **How it is computed.** Each channel is enlarged to the input (bilinearly, corners aligned), scaled to 0…1 and
//! multiplied with the preprocessed image; the class's logit for the product is the channel's score, and the softmax of
//! the scores over the channels is its weight. The map is `ReLU(Σ weight · A)`, `[h, w]`; the sum before the ReLU is
//! stored under `<key>/raw`. With `channels`, only so many of the layer's channels, those of the largest magnitude, are
//! evaluated (as in Faster Score-CAM).
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** Anything finer than the layer's positions. The softmax of logits that differ by tens gives
//! nearly all weight to one channel, and the map is then that channel.
//! **Options.** `layers`, `channels`.
//! **Cost.** One forward pass for each channel: 2048 for the last layer of ResNet-50.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::forward_backward::BackwardPass;
use super::layer_constructors::at_layers;
use super::method::{ClassMethod, ManyInputs, Method, MethodInfo, PassCount, ResultKind};
use super::method_output::MethodOutput;
use super::{batched, cam};
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;

/// The layers of the maps, and the number of their channels that are evaluated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreCam {
    /// The layers, by selector; they must have height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// The number of channels that are evaluated, those of the largest magnitude; all if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub channels: Option<usize>,
}

impl Default for ScoreCam {
    fn default() -> Self {
        ScoreCam {
            layers: vec![LayerSelector("last".into())],
            channels: None,
        }
    }
}

at_layers!(ScoreCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "score_cam",
    title: "Score-CAM",
    summary: "channels weighted by the logit of the image masked by each of them, without gradients (Wang et al. 2020)",
    read: "As Grad-CAM, but each channel is weighted by the logit of the photo masked by it, without any gradient.",
    limit: "The weights are a softmax of logits, so a single channel may decide nearly alone; and it is as coarse as its layer.",
    result: ResultKind::Map,
    papers: &[
        "Wang, H., Wang, Z., Du, M., Yang, F., Zhang, Z., Ding, S., Mardziel, P., and Hu, X. (2020). Score-CAM: score-weighted visual explanations for convolutional neural networks. CVPR Workshops. arXiv:1910.01279",
    ],
};

/// Keeps the scaling of a constant channel finite.
const EPSILON: f64 = 1e-8;

impl Method for ScoreCam {
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

impl ClassMethod for ScoreCam {
    fn passes(&self, info: &[NodeInfo], layers: &[NodeId]) -> PassCount {
        let channels = |layer: &NodeId| info[*layer].shape.first().map_or(0, |c| *c as usize);
        let evaluated = |layer: &NodeId| channels(layer).min(self.channels.unwrap_or(usize::MAX));
        PassCount {
            forward: layers.iter().map(evaluated).sum(),
            backward: 0,
        }
    }

    fn many_inputs(&self) -> Option<ManyInputs> {
        Some(ManyInputs::Passes)
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        for &layer in layers {
            let weights = self.weights(pass, &pass.map(layer)?)?;
            let weights = weights.f_view([1, -1, 1, 1])?;
            cam::add_maps(INFO.key, pass, &[layer], out, |values, _| {
                Ok(values.f_mul(&weights)?)
            })?;
        }
        Ok(())
    }
}

impl ScoreCam {
    /// The weight of each channel of `values`, `[1, C, h, w]`: `[C]`, 0 for those that are not evaluated.
    fn weights(&self, pass: &BackwardPass, values: &Tensor) -> Result<Tensor> {
        let input = pass.input()?;
        let (_, _, height, width) = input.size4()?;
        let channels = values.size()[1];
        let magnitudes = values.f_abs()?.f_amax([2i64, 3], false)?.f_squeeze_dim(0)?;
        let count = self
            .channels
            .map_or(channels, |count| channels.min(count as i64));
        let order = magnitudes
            .f_argsort_stable(true, 0, true)?
            .f_narrow(0, 0, count)?;
        let mut scores = Vec::new();
        let size = batched::batch_size(&input) as i64;
        for start in (0..count).step_by(size as usize) {
            let batch = order.f_narrow(0, start, size.min(count - start))?;
            let masks = values
                .f_index_select(1, &batch)?
                .f_transpose(0, 1)?
                .f_upsample_bilinear2d([height, width], true, None, None)?;
            let low = masks.f_amin([2i64, 3], true)?;
            let range = masks.f_amax([2i64, 3], true)?.f_sub(&low)?;
            let masks = masks.f_sub(&low)?.f_div(&range.f_add_scalar(EPSILON)?)?;
            let inputs = input.f_mul(&masks)?;
            scores.push(batched::target_values(pass.model(), &inputs, &pass.target)?);
        }
        let weights = Tensor::f_cat(&scores, 0)?.f_softmax(0, None::<Kind>)?;
        Ok(magnitudes
            .f_zeros_like()?
            .f_index_copy(0, &order, &weights)?)
    }
}
