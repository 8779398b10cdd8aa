//! `tsne`: what lies near what for a network (van der Maaten & Hinton 2008,
//! <https://www.jmlr.org/papers/v9/vandermaaten08a.html>; Karpathy's cnnembed).
//!
//! **What it shows.** A layer turns every image into a code, some thousand numbers. The map lays the images
//! of a collection out flat so that those with similar codes stand together: what the network takes for alike.
//! **How it is computed.** The layer's values are the code; of a layer with places their mean over the
//! places. Codes are brought to their first 50 principal components, and these to two dimensions by t-SNE: Barnes–Hut,
//! the first two components as the initial layout, a learning rate of n / 48 and no less than 5, 250
//! steps of 12-fold exaggeration. The grid gives every image a cell of its own near its point: the
//! assignment with the least sum of squared distances (beyond 1600 images, of evenly spread ones).
//! **How to read it.** Near each other means alike for the network. With the map stands what it is worth:
//! the Kullback–Leibler divergence that the descent reached (of P over each image's 3 · perplexity nearest, exact);
//! trustworthiness, whether neighbours on the map are neighbours among the codes; and whether the
//! nearest neighbours agree on the class, among the codes and on the map, beside what naming the most frequent
//! class would reach. At most eight classes are told apart by themselves; ImageNet's by eight groups.
//! **What it can't show.** Distances between clusters, their sizes and how dense they are mean nothing: t-SNE keeps
//! neighbourhoods only. Another seed or perplexity gives another map of the same codes.
//! **Options.** `layers`, `perplexity`, `epochs`, `neighbours`. **Cost.** One forward pass an image;
//! memory for the codes and a thumbnail of each (15 kB an image for 2048 numbers); then about a second for 1000 images.

mod affinities;
mod collector;
mod descent;
mod divergence;
mod grid;
mod groups;
mod pca;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Collector, LoadedModel, Method, MethodInfo, CollectionMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

pub use affinities::Affinities;
pub use collector::THUMBNAIL;
pub use descent::{descend, layout};
pub use divergence::divergence;
pub use grid::{grid, sides};
pub use groups::GroupKey;
pub use pca::{Components, components};

/// Fewer images have no neighbourhoods to speak of.
const FEWEST: usize = 10;

/// Whose codes, and how they are laid out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Tsne {
    /// The layers whose codes are mapped, by selector; of a layer with places, the mean over them.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// About how many neighbours each image attends to: above 1, at most a third of the other images.
    /// `auto` is 30, or that third where it is less.
    pub perplexity: Perplexity,
    /// Steps of the descent, 1 or more.
    #[schemars(range(min = 1, max = 100_000))]
    pub epochs: usize,
    /// How many nearest neighbours vote for an image's class, fewer than there are images.
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

/// A number of neighbours, or `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`auto`, or a number above 1")]
pub enum Perplexity {
    /// What fits the number of images.
    Auto(Auto),
    /// So many.
    Number(f64),
}

/// The word `auto`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Auto {
    /// The method chooses.
    Auto,
}

impl Perplexity {
    /// The number for `count` images.
    fn of(self, count: usize) -> f64 {
        match self {
            Perplexity::Number(number) => number,
            Perplexity::Auto(_) => most(count).min(30.0),
        }
    }
}

/// The largest perplexity that `count` images allow: the affinities reach three times as far.
fn most(count: usize) -> f64 {
    count.saturating_sub(1) as f64 / 3.0
}

super::at_layers::at_layers!(Tsne);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "tsne",
    title: "Maps of codes (t-SNE)",
    summary: "a map of a collection's images by their codes at a layer, with measures of its quality (van der Maaten & Hinton 2008)",
    read: "Images near each other on the map are similar for the network; an island of one colour is a class or group that the network separates from the rest.",
    limit: "Distances between islands, their sizes and how dense they are mean nothing; another seed gives another map of the same codes.",
    papers: &[
        "van der Maaten, L., and Hinton, G. (2008). Visualizing data using t-SNE. Journal of Machine Learning Research 9",
        "van der Maaten, L. (2014). Accelerating t-SNE using tree-based algorithms. Journal of Machine Learning Research 15",
    ],
};

impl Method for Tsne {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn spatial(&self) -> bool {
        false
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        let wrong =
            |message: String, help: &str| Err(Error::new(ErrorKind::Network, message).help(help));
        match self.perplexity {
            Perplexity::Number(number) if !(number > 1.0 && number.is_finite()) => {
                return wrong(
                    format!("a perplexity of {number} is no neighbourhood"),
                    "it is a number of neighbours: above 1, or `auto`",
                );
            }
            _ => {}
        }
        if !(1..=100_000).contains(&self.epochs) {
            let message = format!("{} epochs make no map", self.epochs);
            return wrong(message, "1000 do; it goes from 1 to 100000");
        }
        if self.neighbours == 0 {
            return wrong("no neighbour votes".into(), "`neighbours` is 1 or more");
        }
        Ok(())
    }

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

impl CollectionMethod for Tsne {
    fn check_collection(&self, count: usize) -> Result<()> {
        let wrong =
            |message: String, help: String| Err(Error::new(ErrorKind::Spec, message).help(help));
        if count < FEWEST {
            return wrong(
                format!("a map of {count} images has no neighbourhoods to show"),
                format!("give `collection` at least {FEWEST} images; some hundred make a good map"),
            );
        }
        let perplexity = self.perplexity.of(count);
        if perplexity > most(count) {
            return wrong(
                format!("a perplexity of {perplexity} is too large for {count} images"),
                format!(
                    "at most a third of the other images, {}; `auto` takes {}",
                    (most(count) * 10.0).floor() / 10.0,
                    (Perplexity::Auto(Auto::Auto).of(count) * 10.0).floor() / 10.0,
                ),
            );
        }
        if self.neighbours >= count {
            return wrong(
                format!(
                    "{} neighbours can't vote among {count} images",
                    self.neighbours
                ),
                "`neighbours` is at most one less than there are images; 5 is usual".into(),
            );
        }
        Ok(())
    }

    fn collector<'a>(
        &'a self,
        subject: &'a LoadedModel,
        layers: &[NodeId],
    ) -> Result<Box<dyn Collector + 'a>> {
        Ok(Box::new(collector::Looking::new(
            self, subject, layers,
        )))
    }
}
