//! The options of `maximize`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gradient_ascent::AscentOptions;
use super::objective::ActivationReduction;
use super::parametrisation::Parametrisation;
use crate::methods::unit_selection::{Units, class_name};
use crate::network::graph::Graph;
use crate::network::node_info::{self, NodeInfo};
use crate::network::{ClassSpec, LayerSelector};

/// The side of an image in pixels by default.
pub(in crate::methods) const DEFAULT_SIDE: u32 = 128;

/// What is maximised, and how.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Maximize {
    /// The layers whose units are maximised, by selector; none with `[]`.
    pub layers: Vec<LayerSelector>,
    /// How many units of each layer (drawn with the seed), which ones, or those of a class.
    pub units: Units,
    /// The classes whose logits are maximised: a list, or how many of the collection's true classes, in the order of its
    /// images.
    pub classes: Classes,
    /// Whether the mean of a unit over all spatial positions is maximised, or its activation at the centre.
    pub at: ActivationReduction,
    /// What is optimised: a Fourier spectrum with natural colours, or the pixels.
    pub by: Parametrisation,
    /// Side of the image in pixels, 1 to 1024. A network that was exported for one size has that in place of 128.
    #[schemars(range(min = 1, max = 1024))]
    pub size: u32,
    /// The number of steps, 1 to 10000; published images mostly take 512.
    #[schemars(range(min = 1, max = 10000))]
    pub steps: u32,
    /// With `by: pixels`, the weight of the sum of squared distances from the mean colour; 0 or more.
    #[schemars(range(min = 0))]
    pub l2: f64,
}

impl Default for Maximize {
    fn default() -> Self {
        Maximize {
            layers: vec![LayerSelector("last".into())],
            units: Units::Drawn(3),
            classes: Classes::First(3),
            at: ActivationReduction::Channel,
            by: Parametrisation::Fourier,
            size: DEFAULT_SIDE,
            steps: 128,
            l2: 0.01,
        }
    }
}

impl Maximize {
    /// The options of gradient ascent among these, in the network of `graph`.
    pub(super) fn ascent(&self, graph: &Graph, info: &[NodeInfo]) -> AscentOptions {
        AscentOptions {
            by: self.by,
            size: ascent_side(graph, info, self.size),
            steps: self.steps,
            l2: self.l2,
        }
    }
}

/// The side of an image for gradient ascent in the network of `graph`: `wanted`, or the network's own in place of the default
/// where it can't have that, as after an export for one size.
pub(in crate::methods) fn ascent_side(graph: &Graph, info: &[NodeInfo], wanted: u32) -> u32 {
    let side = i64::from(wanted);
    if wanted != DEFAULT_SIDE || node_info::from_graph(graph, side, side).is_ok() {
        return wanted;
    }
    let own = info.first().and_then(|info| info.shape.last().copied());
    own.and_then(|side| u32::try_from(side).ok())
        .unwrap_or(wanted)
}

/// Classes whose logits are maximised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(
    untagged,
    expecting = "a number of classes, or a list of names, WordNet ids and indices"
)]
pub enum Classes {
    /// The first so many true classes of the collection, in the order of its images; fewer if it has fewer.
    First(usize),
    /// These, by name, WordNet id or index.
    Listed(Vec<ClassSpec>),
}

impl Classes {
    /// The names of a list, as the spec has them.
    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Classes::First(_) => Vec::new(),
            Classes::Listed(list) => list.iter().map(class_name).collect(),
        }
    }
}
