//! What `results.json` holds. Names and types of the fields are those of its keys.

use serde::{Deserialize, Serialize};

use super::network_note::NetworkNote;
use crate::figures::{
    CheckedMap, ClassInfo, Comparison, Evaluation, Figure, Note, Quantity, TargetInfo,
};
use crate::image::Drawing;
use crate::network::Task;
use crate::spec::ExperimentSpec;

/// Everything about one run except its tensors: the content of `results.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// The version of the file's layout; raised where a reader of earlier files would misread it.
    pub format: u32,
    /// Versions and device.
    pub environment: Environment,
    /// The experiment with every default filled in.
    pub experiment: ExperimentSpec,
    /// The text of the experiment's file; empty where the run came from values.
    pub spec: String,
    /// The networks that could be loaded, in the experiment's order.
    pub models: Vec<ModelInfo>,
    /// The images that could be read, in the experiment's order.
    pub images: Vec<ImageInfo>,
    /// The collection, where a method searched it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub collection: Option<CollectionInfo>,
    /// One for each network and image.
    pub predictions: Vec<Prediction>,
    /// The values that are explained, but for the logits of classes, which are those of the predictions.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub targets: Vec<ExplainedValue>,
    /// What the methods computed.
    pub figures: Vec<Figure>,
    /// The results of the checks, map by map, where the experiment has checks.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub checks: Vec<CheckedMap>,
    /// How far the networks agree, where there are two or more.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub comparison: Option<Comparison>,
    /// How well the networks classify the collection, where a method evaluates them.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub evaluation: Option<Evaluation>,
    /// What failed while the rest of the run went on.
    pub failures: Vec<Failure>,
}

impl Results {
    /// The selector that selected the figure's layer, and the layer's index among all that it selected: figures of
    /// several networks belong together where both are equal. The layer itself and 0 where no selector is recorded;
    /// `None` for a figure without a layer.
    pub fn selector_of(&self, figure: &Figure) -> Option<(String, usize)> {
        let layer = figure.layer.as_ref()?;
        let model = self.models.iter().find(|m| m.id == figure.model)?;
        model
            .selected
            .iter()
            .filter(|selected| selected.method == figure.method)
            .find_map(|s| {
                let index = s.layers.iter().position(|name| name == layer)?;
                Some((s.selector.clone(), index))
            })
            .or_else(|| Some((layer.clone(), 0)))
    }

    /// What the outputs of a network mean.
    pub fn task(&self, model: &str) -> Task {
        let found = self.models.iter().find(|found| found.id == model);
        found.map_or(Task::Classes, |model| model.task)
    }

    /// The failure because of which `method` has no figure of a network (and an image): that of the method itself, or of
    /// the whole network or image.
    pub fn failure(&self, model: &str, image: Option<&str>, method: &str) -> Option<&Failure> {
        self.failures.iter().find(|failure| {
            failure.model.as_ref().is_none_or(|m| m == model)
                && (failure.image.as_deref()).is_none_or(|i| image.is_some_and(|image| image == i))
                && failure.method.as_ref().is_none_or(|m| m == method)
        })
    }
}

/// The software and the device of a run.
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
    /// Its architecture: `resnet50`.
    pub arch: String,
    /// `ResNet`, `VGG`, `EfficientNet`.
    pub family: String,
    /// Where its weights came from.
    pub weights: WeightsInfo,
    /// How many values training changes.
    pub parameters: u64,
    /// Multiply-adds for one image of the input size.
    pub multiply_adds: u64,
    /// Layers with weights on the longest path (convolutions and linear layers): ResNet-50 has 50.
    pub depth: u32,
    /// How many residual blocks (`Add` nodes) it has.
    pub residual_blocks: u32,
    /// `[channels, height, width]`; the size of the first image where images are fed without resizing and cropping.
    pub input: [u32; 3],
    /// How an image becomes the input: `short side 256 bicubic, centre 224`.
    pub preprocess: String,
    /// The same as a sentence of the report's word list.
    pub preprocessing: Note,
    /// What was assumed of the preprocessing, as a sentence of the report's word list, where neither the experiment nor the
    /// weights say it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub preprocess_assumed: Option<Note>,
    /// What its outputs mean.
    #[serde(skip_serializing_if = "is_classes", default)]
    pub task: Task,
    /// What a reader should know of it.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub notes: Vec<NetworkNote>,
    /// How many classes it has; of a network without classes, how many outputs.
    pub classes: u32,
    /// The layers that each selector of the experiment selected.
    pub selected: Vec<SelectedLayers>,
    /// All layers that some method uses, in the network's order.
    pub layers: Vec<LayerInfo>,
}

