//! What a method, a check or a comparison returns, as plain data: figures with their tensors.
//!
//! Plain data without libtorch, so that whatever reads results (the report, a notebook, another program)
//! needs no network. A tensor is named by its key in `data.safetensors`.

mod checks;
mod codes;
mod comparison;
mod residual;
mod tensors;

use serde::{Deserialize, Serialize};

use crate::image::Window;

pub use checks::{CheckedMap, Curves, Drop, Map, Pointing, Randomised};
pub use codes::{Coded, Codes, Kinds, KindsBy, Trust, Votes};
pub use comparison::{Comparison, LayerAgreement, MapAgreement, PhotoAgreement};
pub use residual::{Cut, ResidualBlock, Shares, SideMaps};
pub use tensors::{Array, Tensors, Values};

/// A class of a network.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct ClassInfo {
    pub index: usize,
    /// `bull mastiff`; the index in words where the network has no names.
    pub name: String,
}

/// One thing to look at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// The method's name in the spec.
    pub method: String,
    pub model: String,
    /// Absent where a figure is of the network alone (filters).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<String>,
    /// The class that was asked about.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<ClassInfo>,
    /// The node's full name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub layer: Option<String>,
    pub content: Content,
    /// What has to be said under it: keys of the report's word list with their values.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
}

/// What a figure shows. Tensors are raw; the report picks scales and says which.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// One number a place, `[height, width]`, to be laid over the photo.
    Map {
        tensor: String,
        /// Whether both signs mean something (a diverging colour map, symmetric about 0).
        signed: bool,
        minimum: f32,
        maximum: f32,
    },
    /// Some channels of a layer, `[k, height, width]`, strongest first or as listed.
    Channels {
        tensor: String,
        /// Which channels these are.
        channels: Vec<usize>,
        /// How many the layer has.
        of: usize,
        /// Each one's mean, what `strongest` sorts by.
        means: Vec<f32>,
        minimum: f32,
        maximum: f32,
    },
    /// Kernels as colour tiles, `[k, 3, height, width]` in the order red, green, blue.
    Tiles {
        tensor: String,
        units: Vec<usize>,
        of: usize,
        /// The largest magnitude among them: black is −`magnitude`, white +`magnitude` on the scale
        /// of this network alone.
        magnitude: f32,
        /// Which of the layer's kernels do nothing: their norm is at most a thousandth of its median.
        #[serde(default)]
        dead: Vec<usize>,
    },
    /// What excites some units of a layer.
    Cards { cards: Vec<Card> },
    /// Kernels of a deeper layer, `[k, s, height, width]`, largest first: of each the `s` slices of
    /// largest norm. Of 1×1 kernels the rows of a matrix, whose columns are the inputs of largest norm.
    Kernels {
        tensor: String,
        units: Vec<usize>,
        /// Of each kernel, which of the channels it reads its slices belong to.
        inputs: Vec<Vec<usize>>,
        /// How many kernels the layer has.
        of: usize,
        /// How many channels each of them reads: 1 where it is depthwise.
        of_inputs: usize,
        /// The largest magnitude among the slices.
        magnitude: f32,
        dead: Vec<usize>,
    },
    /// How large the kernels of every convolution are, by depth.
    Norms { layers: Vec<KernelNorms> },
    /// Pictures made to excite units of a layer, or classes where the figure has no layer.
    Maximised {
        /// Whether a unit's middle place is excited (of photos its strongest), not its mean over all places.
        centre: bool,
        pictures: Vec<MadePicture>,
    },
    /// Units of a layer, each with the activation that was taken back to the pixels, in the order to
    /// show them.
    Projections {
        units: Vec<Projected>,
        /// How many the layer has.
        of: usize,
    },
    /// The residual blocks of a network, in its order, as a class and a picture see them.
    Shortcuts {
        /// The class's logit in the whole network.
        logit: f32,
        /// The class's probability in the whole network, 0 to 1.
        probability: f32,
        blocks: Vec<ResidualBlock>,
    },
    /// Which images of a collection some layers find alike: for each layer the inner products of their values
    /// with each other, `[minibatches, side, side]`, under `<model>/<method>/<layer>`.
    Similarity {
        layers: Vec<String>,
        /// The place of each minibatch's first image, and how many it has; what is beyond them is 0.
        batches: Vec<(usize, usize)>,
    },
    /// The codes of a collection's images, and a map of them.
    Codes(Box<Codes>),
    /// There is nothing to show, and why: a key of the word list.
    Absent { reason: Note },
}

