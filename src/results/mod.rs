//! The record of a run: what stands in `results.json`, with the experiment as text, and how it is kept on disk.
//!
//! Runs write it, the report reads it, and nothing else passes between the two.

pub mod lock;
pub mod store;

use serde::{Deserialize, Serialize};

use crate::figures::{CheckedMap, ClassInfo, Comparison, Figure, Note};
use crate::spec::Experiment;

/// Everything about one run but its tensors.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// The layout of this file; raised when a reader has to know.
    pub format: u32,
    pub environment: Environment,
    /// The experiment with every default filled in.
    pub experiment: Experiment,
    /// The experiment's file as it was written.
    pub spec: String,
    pub models: Vec<ModelInfo>,
    pub images: Vec<ImageInfo>,
    /// What some methods looked through, where one did.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub collection: Option<CollectionInfo>,
    pub predictions: Vec<Prediction>,
    pub figures: Vec<Figure>,
    /// How far the maps can be trusted, where the experiment has checks.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub checks: Vec<CheckedMap>,
    /// Where the networks agree, where there are two or more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comparison: Option<Comparison>,
    pub failures: Vec<Failure>,
}

impl Results {
    /// The selector that led to the figure's layer, and its place among that selector's layers, so
    /// that what one selector means stands side by side; else the layer itself.
    pub fn asked(&self, figure: &Figure) -> Option<(String, usize)> {
        let layer = figure.layer.as_ref()?;
        let model = self.models.iter().find(|m| m.id == figure.model)?;
        model
            .selected
            .iter()
            .filter(|selected| selected.method == figure.method)
            .find_map(|s| {
                let place = s.layers.iter().position(|name| name == layer)?;
                Some((s.selector.clone(), place))
            })
            .or_else(|| Some((layer.clone(), 0)))
    }

    /// Why `method` has no figure of a network (and of a photo), where that is because something failed: the
    /// method itself, or all that is done with the network or the photo.
    pub fn failure(&self, model: &str, image: Option<&str>, method: &str) -> Option<&Failure> {
        self.failures.iter().find(|failure| {
            failure.model.as_ref().is_none_or(|m| m == model)
                && (failure.image.as_deref()).is_none_or(|i| image.is_some_and(|image| image == i))
                && failure.method.as_ref().is_none_or(|m| m == method)
        })
    }
}

/// What computed the numbers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Environment {
    /// convscope's version.
    pub convscope: String,
    /// libtorch's version.
    pub libtorch: String,
    /// `cpu` or `cuda:0`.
    pub device: String,
}

/// One network of the experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Unique in the experiment; the first part of its tensors' keys.
    pub id: String,
    /// The architecture: `resnet50`.
    pub arch: String,
    /// `ResNet`, `VGG`, `EfficientNet`.
    pub family: String,
    pub weights: WeightsInfo,
    /// What training would change.
    pub parameters: u64,
    /// Multiply-adds for one picture of the input size.
    pub multiply_adds: u64,
    /// Layers with weights on the longest path (convolutions and linear layers): ResNet-50 has 50.
    pub depth: u32,
    /// How many residual blocks (`Add` nodes) it has.
    pub residual_blocks: u32,
    /// `[3, height, width]`; as the first picture gave it where the spec feeds pictures as they are.
    pub input: [u32; 3],
    /// How a picture becomes the input, in words and numbers (`short side 256 bicubic, centre 224`).
    pub preprocess: String,
    /// The same for the report, in its language.
    pub preprocessing: Note,
    pub classes: u32,
    /// What each layer selector of the spec became: (method, selector, layers).
    pub selected: Vec<SelectedLayers>,
    /// The layers that figures speak of, in the network's order.
    pub layers: Vec<LayerInfo>,
}

/// Where a network's numbers came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WeightsInfo {
    /// The weight set's name, or the file's path.
    pub name: String,
    /// Where it came from: a package, an address, a file.
    pub source: String,
    pub licence: Option<String>,
    /// Of the file (or files, in order) the numbers were read from.
    pub sha256: String,
    /// What a reader has to know: `a head of our own, fitted …`. One sentence.
    pub note: Option<String>,
}

/// A selector and what it became.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SelectedLayers {
    pub method: String,
    pub selector: String,
    pub layers: Vec<String>,
}

/// A node of the graph, as a reader of the report needs it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerInfo {
    pub name: String,
    /// `conv`, `relu`, `add`, …
    pub op: String,
    /// Without the batch: `[channels, height, width]` or `[features]`.
    pub shape: Vec<i64>,
    /// Pixels of the input between two neighbouring places of the layer.
    pub stride: i64,
    /// Side of the receptive field, in pixels of the input.
    pub receptive_field: i64,
    /// Its place in the network, from 0 (input) to 1 (logits).
    pub depth: f64,
}

/// One picture of the experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Unique in the experiment; the second part of its tensors' keys.
    pub id: String,
    /// As the spec names it (a path, or the pack and the file in it).
    pub source: String,
    /// Of the file.
    pub sha256: String,
    /// Of the decoded picture, upright.
    pub width: u32,
    pub height: u32,
    /// Its true class, where the spec or the pack says it.
    pub label: Option<ClassInfo>,
    /// What the networks saw of it.
    pub views: Vec<View>,
}

/// A large set of images that methods looked through.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CollectionInfo {
    pub images: usize,
    /// Of the sha256s of its files, in order.
    pub sha256: String,
    /// Whether it is the experiment's own pictures.
    pub own: bool,
}

/// A picture resized and cropped, before mean and deviation; networks that preprocess alike share
/// one.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct View {
    /// Key of an 8-bit tensor `[height, width, 3]` (its first part, `_photos`, is no model's id).
    pub tensor: String,
    pub width: u32,
    pub height: u32,
    /// The ids of the models that saw this one.
    pub models: Vec<String>,
}

/// What a network says of a picture.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Prediction {
    pub model: String,
    pub image: String,
    /// Falling by probability.
    pub top: Vec<Scored>,
    /// The picture's true class as this network sees it, and its rank (1 = best).
    pub label: Option<Scored>,
    /// Key of the logits, `[classes]`.
    pub tensor: String,
}

/// A class with what the network gave it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Scored {
    pub class: ClassInfo,
    /// 1 = the network's first choice.
    pub rank: usize,
    pub logit: f32,
    /// Softmax over all classes, 0 to 1.
    pub probability: f32,
}

/// Something that did not work while the rest went on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// The model it happened to, if it was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// The image it happened to (its id or path), if it was one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    pub message: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
}
