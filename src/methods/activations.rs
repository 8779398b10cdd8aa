//! `activations`: the activations of a layer's channels for an image.
//!
//! **What it shows.** Where each channel of a layer is active: early layers have few, large maps, late ones many small
//! ones.
//! **How it is computed.** The layer's values for the image, `[C, h, w]`, as they leave the node (before a batch norm
//! or ReLU that follows it). The chosen channels, `[k, h, w]`, are stored as they are.
//! **How to read it.** Bright positions are where the channel is active; a dark channel is active nowhere.
//! **What it can't show.** It can't show for which other images the channel is active, or how later layers use it.
//! **Options.** `layers`; `channels`, how many (those with the largest mean) or which.
//! **Cost.** None besides the forward pass that all methods share.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::forward_backward::ForwardPass;
use super::layer_constructors::at_layers;
use super::method::{ImageMethod, Method, MethodInfo, ResultKind};
use super::method_output::{MethodOutput, to_floats};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::Content;
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// The layers, and which of their channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Activations {
    /// The layers to show, by selector.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// How many channels (those with the largest mean), or a list of channels.
    pub channels: Channels,
}

impl Default for Activations {
    fn default() -> Self {
        let layers = ["stage1", "stage2", "stage3", "stage4", "last"];
        Activations {
            layers: layers.map(|name| LayerSelector(name.into())).to_vec(),
            channels: Channels::Strongest(16),
        }
    }
}

/// A number of channels, or a list of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number of channels, or a list of channel numbers"
)]
pub enum Channels {
    /// So many, the strongest first.
    Strongest(#[schemars(range(min = 1))] usize),
    /// These, in this order, counted from 0.
    Listed(#[schemars(length(min = 1))] Vec<usize>),
}

at_layers!(Activations);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "activations",
    title: "Activations",
    summary: "the activations of a layer's channels, as a mosaic and laid over the photo",
    read: "Each tile is one channel of the layer: bright where the channel is active, and all tiles of a layer share one scale. The overlay shows the mean of the channels shown over the photo.",
    limit: "A bright position shows that the channel is active there, not that the activation matters to the decision, and a few channels do not represent the layer.",
    result: ResultKind::Channels,
    papers: &[
        "Zeiler, M. D., and Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV. arXiv:1311.2901",
    ],
};

impl Method for Activations {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        self.channels.check(graph, info, layers)
    }

    fn for_image(&self) -> Option<&dyn ImageMethod> {
        Some(self)
    }
}

impl ImageMethod for Activations {
    fn image_figures(
        &self,
        pass: &ForwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        for &layer in layers {
            let values = pass.map(layer)?.f_detach()?.f_squeeze_dim(0)?;
            let means = values.f_mean_dim([1i64, 2].as_slice(), false, Kind::Float)?;
            let means = to_floats(&means)?;
            let channels = self.channels.choose(&means);
            let index: Vec<i64> = channels.iter().map(|&channel| channel as i64).collect();
            let index = Tensor::from_slice(&index).f_to_device(values.device())?;
            let chosen = values.f_index_select(0, &index)?;
            let key = pass.key(INFO.key, Some(layer));
            let (minimum, maximum) = out.tensor(&key, &chosen)?;
            let content = Content::Channels {
                tensor: key,
                means: channels.iter().map(|&channel| means[channel]).collect(),
                channels,
                total: means.len(),
                minimum,
                maximum,
            };
            out.figures
                .push(pass.figure(INFO.key, Some(layer), content));
        }
        Ok(())
    }
}

impl Channels {
    /// Checks a list of channels before anything runs.
    ///
    /// # Errors
    /// If one is in the list twice, or a layer doesn't have one.
    pub fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        let wrong =
            |message: String, help: String| Err(Error::new(ErrorKind::Network, message).help(help));
        let Channels::Listed(list) = self else {
            return Ok(());
        };
        for (index, channel) in list.iter().enumerate() {
            if list[..index].contains(channel) {
                let message = format!("channel {channel} is in the list twice");
                return wrong(message, "keep one of them".into());
            }
        }
        for &layer in layers {
            let count = info[layer].shape[0];
            if let Some(channel) = list.iter().find(|&&channel| channel as i64 >= count) {
                let name = &graph.node(layer).name;
                return wrong(
                    format!("`{name}` has no channel {channel}"),
                    format!("it has {count}, counted from 0: 0 to {}", count - 1),
                );
            }
        }
        Ok(())
    }

    /// The indices of the channels, given the strength of each of the layer's channels.
    pub fn choose(&self, strengths: &[f32]) -> Vec<usize> {
        match self {
            Channels::Listed(list) => list.clone(),
            Channels::Strongest(count) => {
                let mut order: Vec<usize> = (0..strengths.len()).collect();
                order.sort_by(|&a, &b| strengths[b].total_cmp(&strengths[a]).then(a.cmp(&b)));
                order.truncate(*count);
                order
            }
        }
    }
}
