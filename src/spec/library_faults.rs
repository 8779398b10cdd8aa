//! What is wrong with an entry of `models` about a library's network: keys that exclude each other, and values that are not
//! allowed.

use super::library_network::Library;
use super::model_spec::ModelSpec;

/// The endings of weight files.
const WEIGHT_FILES: [&str; 4] = [".pth", ".pt", ".safetensors", ".bin"];

/// What is wrong with an entry of `models`.
pub(super) struct ModelFault {
    /// The key that the error points at.
    pub key: &'static str,
    pub message: String,
    pub label: &'static str,
    pub help: String,
}

/// Whether `name` can be the name of a library's network: letters, digits, `_`, `-` and `.`, a letter or a digit first. It is
/// part of a path and an argument of a program.
fn is_valid_name(name: &str) -> bool {
    let mut chars = name.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && chars.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.'))
}

/// The fault of an entry, if there is one.
pub(super) fn fault(model: &ModelSpec) -> Option<ModelFault> {
    let Some((library, name)) = model.library() else {
        return fault_without_library(model);
    };
    let key = library.name();
    let both = match (model.arch.is_empty(), &model.timm, &model.torchvision) {
        (false, ..) => Some((key, format!("`arch` and `{key}`"))),
        (true, Some(_), Some(_)) => Some(("torchvision", "`timm` and `torchvision`".to_owned())),
        _ => None,
    };
    if let Some((key, both)) = both {
        let help = "give an entry one network";
        return exclusive(key, &both, "the second network", help);
    }
    if !is_valid_name(name) {
        let message = format!(
            "the name of a {key} network must have letters, digits, `_`, `-` and `.` only, got `{name}`"
        );
        let help = match library {
            Library::Timm => {
                "for example `timm:resnet18.a1_in1k`; `timm.list_pretrained()` lists them"
            }
            Library::Torchvision => {
                "for example `torchvision:resnet18`; `torchvision.models.list_models()` lists them"
            }
        };
        return ModelFault::new(key, message, "not a name", help);
    }
    fault_of_weights(model, key)
}

/// The fault of an entry without `timm` and `torchvision`.
fn fault_without_library(model: &ModelSpec) -> Option<ModelFault> {
    if let Some((library, name)) = Library::split(&model.arch) {
        let arch = &model.arch;
        let message = format!("`arch` must be an architecture of convscope, got `{arch}`");
        let help = format!("write `{}: {name}` in place of `arch`", library.name());
        return ModelFault::new("arch", message, "not an architecture", &help);
    }
    let key = match (model.pretrained, model.seed) {
        (Some(_), _) => "pretrained",
        (None, Some(_)) => "seed",
        (None, None) => return None,
    };
    let message = format!("`{key}` must only be in an entry with `timm` or `torchvision`");
    let help = "untrained weights of an architecture of convscope are `weights: random`";
    ModelFault::new(key, message, "not here", help)
}

/// The fault of `weights`, `pretrained` and `seed` of a network of `library`.
fn fault_of_weights(model: &ModelSpec, library: &str) -> Option<ModelFault> {
    let pretrained = model.pretrained == Some(true);
    let Some(weights) = &model.weights else {
        if model.seed.is_none() || !pretrained {
            return None;
        }
        let help = "`seed` is of untrained weights: leave one of them out";
        let label = "not with `pretrained: true`";
        return exclusive("seed", "`seed` and `pretrained: true`", label, help);
    };
    if !WEIGHT_FILES.iter().any(|end| weights.ends_with(end)) {
        let message = format!(
            "`weights` of a {library} network must be a .pth, .pt, .safetensors or .bin file, got `{weights}`"
        );
        let help = "leave it out for pretrained weights; untrained ones are `pretrained: false`";
        return ModelFault::new("weights", message, "not a weight file", help);
    }
    if model.seed.is_some() {
        let help = "`seed` is of untrained weights, `weights` is a file of trained ones";
        return exclusive("seed", "`seed` and `weights`", "not with `weights`", help);
    }
    if pretrained {
        let both = "`pretrained: true` and `weights`";
        let help = format!("`pretrained` weights are those of {library}; leave it out");
        return exclusive("pretrained", both, "not with `weights`", &help);
    }
    None
}

fn exclusive(key: &'static str, both: &str, label: &'static str, help: &str) -> Option<ModelFault> {
    ModelFault::new(key, format!("{both} exclude each other"), label, help)
}

impl ModelFault {
    fn new(key: &'static str, message: String, label: &'static str, help: &str) -> Option<Self> {
        Some(ModelFault {
            key,
            message,
            label,
            help: help.to_owned(),
        })
    }
}
