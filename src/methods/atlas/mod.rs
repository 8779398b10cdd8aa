//! `atlas`: one zoomable map of all images of a collection for each network, by their codes at a layer, with the neighbours of
//! every image in every network.
//!
//! **What it shows.** What is similar for each network, for a hundred thousand images and more: islands of similar images, which
//! of them are classes, where each network errs, and where two networks differ. A click on an image shows its nearest images
//! among the codes of every network.
//! **How it is computed.** The code of an image is the layer's activation; the mean over the spatial positions if there are
//! any. Mean and covariance of the codes are summed in float64, and their first 50 principal components are mapped by
//! t-SNE (van der Maaten & Hinton 2008, <https://www.jmlr.org/papers/v9/vandermaaten08a.html>): up to 5000 images with exact
//! neighbours and Barnes–Hut; beyond, with neighbours from a forest of random projections (more than 96 % of the true ones
//! where it was measured) and with repulsion interpolated on a grid, as FIt-SNE does (Linderman et al. 2019,
//! <https://doi.org/10.1038/s41592-018-0308-4>). The cost grows about linearly.
//! **How to read it.** Near images are similar for the network. The page draws a point for each image and, as far as there is room
//! on the screen, thumbnails; nearer ones appear while zooming in. Colours show the class, whether each network is right, or
//! where two differ (the latter two with `evaluate`).
//! **What it can't show.** Distances between islands, their sizes and their densities mean nothing: t-SNE keeps neighbourhoods only.
//! Up to 5000 images have a thumbnail; of more images it is a random part, which the page tells, as it does where it leaves points
//! or neighbours out to stay small. Trustworthiness and kNN accuracy are those of at most 2000 images.
//! **Options.** `layers`, `perplexity`, `epochs`, `neighbours`.
//! **Cost.** One forward pass for each image, which all methods about the collection share; a temporary file of the codes of all images,
//! and memory for 50 values of each; about a minute of two cores for 50 000 images.

mod atlas_collector;
mod code_chunks;
mod layer_atlas;
mod options;

use super::{CollectionMethod, Collector, LoadedModel, Method, MethodInfo, ResultKind, Scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::network::LayerSelector;
use crate::network::graph::NodeId;

pub use options::Atlas;

super::layer_constructors::at_layers!(Atlas);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "atlas",
    title: "Atlas of the collection",
    summary: "a zoomable map of all images of a collection for each network, with the neighbours of every image (Linderman et al. 2019)",
    read: "Images near each other are similar for the network; colours show classes, right and wrong answers, and where two networks differ.",
    limit: "Distances between islands, their sizes and how dense they are mean nothing; another seed gives another map of the same codes.",
    result: ResultKind::CodeMap,
    papers: &[
        "van der Maaten, L., and Hinton, G. (2008). Visualizing data using t-SNE. Journal of Machine Learning Research 9",
        "Linderman, G. C., Rachh, M., Hoskins, J. G., Steinerberger, S., and Kluger, Y. (2019). Fast interpolation-based t-SNE for improved visualization of single-cell RNA-seq data. Nature Methods 16",
    ],
};

impl Method for Atlas {
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

impl CollectionMethod for Atlas {
    fn check_collection(&self, count: usize) -> Result<()> {
        super::tsne::check_perplexity(self.perplexity, count)?;
        if self.neighbours >= count {
            let message = format!(
                "`neighbours` must be below the {count} images, got {}",
                self.neighbours
            );
            return Err(Error::new(ErrorKind::Spec, message).help("8 is usual"));
        }
        Ok(())
    }

    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        let collector = atlas_collector::AtlasCollector::new(self, model, layers, scratch)?;
        Ok(Box::new(collector))
    }
}
