//! An entry of `models`: an architecture with its parameters, labels and preprocessing. A text alone is an architecture.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::{id_from_path, id_from_text};
use super::preprocess_spec::PreprocessSpec;
use super::schema_parts;

/// A network with its weights; also written as the architecture's name alone.
///
/// In Rust it is made in the same short ways:
///
/// ```
/// use convscope::spec::ModelSpec;
///
/// let model: ModelSpec = "resnet50".into();
/// let other = ModelSpec::new("vgg16").weights("imagenet-gap").id("vgg");
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
// `remote` makes inherent functions of the derived ones; the traits below add the short form.
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(transform = schema_parts::allow_architecture)]
pub struct ModelSpec {
    /// Its name in the report and in the keys of the results; by default the architecture's.
    /// Letters, digits, `_`, `-` and `.`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema_parts::Id>")]
    pub id: Option<String>,
    /// The architecture: `resnet50`. Absent for a `.pt2` file, which holds the network's graph.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    #[schemars(with = "Option<schema_parts::ArchitectureName>")]
    pub arch: String,
    /// A weight set's name (`convscope models` lists them), `random`, or a path to a `.pth`,
    /// `.pt` or `.safetensors` file, or to a `.pt2` file of `torch.export.save`. Absent: the architecture's first weight set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub weights: Option<String>,
    /// A text file with one class name a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub labels: Option<PathBuf>,
    /// The preprocessing; keys that are absent are those of the weight set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocess: Option<PreprocessSpec>,
}

impl ModelSpec {
    /// The architecture with this name, with its first weight set; or the network in the `.pt2` file at this path.
    pub fn new(arch: impl Into<String>) -> Self {
        let arch: String = arch.into();
        let (arch, weights) = if is_exported(&arch) {
            (String::new(), Some(arch))
        } else {
            (arch, None)
        };
        ModelSpec {
            id: None,
            arch,
            weights,
            labels: None,
            preprocess: None,
        }
    }

    /// Sets the weights: the name of a weight set, the path of a weight file, or `random`.
    pub fn weights(mut self, weights: impl Into<String>) -> Self {
        self.weights = Some(weights.into());
        self
    }

    /// Sets the name in the report and in the keys of the results.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Sets the text file with the class names, one a line.
    pub fn labels(mut self, path: impl Into<PathBuf>) -> Self {
        self.labels = Some(path.into());
        self
    }
}

impl ModelSpec {
    /// The path of the `.pt2` file that holds the network, if no architecture is given.
    pub fn exported_program(&self) -> Option<&str> {
        let weights = self.weights.as_deref();
        weights.filter(|path| self.arch.is_empty() && is_exported(path))
    }

    /// The id of a model without one: the architecture, or the file's name without its ending.
    pub fn default_id(&self) -> String {
        match self.exported_program() {
            Some(path) => id_from_path(Path::new(path)),
            None => id_from_text(&self.arch),
        }
    }
}

fn is_exported(path: &str) -> bool {
    path.ends_with(".pt2")
}

impl From<&str> for ModelSpec {
    fn from(arch: &str) -> Self {
        ModelSpec::new(arch)
    }
}

impl Serialize for ModelSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ModelSpec::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for ModelSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ModelVisitor;
        impl<'de> Visitor<'de> for ModelVisitor {
            type Value = ModelSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "an architecture (`resnet50`), a file (`net.pt2`) or a map (`{arch: resnet50, weights: …}`)",
                )
            }

            fn visit_str<E: de::Error>(self, arch: &str) -> Result<ModelSpec, E> {
                Ok(ModelSpec::new(arch))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelSpec, A::Error> {
                ModelSpec::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(ModelVisitor)
    }
}
