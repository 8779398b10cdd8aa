//! The options of `atlas`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::methods::tsne::{Auto, Perplexity};
use crate::network::LayerSelector;

/// The layers whose codes are mapped, and the options of the map.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Atlas {
    /// The layers whose codes are mapped, by selector. The code of a layer with spatial positions is the mean over them.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// The effective number of neighbours of each image: above 1, at most a third of the other images. `auto` is 30, or
    /// that third where it is less.
    pub perplexity: Perplexity,
    /// Steps of gradient descent.
    #[schemars(range(min = 1, max = 100_000))]
    pub epochs: usize,
    /// How many of its nearest images are kept of each image, fewer than there are images.
    #[schemars(range(min = 1, max = 30))]
    pub neighbours: usize,
}

impl Default for Atlas {
    fn default() -> Self {
        Atlas {
            layers: vec![LayerSelector("penultimate".into())],
            perplexity: Perplexity::Auto(Auto::Auto),
            epochs: 750,
            neighbours: 8,
        }
    }
}
