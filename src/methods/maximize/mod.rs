//! `maximize`: a picture that excites a unit or a class as much as it can (Erhan et al. 2009; Simonyan et al. 2013,
//! <https://arxiv.org/abs/1312.6034>; Olah et al. 2017, <https://distill.pub/2017/feature-visualization>).
//!
//! **What it shows.** What a unit (a channel of a layer) or a class would like to see most, without any photo.
//! **How it is computed.** A picture is changed step by step along the gradient of what is asked for: the mean of the
//! channel over its places (`at: channel`), its middle place (`at: centre`), or the logit of the class. `by: fourier`
//! moves a spectrum whose high frequencies are held back, mixes its three planes to colours that go together in
//! ImageNet, shows the network the result a little shifted, turned and zoomed at every step, and steps with Adam.
//! `by: pixels` starts from the mean colour and moves the pixels themselves; the sum of their squared distances
//! from it (colours 0…1), times `l2`, is taken off. A layer that is a ReLU is climbed by what goes into it: behind a
//! closed one there is no slope. `[3, size, size]`, 0…1, under `<model>/maximize/<layer>/<unit>` and
//! `<model>/maximize/<class>`.
//! **How to read it.** Patterns that repeat are what the unit looks for. Below stands what the picture reaches,
//! as it is, and the most that a photo of the collection does in the same measure (`at: centre`: at its
//! strongest place): several times that much says the climb worked.
//! **What it can't show.** The only such picture: another seed leads to another. A value that no photo reaches
//! is one the network was never trained on.
//! **Options.** `layers`, `units`, `classes`, `at`, `by`, `size`, `steps`, `l2`. **Cost.** `steps` forward and
//! backward passes a picture; at 128 × 128 a third of one at 224 × 224. One forward pass a photo of the collection.

mod augmentation;
mod gradient_ascent;
mod parametrisation;
mod search;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::units::Units;
use super::{Collector, LoadedModel, Method, MethodInfo, CollectionMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::{self, NodeInfo};
use crate::network::{ClassSpec, LayerSelector};

pub use gradient_ascent::{At, By, Image, Objective, Options, ascend};

/// The largest side: a step at this size costs what 20 do at 224.
const LARGEST: u32 = 1024;
/// More steps than anybody waits for.
const MOST_STEPS: u32 = 10_000;

/// What is to be excited, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Maximize {
    /// The layers whose units are excited, by selector; none with `[]`.
    pub layers: Vec<LayerSelector>,
    /// How many units of each layer (drawn with the seed), which ones, or those of a class.
    pub units: Units,
    /// Which classes' logits are excited: a list, or how many of the collection's true classes, the
    /// first met first.
    pub classes: Classes,
    /// Whether a unit's mean over all places counts or its middle place.
    pub at: At,
    /// What is moved: a spectrum with natural colours, or plain pixels.
    pub by: By,
    /// Side of the picture in pixels.
    #[schemars(range(min = 1, max = 1024))]
    pub size: u32,
    /// How many steps; published pictures mostly take 512.
    #[schemars(range(min = 1, max = 10000))]
    pub steps: u32,
    /// Of `by: pixels`: what the sum of squared distances from the mean colour costs; 0 or more.
    #[schemars(range(min = 0))]
    pub l2: f64,
}

impl Default for Maximize {
    fn default() -> Self {
        Maximize {
            layers: vec![LayerSelector("last".into())],
            units: Units::Drawn(3),
            classes: Classes::Met(3),
            at: At::Channel,
            by: By::Fourier,
            size: 128,
            steps: 128,
            l2: 0.01,
        }
    }
}

/// Classes whose logits are excited.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number of classes, or a list of names, WordNet ids and indices"
)]
pub enum Classes {
    /// So many of the true classes in the collection, the first met first; fewer where there are fewer.
    Met(usize),
    /// These, by name, WordNet id or index.
    Listed(Vec<ClassSpec>),
}

impl Classes {
    /// What a list names, in the spec's words.
    fn named(&self) -> Vec<String> {
        let Classes::Listed(list) = self else {
            return Vec::new();
        };
        let words = list.iter().map(|class| match class {
            ClassSpec::Name(name) => name.clone(),
            ClassSpec::Index(index) => index.to_string(),
            // No class is called so, and the error says that.
            ClassSpec::Predicted => "predicted".into(),
            ClassSpec::Label => "label".into(),
        });
        words.collect()
    }
}

impl Maximize {
    fn options(&self) -> Options {
        Options {
            by: self.by,
            size: self.size,
            steps: self.steps,
            l2: self.l2,
        }
    }
}

super::at_layers::at_layers!(Maximize);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "maximize",
    title: "Maximised images",
    summary: "an image that maximises a channel, a unit or a class's logit, by gradient ascent on a spectrum (Olah et al. 2017) or on pixels with an L2 penalty (Simonyan et al. 2013), beside the photo with the largest activation",
    read: "An image optimised from noise, step by step, so that one unit or one class has as large an activation as possible: patterns that recur are what it detects. The photo below has the largest activation of all photos; the ratio of the two says how well the optimisation worked.",
    limit: "It is one such image of many, another seed gives another; and its activation is far above anything seen in training, so a fine, dense texture may be a weakness of the network and not something it detects.",
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
        of_units.into_iter().chain(self.classes.named()).collect()
    }

    fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        let refuse =
            |message: String, help: &str| Err(Error::new(ErrorKind::Network, message).help(help));
        let no_class = match &self.classes {
            Classes::Met(count) => *count == 0,
            Classes::Listed(list) => list.is_empty(),
        };
        if layers.is_empty() && no_class {
            return refuse(
                "nothing is to be excited".into(),
                "name `layers` or `classes`, or leave both out for the defaults",
            );
        }
        if !(1..=MOST_STEPS).contains(&self.steps) {
            let message = format!("`steps` is {}", self.steps);
            return refuse(
                message,
                "it goes from 1 to 10000; 128 show most, 512 are usual",
            );
        }
        if !(self.l2.is_finite() && self.l2 >= 0.0) {
            let message = format!("`l2` is {}", self.l2);
            return refuse(message, "it is 0 (no penalty) or more; 0.01 is the default");
        }
        if self.size == 0 || self.size > LARGEST {
            let message = format!("`size` is {}", self.size);
            return refuse(message, "it goes up to 1024 pixels; 128 or 224 are usual");
        }
        let side = i64::from(self.size);
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
        subject: &'a LoadedModel,
        layers: &[NodeId],
    ) -> Result<Box<dyn Collector + 'a>> {
        Ok(Box::new(search::Search::new(self, subject, layers)?))
    }
}
