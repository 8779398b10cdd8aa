//! A figure: one result of a method for a network, an image, a class, a layer.

use serde::{Deserialize, Serialize};

use super::{
    Atlas, Codes, EvaluationRecords, KernelNorms, LayerStatistics, MaximisedImage, Note, Quantity,
    ResidualBlock, TargetInfo, UnitExemplars, UnitProjection,
};

/// One result of a method.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    /// The method's name in the spec.
    pub method: String,
    /// The model's id.
    pub model: String,
    /// The image's id; absent where the figure depends on no image of the experiment.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<String>,
    /// What the figure explains.
    #[serde(rename = "class", skip_serializing_if = "Option::is_none", default)]
    pub target: Option<TargetInfo>,
    /// The layer's full name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub layer: Option<String>,
    /// What the figure shows.
    pub content: Content,
    /// Notes below the figure.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<Note>,
}

/// What a figure shows. Tensors are not scaled; the report chooses the scales and shows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Content {
    /// A value for each spatial position, `[height, width]`, to be shown over the image.
    Map {
        /// Key of the map.
        tensor: String,
        /// Whether both signs have a meaning (a diverging colour map, symmetric about 0).
        signed: bool,
        /// The smallest value.
        minimum: f32,
        /// The largest value.
        maximum: f32,
    },
    /// Some channels of a layer, `[k, height, width]`.
    Channels {
        /// Key of the channels.
        tensor: String,
        /// Their indices in the layer, largest mean first or in the order of the spec.
        channels: Vec<usize>,
        /// The number of channels of the layer.
        #[serde(rename = "of")]
        total: usize,
        /// The mean of each, by which the largest are chosen.
        means: Vec<f32>,
        /// The smallest value.
        minimum: f32,
        /// The largest value.
        maximum: f32,
    },
    /// Kernels of the first convolution in colour, `[k, 3, height, width]` in the order red, green, blue.
    #[serde(rename = "tiles")]
    ColourKernels {
        /// Key of the kernels.
        tensor: String,
        /// Their indices in the layer, largest norm first.
        units: Vec<usize>,
        /// The number of kernels of the layer.
        #[serde(rename = "of")]
        total: usize,
        /// The largest magnitude among them: black is −`magnitude` and white +`magnitude` on this network's own scale.
        magnitude: f32,
        /// Indices of the layer's dead kernels: norm at most a thousandth of the layer's median.
        #[serde(default)]
        dead: Vec<usize>,
    },
    /// Exemplars of some units of a layer.
    #[serde(rename = "cards")]
    Exemplars {
        /// The units, in the order to show them.
        #[serde(rename = "cards")]
        units: Vec<UnitExemplars>,
    },
    /// Kernels of a deeper layer, `[k, s, height, width]`, largest norm first: the `s` slices of largest norm of each.
    /// 1×1 kernels are the rows of a matrix, whose columns are the input channels of largest norm.
    Kernels {
        /// Key of the slices.
        tensor: String,
        /// The kernels' indices in the layer.
        units: Vec<usize>,
        /// For each kernel, the input channels of its slices.
        inputs: Vec<Vec<usize>>,
        /// The number of kernels of the layer.
        #[serde(rename = "of")]
        total: usize,
        /// The number of input channels of each kernel: 1 if the convolution is depthwise.
        #[serde(rename = "of_inputs")]
        total_inputs: usize,
        /// The largest magnitude among the slices.
        magnitude: f32,
        /// Indices of the layer's dead kernels.
        dead: Vec<usize>,
    },
    /// The norms of the kernels of every convolution, by depth.
    Norms {
        /// The convolutions in the network's order.
        layers: Vec<KernelNorms>,
    },
    /// Images made to excite units of a layer; if the figure has no layer, classes.
    Maximised {
        /// Whether the activation at the centre position is maximised (for images of the collection: the largest
        /// activation), not the mean over all positions.
        centre: bool,
        /// The images, in the order to show them.
        #[serde(rename = "pictures")]
        images: Vec<MaximisedImage>,
    },
    /// One activation of each of some units of a layer, projected to the pixels by the deconvnet.
    Projections {
        /// The units, in the order to show them.
        units: Vec<UnitProjection>,
        /// The number of units of the layer.
        #[serde(rename = "of")]
        total: usize,
    },
    /// The residual blocks of a network, for one image and one class.
    Shortcuts {
        /// The target's value in the whole network: a logit, if `quantity` does not say otherwise.
        #[serde(rename = "logit")]
        value: f32,
        /// What the values are.
        #[serde(skip_serializing_if = "is_logit", default = "logit")]
        quantity: Quantity,
        /// The class's probability in the whole network, 0 to 1; absent for a target that has none.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        probability: Option<f32>,
        /// The blocks in the network's order.
        blocks: Vec<ResidualBlock>,
    },
    /// What a network predicts for the labelled images of a collection.
    Evaluation(EvaluationRecords),
    /// Gram matrices of a collection's images at some layers, `[minibatches, side, side]`, under
    /// `<model>/<method>/<layer>`.
    Similarity {
        /// The layers' full names.
        layers: Vec<String>,
        /// For each minibatch, the index of its first image and its size; entries beyond the size are 0.
        batches: Vec<(usize, usize)>,
    },
    /// What the values of some layers are like over a collection.
    LayerStatistics {
        /// The layers in the network's order.
        layers: Vec<LayerStatistics>,
        /// The number of images whose codes the effective rank is computed from.
        coded: usize,
    },
    /// The codes of a collection's images, and a map of them.
    Codes(Box<Codes>),
    /// A map of all images of a collection by their codes, and their neighbours.
    Atlas(Box<Atlas>),
    /// No result, and the reason.
    Absent {
        /// Why there is no result.
        reason: Note,
    },
}

fn is_logit(quantity: &Quantity) -> bool {
    *quantity == Quantity::Logit
}

fn logit() -> Quantity {
    Quantity::Logit
}
