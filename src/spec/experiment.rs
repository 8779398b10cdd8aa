//! The experiment as its YAML file says it: types only, with the default of every key.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CollectionSpec, id_from, shorthand, unique_ids};

use crate::checks::CheckSpec;
use crate::image::Interpolation;
use crate::methods::MethodSpec;
use crate::network::ClassSpec;

/// A question to some networks about some pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Experiment {
    /// The report's heading.
    #[schemars(length(min = 1))]
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
    #[schemars(length(min = 1))]
    pub models: Vec<ModelSpec>,
    /// The pictures.
    #[schemars(length(min = 1))]
    pub images: Vec<ImageSpec>,
    /// A large set of images for the methods that look through one (`exemplars`, `tsne`, `maximize`): a
    /// folder, a pack, or a list of them. Absent: the pictures above.
    #[serde(default, skip_serializing_if = "CollectionSpec::is_empty")]
    pub collection: CollectionSpec,
    /// The classes that are asked about, for every picture.
    #[serde(default = "default_classes")]
    #[schemars(length(min = 1))]
    pub classes: Vec<ClassSpec>,
    /// The ways of looking. Predictions are always there.
    #[serde(default)]
    pub methods: Vec<MethodSpec>,
    /// What puts the maps to the test: how far each can be trusted stands beside it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// How large the report may be; absent: as large as it gets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<MaxSize>,
    /// What a run wrote into its lock: weights and pictures with other hashes are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<Lock>,
}

/// How large the report may be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxSize {
    /// Millions of bytes, above 0.
    pub megabytes: f64,
    /// What becomes of a larger one.
    #[serde(default)]
    pub over: Over,
}

/// What becomes of a report that is larger than it may be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Over {
    /// It is written, and the run says so.
    #[default]
    Warn,
    /// It is not written, and the run fails.
    Fail,
}

/// What went into a run, byte for byte.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    /// convscope's version.
    pub convscope: String,
    /// libtorch's version.
    pub libtorch: String,
    /// The sha256 of every network's weights, by id.
    pub weights: BTreeMap<String, String>,
    /// The sha256 of every picture's file, by id.
    pub images: BTreeMap<String, String>,
    /// The sha256 of the sha256s of the collection's files, where something looked through it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
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

/// A network with its weights; also written as the architecture's name alone.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(transform = shorthand::or_architecture)]
pub struct ModelSpec {
    /// Its name in the report and in the keys of the results; by default the architecture's.
    /// Letters, digits, `_`, `-` and `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<shorthand::Id>")]
    pub id: Option<String>,
    /// The architecture: `resnet50`.
    #[schemars(with = "shorthand::Architecture")]
    pub arch: String,
    /// A weight set's name (`convscope models` lists them), `random`, or a path to a `.pth`,
    /// `.pt` or `.safetensors` file. Absent: the architecture's first weight set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weights: Option<String>,
    /// A text file with one class name a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<PathBuf>,
    /// How a picture becomes the input; what is left out stays as the weight set says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocess: Option<PreprocessSpec>,
}

/// The parts of the preprocessing that the spec sets; what is absent stays as the weight set says.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreprocessSpec {
    /// Length of the short side after resizing, in pixels, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<SizeOrNone>,
    /// Side of the square cut from the centre, in pixels, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<SizeOrNone>,
    /// How pixels between pixels are made.
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SizeOrNone {
    None,
    /// At least 1.
    Size(u32),
}

impl SizeOrNone {
    /// The length, if there is one.
    pub fn size(self) -> Option<u32> {
        match self {
            SizeOrNone::None => None,
            SizeOrNone::Size(size) => Some(size),
        }
    }
}

/// Where pictures come from; a file is also written as its path alone.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(transform = shorthand::or_path)]
pub enum ImageSpec {
    /// Photos that the tool can fetch.
    Pack {
        /// The pack's name: `imagenet-20`, `public-domain`.
        pack: String,
        /// Which of them (by class name, file stem or number), one or a list, in that order; else
        /// all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "shorthand::OneOrSeveral")]
        pick: Vec<String>,
        /// Where the one picked photo shows its class: left, top, right and bottom in its own pixels.
        #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
        bounds: Option<[f64; 4]>,
    },
    /// One file.
    Path {
        /// The file, from the spec's folder.
        path: PathBuf,
        /// Its name in the report and the keys; by default the file's stem. Letters, digits, `_`,
        /// `-` and `.`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<shorthand::Id>")]
        id: Option<String>,
        /// Its true class: a name, a WordNet id or an index.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<shorthand::NameOrNumber>")]
        class: Option<String>,
        /// Where it shows its class: left, top, right and bottom in its own pixels.
        #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
        bounds: Option<[f64; 4]>,
        /// The same as a picture of its size, bright where its class is shown.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mask: Option<PathBuf>,
    },
    /// Every picture below a folder, by path.
    Dir {
        /// The folder, from the spec's folder.
        dir: PathBuf,
        /// At most so many, the first by path.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        limit: Option<usize>,
    },
}

impl Experiment {
    /// An experiment with a title and the default of every other key: nothing to run yet.
    pub fn new(title: impl Into<String>) -> Self {
        Experiment {
            title: title.into(),
            question: None,
            lang: Lang::default(),
            seed: 0,
            models: Vec::new(),
            images: Vec::new(),
            collection: CollectionSpec::default(),
            classes: default_classes(),
            methods: Vec::new(),
            checks: Vec::new(),
            max_size: None,
            lock: None,
        }
    }

    /// The experiment with every default written out: what `experiment.lock.yaml` begins with.
    ///
    /// The networks get their ids. Pictures keep theirs, for what a folder or a pack holds is not
    /// known here, and neither is what a weight set says.
    pub fn filled(&self) -> Experiment {
        let mut filled = self.clone();
        let ids = self.model_ids();
        for (model, id) in filled.models.iter_mut().zip(ids) {
            model.id = Some(id);
        }
        filled
    }

    /// The id of every network, in order.
    pub fn model_ids(&self) -> Vec<String> {
        let entries = self.models.iter();
        unique_ids(entries.map(|model| (model.id.as_deref(), id_from(&model.arch))))
    }
}
