//! `ablation_cam`: a layer's channels weighted by how much the logit falls without each of them (Desai & Ramaswamy
//! 2020,
//! <https://openaccess.thecvf.com/content_WACV_2020/html/Desai_Ablation-CAM_Visual_Explanations_for_Deep_Convolutional_Network_via_Gradient-free_Localization_WACV_2020_paper.html>).
//!
//! **What it shows.** The spatial positions of a layer that support a class, without any gradient: a channel counts by
//! how much the logit falls if it is removed.
//! **How it is computed.** The network is evaluated from the layer on, with one channel removed at a time. If the layer
//! has no negative values, a removed channel is 0, as in the paper; if it has, the channel is far below all of them
//! (their minimum minus 10⁷), so that a ReLU that follows returns 0, as in pytorch-grad-cam. With the logit `y`, and
//! `yₖ` without channel `k`, the weight is `(y − yₖ) / y`; the map is `ReLU(Σ weight · A)`, `[h, w]`, and the sum
//! before the ReLU is stored under `<key>/raw`.
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** Channels that can replace each other get no weight: removing one of two changes nothing. The weights have
//! no common scale for logits near 0, and the wrong sign for a negative logit.
//! **Options.** `layers`.
//! **Cost.** The rest of the network once for each channel of the layer: little after the last convolution, much after
//! an early one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::forward_backward::BackwardPass;
use super::layer_constructors::at_layers;
use super::method::{ClassMethod, ManyInputs, Method, MethodInfo, PassCount, ResultKind};
use super::method_output::MethodOutput;
use super::{batched, cam};
use crate::error::Result;
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;
use crate::network::{LayerSelector, NodeValues};

/// The layers of the maps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AblationCam {
    /// The layers, by selector; they must have height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for AblationCam {
    fn default() -> Self {
        AblationCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

at_layers!(AblationCam);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "ablation_cam",
    title: "Ablation-CAM",
    summary: "channels weighted by how much the logit falls without each of them (Desai & Ramaswamy 2020)",
    read: "As Grad-CAM, but each channel is weighted by how much the logit falls when the channel is set to zero, without any gradient.",
    limit: "Channels that can replace each other get no weight, and it is as coarse as its layer.",
    result: ResultKind::Map,
    papers: &[
        "Desai, S., and Ramaswamy, H. G. (2020). Ablation-CAM: visual explanations for deep convolutional network via gradient-free localization. WACV",
    ],
};

/// How far below a layer's smallest value a removed channel is, if the layer has negative values.
const REMOVED: f64 = 1e7;

impl Method for AblationCam {
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

impl ClassMethod for AblationCam {
    fn passes(&self, info: &[NodeInfo], layers: &[NodeId]) -> PassCount {
        let channels = |layer: &NodeId| info[*layer].shape.first().copied().unwrap_or(0);
        PassCount {
            forward: layers.iter().map(channels).sum::<i64>() as usize,
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
        let whole = pass.target_value()?;
        for &layer in layers {
            let ablated = ablated_values(pass, layer)?;
            let weights = ablated.f_neg()?.f_add_scalar(whole)?.f_div_scalar(whole)?;
            let weights = weights.f_view([1, -1, 1, 1])?;
            cam::add_maps(INFO.key, pass, &[layer], out, |values, _| {
                Ok(values.f_mul(&weights)?)
            })?;
        }
        Ok(())
    }
}

/// The target's value without each channel of the layer, `[C]`.
fn ablated_values(pass: &BackwardPass, layer: NodeId) -> Result<Tensor> {
    let network = &pass.model().network;
    let value = pass.value(layer)?;
    let values = pass.map(layer)?;
    let input = pass.input()?;
    let lowest = values.f_min()?.f_double_value(&[])?;
    let removed = if lowest < 0.0 { lowest - REMOVED } else { 0.0 };
    let bypassing = batched::bypassing_nodes(network.graph(), layer);
    let mut bypassing_values = NodeValues::new();
    if !bypassing.is_empty() {
        bypassing_values = tch::no_grad(|| network.for_passes().forward(&input, &bypassing))?;
    }
    let channels: Vec<i64> = (0..values.size()[1]).collect();
    let mut ablated_values = Vec::new();
    for batch in channels.chunks(batched::batch_size(&input)) {
        let count = batch.len() as i64;
        let ablated = values.f_repeat([count, 1, 1, 1])?;
        for (copy, channel) in batch.iter().enumerate() {
            let _ = ablated
                .f_select(0, copy as i64)?
                .f_select(0, *channel)?
                .f_fill_(removed)?;
        }
        let ablated = pass.model().value_of_map(layer, &ablated, &value)?;
        let mut given = NodeValues::from([(layer, ablated)]);
        for (id, value) in &bypassing_values {
            let mut repeats = vec![1; value.dim()];
            repeats[network.graph().node(*id).batch.0] = count;
            given.insert(*id, value.f_repeat(repeats)?);
        }
        let target = &pass.target;
        let found = tch::no_grad(|| network.for_passes().forward_from(&given, &[target.node]))?;
        ablated_values.push(target.values(pass.model(), found.value(target.node)?)?);
    }
    Ok(Tensor::f_cat(&ablated_values, 0)?)
}