/// Where a network's weights came from.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WeightsInfo {
    /// The weight set's name, or the file's path.
    pub name: String,
    /// Where it came from: a package, an address, a file.
    pub source: String,
    /// The licence of the weights, where it is known.
    pub licence: Option<String>,
    /// Of the weight file, or of several files in order; empty for random weights.
    pub sha256: String,
    /// One sentence that a reader has to know: `a head of our own, fitted …`.
    pub note: Option<String>,
}

/// A layer selector of a method and the layers that it selected.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct SelectedLayers {
    /// The method's name.
    pub method: String,
    /// The selector as the experiment has it.
    pub selector: String,
    /// Full names, in the network's order.
    pub layers: Vec<String>,
}

/// A layer that some method uses.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct LayerInfo {
    /// The node's full name.
    pub name: String,
    /// `conv`, `relu`, `add`, …
    pub op: String,
    /// Without the batch: `[channels, height, width]` or `[features]`.
    pub shape: Vec<i64>,
    /// Pixels of the input between two neighbouring spatial positions of the layer.
    pub stride: i64,
    /// Side of the receptive field, in pixels of the input.
    pub receptive_field: i64,
    /// Its depth, 0 (input) to 1 (logits).
    pub depth: f64,
}

/// One image of the experiment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ImageInfo {
    /// Unique in the experiment; the second part of its tensors' keys.
    pub id: String,
    /// As the experiment names it: a path, or the pack and the file in it.
    pub source: String,
    /// Of the file.
    pub sha256: String,
    /// In pixels, upright.
    pub width: u32,
    /// In pixels, upright.
    pub height: u32,
    /// Its true class, where it is known.
    pub label: Option<ClassInfo>,
    /// Its other true classes, for networks whose classes are independent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub other_labels: Vec<ClassInfo>,
    /// How its picture was drawn, unless it shows a grey or three colours of 8 bits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub drawing: Option<Drawing>,
    /// What the networks see of it: one view for all networks with the same resizing and cropping.
    pub views: Vec<ViewInfo>,
}

/// A large set of images that some methods searched.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CollectionInfo {
    /// How many images it has.
    pub images: usize,
    /// Of the sha256s of its files, in order.
    pub sha256: String,
    /// Whether it consists of the experiment's own images.
    pub own: bool,
    /// The images that could not be read; all methods leave them out.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub unreadable: Vec<UnreadableImage>,
}

/// An image of the collection that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnreadableImage {
    /// The image as the spec names it.
    pub source: String,
    /// What is wrong with it.
    pub message: String,
}

/// An image after resizing and cropping, before normalisation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ViewInfo {
    /// Key of its pixels, 8-bit `[height, width, 3]`; the key begins with `_photos`, which can't be a model's id.
    pub tensor: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// Where it lies in the image, in the image's own pixels: left, top, right and bottom. A view with a black margin reaches
    /// beyond the image. Results of earlier versions have none.
    #[serde(rename = "box", default)]
    pub bounds: [f64; 4],
    /// The ids of the models that see this view.
    pub models: Vec<String>,
}

/// The value of a target for one network and image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ExplainedValue {
    /// The model's id.
    pub model: String,
    /// The image's id.
    pub image: String,
    /// What is explained.
    pub target: TargetInfo,
    /// What the value is.
    pub quantity: Quantity,
    /// The value.
    pub value: f32,
}

fn is_classes(task: &Task) -> bool {
    *task == Task::Classes
}

/// The classes with the largest logits for one network and image.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Prediction {
    /// The model's id.
    pub model: String,
    /// The image's id.
    pub image: String,
    /// Up to five classes, the most probable first; of a network without classes up to five outputs, in their order.
    pub top: Vec<ClassScore>,
    /// The image's true class, where the network knows it.
    pub label: Option<ClassScore>,
    /// The image's true classes, of a network whose classes are independent.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub labels: Vec<ClassScore>,
    /// Key of the logits, `[classes]`.
    pub tensor: String,
}

/// A class with its logit, probability and rank.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ClassScore {
    /// The class.
    pub class: ClassInfo,
    /// 1 for the class with the largest logit; of an output, its position.
    pub rank: usize,
    /// The value before softmax or sigmoid; of a network without classes the output.
    pub logit: f32,
    /// Softmax over all classes, or sigmoid, 0 to 1; absent for a network without classes.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub probability: Option<f32>,
}

/// Something that failed while the rest of the run went on.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Failure {
    /// The model's id, where it concerns one model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub model: Option<String>,
    /// The image's id or source, where it concerns one image.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub image: Option<String>,
    /// The method's or the check's name, where it concerns one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub method: Option<String>,
    /// What failed.
    pub message: String,
    /// What the user can do about it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub help: Option<String>,
}