/// One unit and what excites it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Card {
    pub unit: usize,
    /// How its strongest answer goes along with the logit of the class it was chosen for, −1 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<f64>,
    /// Key of the patches, 8-bit `[n, side, side, 3]`, the strongest first.
    pub patches: String,
    pub exemplars: Vec<Exemplar>,
    /// Key of the strongest one taken back to the pixels by deconvnet, `[3, height, width]`, signed,
    /// where that can be done.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub projection: Option<String>,
    /// The picture that gradient ascent made for the unit.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub maximised: Option<Maximised>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
}

/// A picture made to excite a unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Maximised {
    /// Key of the picture, `[3, side, side]`, red, green, blue, 0 to 1.
    pub tensor: String,
    /// What the unit answers at its strongest place.
    pub value: f32,
}

/// A picture made to excite a unit or a class.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MadePicture {
    /// The unit; the index of the class.
    pub unit: usize,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub class: Option<ClassInfo>,
    /// How the unit's strongest answer goes along with the logit of the class it was chosen for, −1 to 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub correlation: Option<f64>,
    /// Key of its pixels, `[3, side, side]`, 0 to 1.
    pub tensor: String,
    /// What the unit or the class answered where the climb began.
    pub start: f64,
    /// What it answers to this picture.
    pub reached: f64,
    /// The photo of the collection it answers to most.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub best: Option<BestPhoto>,
}

/// The photo that a unit or a class answers to most.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct BestPhoto {
    /// Its id in the collection.
    pub image: String,
    pub source: String,
    pub label: Option<ClassInfo>,
    /// The answer, in the measure of the picture beside it.
    pub value: f32,
    /// Key of its thumbnail, 8-bit `[side, side, 3]`.
    pub tensor: String,
}

/// A patch that excites a unit.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Exemplar {
    /// The image's id in the collection.
    pub image: String,
    pub source: String,
    pub label: Option<ClassInfo>,
    /// What the unit answers there.
    pub value: f32,
    /// The place in the layer's map: row, column.
    pub place: [usize; 2],
    /// What that place sees of the image.
    pub window: Window,
}

/// The norms of a convolution's kernels; all of them stand under `<model>/filters/<layer>/norms`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KernelNorms {
    /// The node's full name.
    pub layer: String,
    /// Its place in the network, from 0 (input) to 1 (logits).
    pub depth: f64,
    /// Side of a kernel.
    pub kernel: i64,
    /// Whether a kernel reads one channel alone.
    pub depthwise: bool,
    /// How many kernels.
    pub count: usize,
    /// The norm that 5, 50 and 95 per cent of them don't exceed.
    pub low: f32,
    pub median: f32,
    pub high: f32,
    /// How many do nothing.
    pub dead: usize,
}

/// One activation of a unit, taken back to the pixels that excited it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Projected {
    pub unit: usize,
    /// The activation; a unit with none above 0 excites nothing.
    pub value: f32,
    /// Row and column in the layer.
    pub place: [usize; 2],
    /// What that place sees of the picture.
    pub window: Window,
    /// The window's pixels, `[3, height, width]`, red, green, blue, signed; all outside are 0.
    pub tensor: String,
}

/// A sentence of the report: its key in the word list, and what stands in its gaps.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Note {
    pub key: String,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty", default)]
    pub values: std::collections::BTreeMap<String, String>,
}

impl Note {
    /// A sentence without gaps.
    pub fn new(key: &str) -> Self {
        Note {
            key: key.to_owned(),
            values: Default::default(),
        }
    }

    /// Fills the gap `name`.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }
}
