//! `maximize`: an image for which a unit's activation or a class's logit is as large as possible (Erhan et al. 2009;
//! Simonyan et al. 2013, <https://arxiv.org/abs/1312.6034>; Olah et al. 2017,
//! <https://distill.pub/2017/feature-visualization>).
//!
//! **What it shows.** What a unit (a channel of a layer) or a class depends on, without any photo.
//! **How it is computed.** Gradient ascent on an image `[3, size, size]`, 0…1. The objective is the mean of the channel over
//! its spatial positions (`at: channel`), its activation at the centre (`at: centre`), or the logit of the class. `by:
//! fourier` optimises a spectrum whose high frequencies are damped, mixes its three planes to colours that correlate as in
//! ImageNet, shifts, rotates and scales the image at random at every step, and takes steps of Adam. `by: pixels` starts
//! from the mean colour and optimises the pixels; the sum of their squared distances from it (colours 0…1), times `l2`, is
//! subtracted from the objective. If the layer is a ReLU, the gradient is that of its input: the gradient of a ReLU is 0 for
//! negative inputs. Stored under `<model>/maximize/<layer>/<unit>` and `<model>/maximize/<class>`.
//! **How to read it.** Patterns that repeat are what activates the unit. Below is the objective's value for the image,
//! without augmentation, and the largest value for an image of the collection (with `at: centre`: at its strongest
//! position): several times that value means that the ascent worked.
//! **What it can't show.** There are many such images: another seed gives another one. A value above those of all photos lies outside
//! of what the network was trained on.
//! **Options.** `layers`, `units`, `classes`, `at`, `by`, `size`, `steps`, `l2`.
//! **Cost.** `steps` forward and backward passes for each image; at 128 × 128 a third of one at 224 × 224. One forward pass
//! for each image of the collection.

mod adam;
mod augmentation;
mod gradient_ascent;
mod objective;
mod options;
mod parametrisation;
mod top_image_collector;

use super::{CollectionMethod, Collector, LoadedModel, Method, MethodInfo, ResultKind, Scratch};
use crate::error::{Error, ErrorKind, Result};
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::{self, NodeInfo};

pub use gradient_ascent::{AscentOptions, AscentResult, gradient_ascent};
pub use objective::{ActivationReduction, Objective};
pub use options::{Classes, Maximize};
pub(in crate::methods) use options::{DEFAULT_SIDE, ascent_side};
pub use parametrisation::Parametrisation;

super::layer_constructors::at_layers!(Maximize);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "maximize",
    title: "Maximised images",
    summary: "an image that maximises a channel, a unit or a class's logit, by gradient ascent on a spectrum (Olah et al. 2017) or on pixels with an L2 penalty (Simonyan et al. 2013), beside the photo with the largest activation",
    read: "An image optimised from noise, step by step, so that one unit or one class has as large an activation as possible: patterns that recur are what it detects. The photo below has the largest activation of all photos; the ratio of the two says how well the optimisation worked.",
    limit: "It is one such image of many, another seed gives another; and its activation is far above anything seen in training, so a fine, dense texture may be a weakness of the network and not something it detects.",
    result: ResultKind::Images,
    papers: &[
        "Erhan, D., Bengio, Y., Courville, A., and Vincent, P. (2009). Visualizing higher-layer features of a deep network. Université de Montréal",
        "Simonyan, K., Vedaldi, A., and Zisserman, A. (2013). Deep inside convolutional networks: visualising image classification models and saliency maps. arXiv:1312.6034",
        "Olah, C., Mordvintsev, A., and Schubert, L. (2017). Feature visualization. Distill",
    ],
};

impl Method for Maximize {
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
        let of_units = self.units.class().filter(|_| !self.layers.is_empty());
        of_units.into_iter().chain(self.classes.names()).collect()
    }

    fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        let no_class = match &self.classes {
            Classes::First(count) => *count == 0,
            Classes::Listed(list) => list.is_empty(),
        };
        if layers.is_empty() && no_class {
            let message = "`maximize` needs a layer or a class: `layers` and `classes` are empty";
            return Err(Error::new(ErrorKind::Network, message)
                .help("name one of them, or leave both out for the defaults"));
        }
        let side = i64::from(options::ascent_side(graph, info, self.size));
        node_info::from_graph(graph, side, side)
            .map_err(|error| error.help("a larger `size` is needed; 128 is the default"))?;
        if layers.is_empty() {
            return Ok(());
        }
        self.units.check(graph, info, layers)
    }

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

impl CollectionMethod for Maximize {
    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        _scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        let collector = top_image_collector::TopImageCollector::new(self, model, layers)?;
        Ok(Box::new(collector))
    }
}
