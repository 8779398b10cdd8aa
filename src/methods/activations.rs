//! `activations`: what the channels of a layer answer to a picture.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::spec::LayerSelector;

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
        let layers = ["stage1", "stage2", "stage3", "stage4", "stage5"];
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
    /// So many, the strongest by mean activation first.
    Strongest(usize),
    /// These, in this order, counted from 0.
    Listed(Vec<usize>),
}
