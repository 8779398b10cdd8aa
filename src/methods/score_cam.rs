//! `score_cam`: a layer's channels weighed by what the network says of the picture seen through each (Wang et al.
//! 2020, <https://arxiv.org/abs/1910.01279>).
//!
//! **What it shows.** The places of a layer that speak for a class, without any gradient: a channel counts if the network still
//! finds the class in what the channel lets through.
//! **How it is computed.** Each channel is enlarged to the input (bilinearly, corners on corners), brought to 0…1 and multiplied with the preprocessed picture; the
//! class's logit for that is its score, and the softmax of the scores over the channels is its weight. The map is `ReLU(Σ weight · A)`, `[h, w]`;
//! the sum before the ReLU is kept under `<key>/raw`. With `channels`, only so many of the layer's channels, those of the largest
//! magnitude, are tried (as in Faster Score-CAM).
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** More than the layer's places. The softmax of logits that differ by tens is nearly one channel alone, and
//! the map is then that channel.
//! **Options.** `layers`, `channels`. **Cost.** One forward pass a channel: 2048 of them for ResNet-50's last layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{BackwardPass, Method, MethodOutput, PassCount, batched, cam, MethodInfo, ClassMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// On which layers, and with how many of their channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ScoreCam {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
    /// Of how many channels, those of the largest magnitude; absent: of all.
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

super::at_layers::at_layers!(ScoreCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "score_cam",
    title: "Score-CAM",
    summary: "channels weighted by the logit of the image masked by each of them, without gradients (Wang et al. 2020)",
    read: "As Grad-CAM, but each channel is weighted by the logit of the photo masked by it, without any gradient.",
    limit: "The weights are a softmax of logits, so a single channel may decide nearly alone; and it is as coarse as its layer.",
    papers: &[
        "Wang, H., Wang, Z., Du, M., Yang, F., Zhang, Z., Ding, S., Mardziel, P., and Hu, X. (2020). Score-CAM: score-weighted visual explanations for convolutional neural networks. CVPR Workshops. arXiv:1910.01279",
    ],
};

impl Method for ScoreCam {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        match self.channels {
            Some(0) => Err(Error::new(ErrorKind::Network, "no channel would be tried")
                .help("`channels` is 1 or more; leave it out for all")),
            _ => Ok(()),
        }
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for ScoreCam {
    fn passes(&self, info: &[NodeInfo], layers: &[NodeId]) -> PassCount {
        let all = |layer: &NodeId| info[*layer].shape.first().map_or(0, |c| *c as usize);
        let tried = |layer: &NodeId| all(layer).min(self.channels.unwrap_or(usize::MAX));
        PassCount {
            forward: layers.iter().map(tried).sum(),
            backward: 0,
        }
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        for &layer in layers {
            let values = pass.pass.value(layer)?.f_detach()?;
            let weights = self.weights(pass, &values)?.f_view([1, -1, 1, 1])?;
            cam::draw("score_cam", pass, &[layer], out, |values, _| {
                Ok(values.f_mul(&weights)?)
            })?;
        }
        Ok(())
    }
}

impl ScoreCam {
    /// A weight for each channel of `values`, `[1, C, h, w]`; 0 for those that are not tried.
    fn weights(&self, pass: &BackwardPass, values: &Tensor) -> Result<Tensor> {
        let input = pass.pass.input.f_detach()?;
        let (height, width) = (input.size()[2], input.size()[3]);
        let count = values.size()[1];
        let largest = values.f_abs()?.f_amax([2i64, 3], false)?.f_squeeze_dim(0)?;
        let tried = self.channels.map_or(count, |most| count.min(most as i64));
        let order = largest
            .f_argsort_stable(true, 0, true)?
            .f_narrow(0, 0, tried)?;
        let mut scores = Vec::new();
        let size = batched::batch(&input) as i64;
        for start in (0..tried).step_by(size as usize) {
            let some = order.f_narrow(0, start, size.min(tried - start))?;
            let masks = values
                .f_index_select(1, &some)?
                .f_transpose(0, 1)?
                .f_upsample_bilinear2d([height, width], true, None, None)?;
            let low = masks.f_amin([2i64, 3], true)?;
            let range = masks.f_amax([2i64, 3], true)?.f_sub(&low)?;
            let masks = masks.f_sub(&low)?.f_div(&range.f_add_scalar(1e-8)?)?;
            let inputs = input.f_mul(&masks)?;
            scores.push(batched::logits(
                pass.pass.subject,
                &inputs,
                pass.class.index,
            )?);
        }
        let shares = Tensor::f_cat(&scores, 0)?.f_softmax(0, Kind::Float)?;
        Ok(largest.f_zeros_like()?.f_index_copy(0, &order, &shares)?)
    }
}
