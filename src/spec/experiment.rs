//! The experiment as its YAML file says it: types only, with the default of every key.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::methods::MethodSpec;
use crate::picture::Interpolation;

/// A question to some networks about some pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The report's heading.
    pub title: String,
    /// What the report should answer, in a sentence or two; stands below the heading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The report's language.
    #[serde(default)]
    pub lang: Lang,
    /// What every random choice starts from.
    #[serde(default)]
    pub seed: u64,
    /// The networks, side by side in this order.
    pub models: Vec<ModelSpec>,
    /// The pictures.
    pub images: Vec<ImageSpec>,
    /// The classes that are asked about, for every picture.
    #[serde(default = "default_classes")]
    pub classes: Vec<ClassSpec>,
    /// The ways of looking. Predictions are always there.
    #[serde(default)]
    pub methods: Vec<MethodSpec>,
}

fn default_classes() -> Vec<ClassSpec> {
    vec![ClassSpec::Predicted]
}

/// A language of the report.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    #[default]
    En,
    Pl,
}

/// A network with its weights.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ModelSpec {
    /// Its name in the report and in the keys of the results; by default the architecture's.
    pub id: Option<String>,
    /// The architecture: `resnet50`.
    pub arch: String,
    /// A weight set's name (`convscope models` lists them), `random`, or a path to a `.pth`,
    /// `.pt` or `.safetensors` file. Absent: the architecture's first weight set.
    pub weights: Option<String>,
    /// A text file with one class name a line.
    pub labels: Option<PathBuf>,
    /// How a picture becomes the input; by default as the weight set says.
    pub preprocess: Option<PreprocessSpec>,
}

/// The parts of the preprocessing that the spec sets; what is absent stays as the weight set says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreprocessSpec {
    /// Length of the short side after resizing, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<SizeOrNone>,
    /// Side of the square cut from the centre, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<SizeOrNone>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    /// Subtracted from red, green and blue, each 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<[f64; 3]>,
    /// What the difference is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub std: Option<[f64; 3]>,
}

/// A length in pixels, or the word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SizeOrNone {
    None,
    Size(u32),
}

/// Where pictures come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub enum ImageSpec {
    /// Photos that the tool can fetch; `pick` names some (by class name, file stem or number), in
    /// that order, else all.
    Pack { pack: String, pick: Vec<String> },
    /// One file; also written as the path alone.
    Path {
        path: PathBuf,
        /// Its name in the report and the keys; by default the file's stem.
        id: Option<String>,
        /// Its true class: a name, a WordNet id or an index.
        class: Option<String>,
    },
    /// Every picture below a folder, by path.
    Dir {
        dir: PathBuf,
        /// At most so many, the first by path.
        limit: Option<usize>,
    },
}

/// A class to ask about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ClassSpec {
    /// The network's own first choice (networks may differ).
    Predicted,
    /// The picture's true class; pictures without one leave it out.
    Label,
    /// By index.
    Index(usize),
    /// By name or WordNet id.
    Name(String),
}

/// The word that means a layer, or several: see `spec::selector`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LayerSelector(pub String);
