//! `activations`: what the channels of a layer answer to a picture.
//!
//! **What it shows.** Where each channel of a layer finds what it looks for: early layers have few,
//! large maps, late ones many small ones.
//! **How it is computed.** The layer's values `[C, h, w]` at the picture, as they come out of the node
//! (before a following batch norm or ReLU if the node stands before one). The chosen channels
//! are kept, `[k, h, w]`, raw.
//! **How to read it.** A bright place is where the channel answers; a dark channel answers nowhere.
//! **What it can't show.** What the channel would answer to other pictures, or what the network makes
//! of it.
//! **Options.** `layers`; `channels`, how many (the strongest by mean) or which. **Cost.** None beyond
//! the forward pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{ForwardPass, Method, MethodOutput, to_array, MethodInfo, ImageMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::Content;
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// Which layers, and which of their channels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Activations {
    /// The layers to show, by selector.
    pub layers: Vec<LayerSelector>,
    /// How many channels (the strongest by mean), or a list of their numbers.
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

/// A number of channels, or which ones.
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

super::at_layers::at_layers!(Activations);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "activations",
    title: "Activations",
    summary: "the activations of a layer's channels, as a mosaic and laid over the photo",
    read: "Each tile is one channel of the layer: bright where the channel is active, and all tiles of a layer share one scale. The overlay shows the mean of the channels shown over the photo.",
    limit: "A bright position shows that the channel is active there, not that the activation matters to the decision, and a few channels do not represent the layer.",
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
            let values = pass.value(layer)?.f_detach()?.f_squeeze_dim(0)?;
            let all = to_array(&values.f_mean_dim([1i64, 2].as_slice(), false, Kind::Float)?)?;
            let all = all.floats().unwrap_or_default();
            let channels = self.channels.choose(all);
            let index: Vec<i64> = channels.iter().map(|&channel| channel as i64).collect();
            let chosen =
                values.f_index_select(0, &Tensor::from_slice(&index).to(values.device()))?;
            let layer_name = pass.subject.layer(layer);
            let key = format!(
                "{}/{}/activations/{layer_name}",
                pass.subject.id, pass.image
            );
            let (minimum, maximum) = out.tensor(&key, &chosen)?;
            let content = Content::Channels {
                tensor: key,
                means: channels.iter().map(|&channel| all[channel]).collect(),
                channels,
                total: all.len(),
                minimum,
                maximum,
            };
            out.figures
                .push(pass.figure("activations", Some(layer), content));
        }
        Ok(())
    }
}

impl Channels {
    /// Whether every layer has them.
    ///
    /// # Errors
    /// If none are asked for, one stands in the list twice, or a layer doesn't have one.
    pub fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        let refuse =
            |message: String, help: String| Err(Error::new(ErrorKind::Network, message).help(help));
        let list = match self {
            Channels::Strongest(0) => &[][..],
            Channels::Strongest(_) => return Ok(()),
            Channels::Listed(list) => list,
        };
        if list.is_empty() {
            return refuse(
                "no channels are asked for".into(),
                "ask for at least one".into(),
            );
        }
        for (at, channel) in list.iter().enumerate() {
            if list[..at].contains(channel) {
                let message = format!("channel {channel} stands in the list twice");
                return refuse(message, "keep one of them".into());
            }
        }
        for &layer in layers {
            let of = info[layer].shape[0];
            if let Some(channel) = list.iter().find(|&&channel| channel as i64 >= of) {
                let name = &graph.node(layer).name;
                return refuse(
                    format!("`{name}` has no channel {channel}"),
                    format!("it has {of}, counted from 0: 0 to {}", of - 1),
                );
            }
        }
        Ok(())
    }

    /// Which they are, given how strong each of the layer's is.
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
