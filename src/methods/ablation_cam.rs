//! `ablation_cam`: a layer's channels weighed by what the logit loses without each (Ramaswamy et al. 2020,
//! <https://openaccess.thecvf.com/content_WACV_2020/html/Desai_Ablation-CAM_Visual_Explanations_for_Deep_Convolutional_Network_via_Gradient-free_Localization_WACV_2020_paper.html>).
//!
//! **What it shows.** The places of a layer that speak for a class, without any gradient: each channel counts by the damage its
//! loss does.
//! **How it is computed.** The network runs on from the layer with one channel silenced at a time. Where the layer has no negative values
//! silence is 0, as in the paper; where it has, it is far below all of them (their minimum less 10⁷), so that a ReLU behind lets
//! nothing through, as pytorch-grad-cam does it. With the logit `y` and `yₖ` without channel `k`, the weight is
//! `(y − yₖ) / y`; the map is `ReLU(Σ weight · A)`, `[h, w]`, the sum before the ReLU is kept under `<key>/raw`.
//! **How to read it.** As Grad-CAM.
//! **What it can't show.** Channels that stand in for each other: losing one of two costs nothing. The weights' scale is lost where the
//! logit is near 0, and turns round where it is negative.
//! **Options.** `layers`. **Cost.** The rest of the network once for every channel of the layer: little behind the last convolution,
//! much behind an early one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{BackwardPass, Method, MethodOutput, PassCount, batched, cam, MethodInfo, ClassMethod};
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::NodeValues;
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;

/// On which layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AblationCam {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
}

impl Default for AblationCam {
    fn default() -> Self {
        AblationCam {
            layers: vec![LayerSelector("last".into())],
        }
    }
}

/// How far below all values a channel is put where silence is not 0.
const FAR: f64 = 1e7;

super::at_layers::at_layers!(AblationCam);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "ablation_cam",
    title: "Ablation-CAM",
    summary: "channels weighted by how much the logit falls without each of them (Desai & Ramaswamy 2020)",
    read: "As Grad-CAM, but each channel is weighted by how much the logit falls when the channel is set to zero, without any gradient.",
    limit: "Channels that can replace each other get no weight, and it is as coarse as its layer.",
    papers: &[
        "Desai, S., and Ramaswamy, H. G. (2020). Ablation-CAM: visual explanations for deep convolutional network via gradient-free localization. WACV",
    ],
};

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

    fn class_figures(
        &self,
        pass: &BackwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let graph = pass.pass.subject.network.graph();
        let logits = pass.pass.value(graph.output())?;
        let whole = logits.f_double_value(&[0, pass.class.index as i64])?;
        for &layer in layers {
            let values = pass.pass.value(layer)?.f_detach()?;
            let without = without(pass, layer, &values)?;
            let weights = without.f_neg()?.f_add_scalar(whole)?.f_div_scalar(whole)?;
            let weights = weights.f_view([1, -1, 1, 1])?;
            cam::draw("ablation_cam", pass, &[layer], out, |values, _| {
                Ok(values.f_mul(&weights)?)
            })?;
        }
        Ok(())
    }
}

/// The class's logit without each channel of the layer, `[C]`.
fn without(pass: &BackwardPass, layer: NodeId, values: &Tensor) -> Result<Tensor> {
    let network = &pass.pass.subject.network;
    let output = network.graph().output();
    // Nodes from before the layer that a shortcut around it needs.
    let around = batched::around(network.graph(), layer);
    let lowest = values.f_min()?.f_double_value(&[])?;
    let silence = if lowest < 0.0 { lowest - FAR } else { 0.0 };
    let channels: Vec<i64> = (0..values.size()[1]).collect();
    let first = pass.pass.input;
    let mut before = NodeValues::new();
    if !around.is_empty() {
        before = tch::no_grad(|| network.forward(&first.f_detach()?, &around))?;
    }
    let mut all = Vec::new();
    for some in channels.chunks(batched::batch(first)) {
        let count = some.len() as i64;
        let silenced = values.f_repeat([count, 1, 1, 1])?;
        for (copy, channel) in some.iter().enumerate() {
            let _ = silenced
                .f_select(0, copy as i64)?
                .f_select(0, *channel)?
                .f_fill_(silence)?;
        }
        let mut given = NodeValues::from([(layer, silenced)]);
        for (id, value) in &before {
            let mut shape = value.size();
            shape[0] = count;
            given.insert(*id, value.f_expand(shape.as_slice(), false)?);
        }
        let found = tch::no_grad(|| network.forward_from(&given, &[output]))?;
        let logits = found.value(output)?;
        all.push(logits.f_select(1, pass.class.index as i64)?);
    }
    Ok(Tensor::f_cat(&all, 0)?)
}
