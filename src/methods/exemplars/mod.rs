//! `exemplars`: the patches of a large set of images for which a unit has its largest activations (Girshick et al. 2014,
//! <https://arxiv.org/abs/1311.2524>).
//!
//! **What it shows.** What a unit (a channel of a layer) responds to: the images for which its activation is largest, cut to
//! its receptive field.
//! **How it is computed.** One forward pass for each image of the collection. For every unit the spatial positions with the
//! largest activations are kept, at most `per_image` of each image. At the end the receptive field of each is cut out of the
//! view: a receptive field that crosses the border is shifted inside; if it is larger than the view, the whole view is shown,
//! as for layers without spatial positions. Beside the patches are the largest activation projected to the pixels
//! ([`deconvnet`](super::deconvnet)) and an image made for the unit by gradient ascent ([`super::maximize`]).
//! **How to read it.** What a unit's patches have in common is what it may represent; the values say how fast the activation
//! falls from the largest.
//! **What it can't show.** Weaker patterns that also activate the unit are missing. A patch shows all pixels that *can* change
//! the activation, while mostly those at its centre do.
//! **Options.** `layers`; `units` (a number drawn with the seed, a list, or those of a class); `top`; `per_image`;
//! `maximize`, the steps of the ascent.
//! **Cost.** One forward pass for each image; then `maximize` forward and backward passes for each unit at 128 × 128. Memory
//! does not grow with the collection.

mod exemplar_collector;
mod options;
mod top_activations;

use super::{CollectionMethod, Collector, LoadedModel, Method, MethodInfo, ResultKind, Scratch};
use crate::error::Result;
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

pub use options::Exemplars;

super::layer_constructors::at_layers!(Exemplars);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "exemplars",
    title: "Exemplars",
    summary: "the patches of a large set of images that activate a unit most (Girshick et al. 2014), with the best one propagated back to the pixels and an image that maximises the unit",
    read: "For each unit, the patches of the collection with its largest activations, each cropped to the receptive field of its strongest position, the strongest first; what they have in common is what the unit may detect.",
    limit: "A unit also has weaker activations for other things, and mostly the middle of its patch counts; where the receptive field is as large as the image, the patch is the image.",
    result: ResultKind::Patches,
    papers: &[
        "Girshick, R., Donahue, J., Darrell, T., and Malik, J. (2014). Rich feature hierarchies for accurate object detection and semantic segmentation. CVPR. arXiv:1311.2524",
    ],
};

impl Method for Exemplars {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn spatial(&self) -> bool {
        false
    }

    fn classes(&self) -> Vec<String> {
        self.units.class().into_iter().collect()
    }

    fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        self.units.check(graph, info, layers)
    }

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

impl CollectionMethod for Exemplars {
    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        _scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        let collector = exemplar_collector::ExemplarCollector::new(self, model, layers)?;
        Ok(Box::new(collector))
    }
}
