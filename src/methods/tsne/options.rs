//! The options of `tsne`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::network::LayerSelector;

/// The layers whose codes are mapped, and the options of t-SNE.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tsne {
    /// The layers whose codes are mapped, by selector. The code of a layer with spatial positions is the mean over them.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// The effective number of neighbours of each image: above 1, at most a third of the other images. `auto` is 30, or
    /// that third where it is less.
    pub perplexity: Perplexity,
    /// Steps of gradient descent.
    #[schemars(range(min = 1, max = 100_000))]
    pub epochs: usize,
    /// The number of nearest neighbours of the kNN classifier, fewer than there are images.
    #[schemars(range(min = 1))]
    pub neighbours: usize,
}

impl Default for Tsne {
    fn default() -> Self {
        Tsne {
            layers: vec![LayerSelector("penultimate".into())],
            perplexity: Perplexity::Auto(Auto::Auto),
            epochs: 1000,
            neighbours: 5,
        }
    }
}

/// A perplexity, or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`auto`, or a number above 1")]
pub enum Perplexity {
    /// The usual perplexity for the number of images.
    Auto(Auto),
    /// A perplexity.
    Number(#[schemars(extend("exclusiveMinimum" = 1))] f64),
}

/// The value `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auto {
    /// The method chooses the value.
    Auto,
}

impl Perplexity {
    /// The perplexity for `count` images.
    pub(in crate::methods) fn value(self, count: usize) -> f64 {
        match self {
            Perplexity::Number(number) => number,
            Perplexity::Auto(_) => largest_perplexity(count).min(30.0),
        }
    }
}

/// The largest perplexity for `count` images: the affinities reach three times as many neighbours.
pub(super) fn largest_perplexity(count: usize) -> f64 {
    count.saturating_sub(1) as f64 / 3.0
}
