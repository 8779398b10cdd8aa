//! `tsne`: a map of a collection's images in which images with similar codes are neighbours (van der Maaten & Hinton 2008,
//! <https://www.jmlr.org/papers/v9/vandermaaten08a.html>; Karpathy's cnnembed).
//!
//! **What it shows.** A layer turns every image into a code, a vector of some thousand values. The map lays the images of a
//! collection out in the plane so that those with similar codes are close: what is similar for the network.
//! **How it is computed.** The code of an image is the layer's activation; the mean over the spatial positions if there are
//! any. The first 50 principal components of the codes are mapped to two dimensions by t-SNE: Barnes–Hut, the first two
//! components as the initial layout, a learning rate of n / 48 and no less than 5, 250 steps of early exaggeration by 12. The
//! grid gives every image a cell of its own near its point: the assignment with the least sum of squared distances (beyond
//! 1600 images, of evenly spaced ones).
//! **How to read it.** Neighbours on the map are similar for the network. Three measures say how well the map represents the
//! codes: the Kullback–Leibler divergence that the descent reached (of P over each image's 3 · perplexity nearest
//! neighbours, exact); trustworthiness, whether neighbours on the map are neighbours among the codes; and the accuracy of a
//! kNN classifier of the class, among the codes and on the map, beside its chance level (predicting the most frequent
//! class). Up to eight classes are classified themselves, more classes of ImageNet by eight superclasses.
//! **What it can't show.** Distances between clusters, their sizes and their densities mean nothing: t-SNE keeps
//! neighbourhoods only. Another seed or perplexity gives another map of the same codes.
//! **Options.** `layers`, `perplexity`, `epochs`, `neighbours`.
//! **Cost.** One forward pass for each image; memory for the codes and a thumbnail of each (15 kB for each image with codes
//! of 2048 values); then about a second for 1000 images.

mod code_collector;
mod image_groups;
mod layer_map;
mod options;
mod superclasses;

use super::{CollectionMethod, Collector, LoadedModel, Method, MethodInfo, ResultKind, Scratch};
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

pub use code_collector::THUMBNAIL_SIDE;
pub(super) use code_collector::{code, thumbnail_preprocess};
pub(super) use image_groups::{ClassGroups, class_groups};
pub(super) use layer_map::{COMPONENTS, TRUSTWORTHINESS_NEIGHBOURS, check_perplexity};
pub use options::{Auto, Perplexity, Tsne};
pub use superclasses::Superclass;

super::layer_constructors::at_layers!(Tsne);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "tsne",
    title: "Maps of codes (t-SNE)",
    summary: "a map of a collection's images by their codes at a layer, with measures of its quality (van der Maaten & Hinton 2008)",
    read: "Images near each other on the map are similar for the network; an island of one colour is a class or group that the network separates from the rest.",
    limit: "Distances between islands, their sizes and how dense they are mean nothing; another seed gives another map of the same codes.",
    result: ResultKind::CodeMap,
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

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

impl CollectionMethod for Tsne {
    fn check_collection(&self, count: usize) -> Result<()> {
        layer_map::check_image_count(self, count)
    }

    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        let collector = code_collector::CodeCollector::new(self, model, layers, scratch)?;
        Ok(Box::new(collector))
    }
}
