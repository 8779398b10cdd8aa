//! An entry of `models`: an architecture with its parameters, labels and preprocessing. A text alone is an architecture, a
//! `.pt2` file, or a network of timm or torchvision.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::ids::{id_from_path, id_from_text};
use super::library_network::{Library, LibraryNetwork, LibraryWeights};
use super::preprocess_spec::PreprocessSpec;
use super::schema_parts;
use crate::network::{OutputChoice, Task};

/// The endings of files that may be given as a network.
const NETWORK_FILES: [&str; 12] = [
    "pt2",
    "pt",
    "pth",
    "bin",
    "ckpt",
    "safetensors",
    "onnx",
    "pkl",
    "jit",
    "h5",
    "keras",
    "tflite",
];

/// A network with its weights; also written as the architecture's name alone.
///
/// In Rust it is made in the same short ways:
///
/// ```
/// use convscope::spec::ModelSpec;
///
/// let model: ModelSpec = "resnet50".into();
/// let other = ModelSpec::new("vgg16").weights("imagenet-gap").id("vgg");
/// let untrained = ModelSpec::new("timm:convnextv2_atto").seed(7);
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
    /// A network of the Python library timm: `convnextv2_atto.fcmae_ft_in1k`. convscope exports it with PyTorch, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema_parts::LibraryName>")]
    pub timm: Option<String>,
    /// A network of the Python library torchvision: `resnet18`, or with weights `resnet18.IMAGENET1K_V1`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<schema_parts::LibraryName>")]
    pub torchvision: Option<String>,
    /// Whether a network of timm or torchvision has the weights of the library; `false` for random ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pretrained: Option<bool>,
    /// The seed of random weights of a network of timm or torchvision; by default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed: Option<u64>,
    /// A weight set's name (`convscope models` lists them), `random`, or a path to a `.pth`,
    /// `.pt` or `.safetensors` file, or to a `.pt2` file of `torch.export.save`. Absent: the architecture's first weight set.
    /// For a network of timm or torchvision a file of a state dict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub weights: Option<String>,
    /// Which output of a network with several is explained: its position, counted from 0, or its name. By default the first one
    /// of shape `[N, classes]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<OutputChoice>,
    /// What its outputs mean: logits of classes of which one is true (`classes`) or several can be (`multi-label`), values
    /// (`regression`), or a vector that describes the image (`codes`). By default `classes`; `multi-label` for a network that
    /// ends with the sigmoids of several outputs, and `codes` for one without a classifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
    /// A file with the names of all classes, in the order of the outputs: text with one name a line, JSON or CSV.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub labels: Option<PathBuf>,
    /// The preprocessing; keys that are absent are those of the weight set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preprocess: Option<PreprocessSpec>,
}

impl ModelSpec {
    /// The architecture with this name, with its first weight set; the network in the `.pt2` file at this path; or a pretrained
    /// network of a library, such as `timm:resnet18`.
    pub fn new(network: impl Into<String>) -> Self {
        let network: String = network.into();
        let mut model = ModelSpec {
            id: None,
            arch: String::new(),
            timm: None,
            torchvision: None,
            pretrained: None,
            seed: None,
            weights: None,
            output: None,
            task: None,
            labels: None,
            preprocess: None,
        };
        match Library::split(&network) {
            Some((Library::Timm, name)) => model.timm = Some(name.to_owned()),
            Some((Library::Torchvision, name)) => model.torchvision = Some(name.to_owned()),
            None if is_exported(&network) => model.weights = Some(network),
            None => model.arch = network,
        }
        model
    }

    /// Sets whether a network of timm or torchvision has the library's weights.
    pub fn pretrained(mut self, pretrained: bool) -> Self {
        self.pretrained = Some(pretrained);
        self
    }

    /// Gives a network of timm or torchvision random weights with this seed.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
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

    /// Sets which output of a network with several is explained.
    pub fn output(mut self, output: impl Into<OutputChoice>) -> Self {
        self.output = Some(output.into());
        self
    }

    /// Sets what the outputs mean.
    pub fn task(mut self, task: Task) -> Self {
        self.task = Some(task);
        self
    }

    /// Sets the file with the class names: text with one name a line, JSON or CSV.
    pub fn labels(mut self, path: impl Into<PathBuf>) -> Self {
        self.labels = Some(path.into());
        self
    }
}

impl ModelSpec {
    /// The path of the file that holds the network, if no architecture is given. Whether it does is seen in the file.
    pub fn exported_program(&self) -> Option<&str> {
        let weights = self.weights.as_deref();
        let no_other = self.arch.is_empty() && self.library().is_none();
        weights.filter(|path| no_other && is_exported(path))
    }

    /// The library's network, if the entry names one.
    pub fn library_network(&self) -> Option<LibraryNetwork> {
        let (library, name) = self.library()?;
        let weights = match (&self.weights, self.seed, self.pretrained) {
            (Some(path), ..) => LibraryWeights::File(path.into()),
            (None, None, None | Some(true)) => LibraryWeights::Pretrained,
            (None, seed, _) => LibraryWeights::Untrained {
                seed: seed.unwrap_or(0),
            },
        };
        Some(LibraryNetwork {
            library,
            name: name.to_owned(),
            weights,
        })
    }

    /// The library and the name of its network.
    pub(super) fn library(&self) -> Option<(Library, &str)> {
        let timm = self.timm.as_deref().map(|name| (Library::Timm, name));
        let torchvision = self.torchvision.as_deref();
        timm.or(torchvision.map(|name| (Library::Torchvision, name)))
    }

    /// The id of a model without one: the architecture, the library's name of the network, or the file's name without its
    /// ending.
    pub fn default_id(&self) -> String {
        match (self.exported_program(), self.library()) {
            (Some(path), _) => id_from_path(Path::new(path)),
            (None, Some((_, name))) => id_from_text(name),
            (None, None) => id_from_text(&self.arch),
        }
    }
}

/// Whether a text names a file, and no architecture. Those that hold no network are refused when the file is read, with
/// what to write instead.
fn is_exported(path: &str) -> bool {
    let ending = Path::new(path)
        .extension()
        .and_then(|ending| ending.to_str());
    ending.is_some_and(|ending| NETWORK_FILES.contains(&ending.to_ascii_lowercase().as_str()))
}

impl From<&str> for ModelSpec {
    fn from(network: &str) -> Self {
        ModelSpec::new(network)
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
                    "an architecture (`resnet50`), a library's network (`timm:NAME`), a file (`net.pt2`) or a map (`{arch: resnet50, weights: …}`)",
                )
            }

            fn visit_str<E: de::Error>(self, network: &str) -> Result<ModelSpec, E> {
                Ok(ModelSpec::new(network))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelSpec, A::Error> {
                ModelSpec::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(ModelVisitor)
    }
}
