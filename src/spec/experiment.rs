//! The experiment: the keys of its YAML file with their defaults.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::collection_spec::CollectionSpec;
use super::ids::unique_ids;
use super::image_spec::ImageSpec;
use super::language::Lang;
use super::model_spec::ModelSpec;
use super::precision_spec::PrecisionSpec;
use crate::checks::CheckSpec;
use crate::methods::MethodSpec;
use crate::network::{ClassSpec, TargetValue};

/// An experiment: networks, images, and the methods that are applied to them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["images"] }, { "required": ["collection"] }]))]
pub struct ExperimentSpec {
    /// The report's heading.
    #[schemars(length(min = 1))]
    pub title: String,
    /// The question that the report should answer, in a sentence or two below the heading.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<String>,
    /// The report's language.
    #[serde(default)]
    pub lang: Lang,
    /// The seed of everything random.
    #[serde(default)]
    pub seed: u64,
    /// The networks, side by side in this order.
    #[schemars(length(min = 1))]
    pub models: Vec<ModelSpec>,
    /// The images. They may be left out where there is a `collection` and all methods are about it or about the networks alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(min = 1))]
    pub images: Vec<ImageSpec>,
    /// A large set of images for the methods that search one (`exemplars`, `tsne`, `maximize`, `cka`): a folder, files
    /// that a CSV or a list names, a pack, or several of them. Absent: `images`.
    #[serde(default, skip_serializing_if = "CollectionSpec::is_empty")]
    pub collection: CollectionSpec,
    /// The classes to explain, for every image.
    #[serde(default = "default_classes")]
    #[schemars(length(min = 1))]
    pub classes: Vec<ClassSpec>,
    /// Which value of a class is explained: its logit, or its probability.
    #[serde(default, skip_serializing_if = "TargetValue::is_logit")]
    pub target: TargetValue,
    /// The precision of passes over many inputs: `float32`, `bf16`, or a map with `passes` and `gradients`.
    #[serde(default, skip_serializing_if = "PrecisionSpec::is_float32")]
    pub precision: PrecisionSpec,
    /// The methods, with or without options. The predictions are always in the report.
    #[serde(default)]
    pub methods: Vec<MethodSpec>,
    /// The checks of the maps: how far each map can be trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckSpec>,
    /// The largest size of the report; absent: unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_size: Option<MaxSize>,
    /// The hashes that a run wrote into its lock; weights and images with other hashes are errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock: Option<LockSpec>,
}

/// The largest size of the report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MaxSize {
    /// Millions of bytes, above 0.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub megabytes: f64,
    /// What happens with a larger report.
    #[serde(default)]
    pub over: OversizeAction,
}

/// What happens with a report that is larger than `max_size`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum OversizeAction {
    /// It is written, with a warning.
    #[default]
    Warn,
    /// It is not written, and the run fails.
    Fail,
}

/// The versions and hashes of what went into a run.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LockSpec {
    /// convscope's version.
    pub convscope: String,
    /// libtorch's version.
    pub libtorch: String,
    /// The sha256 of every model's weights, by id.
    pub weights: BTreeMap<String, String>,
    /// The sha256 of every image's file, by id.
    pub images: BTreeMap<String, String>,
    /// The sha256 of the sha256s of the collection's files, if a method searched it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collection: Option<String>,
}

fn default_classes() -> Vec<ClassSpec> {
    vec![ClassSpec::Predicted]
}

impl ExperimentSpec {
    /// An experiment with a title and the default of every other key: nothing to run yet.
    pub fn new(title: impl Into<String>) -> Self {
        ExperimentSpec {
            title: title.into(),
            question: None,
            lang: Lang::default(),
            seed: 0,
            models: Vec::new(),
            images: Vec::new(),
            collection: CollectionSpec::default(),
            classes: default_classes(),
            target: TargetValue::default(),
            precision: PrecisionSpec::default(),
            methods: Vec::new(),
            checks: Vec::new(),
            max_size: None,
            lock: None,
        }
    }

    /// The experiment with every default written out, which is the beginning of `experiment.lock.yaml`.
    ///
    /// The models get their ids. Images don't: what a folder or a pack holds is not known here.
    pub fn with_defaults(&self) -> ExperimentSpec {
        let mut experiment = self.clone();
        let ids = self.model_ids();
        for (model, id) in experiment.models.iter_mut().zip(ids) {
            model.id = Some(id);
        }
        experiment
    }

    /// The id of every model, in order.
    pub fn model_ids(&self) -> Vec<String> {
        let entries = self.models.iter();
        unique_ids(entries.map(|model| (model.id.as_deref(), model.default_id())))
    }
}
