//! Matches the tensors of a file with the parameters of an architecture: names, shapes, and finite values. One error
//! lists everything that does not match.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;

use super::format::{StateDict, file_error};
use super::naming_schemes::{EfficientNetBlocks, NamingScheme, common_prefix};
use crate::error::{Error, Result};
use crate::network::graph::Graph;
use crate::network::zoo::{Arch, ArchOptions, architectures};

/// The largest number of names that an error lists for each kind of mismatch.
const LISTED: usize = 10;

/// Renames a file's tensors to torchvision's names, and returns them with the options of the `arch` that they belong
/// to: the number of classes is that of the file's head, and padding and ε are those of the library whose names the
/// file uses. `path` is for messages, and for the prefix `tf_` of its file name, which is all that distinguishes those
/// networks of timm from its others.
///
/// # Errors
/// If tensors are missing, unexpected, of another shape or not finite: one error, with the first ten of each, and with
/// the architecture that the file does match, if there is one.
pub fn into_parameters(
    arch: &Arch,
    options: ArchOptions,
    file: StateDict,
    path: &Path,
) -> Result<(ArchOptions, BTreeMap<String, Tensor>)> {
    let prefix = common_prefix(file.keys().map(String::as_str));
    let naming = NamingScheme::detect(file.keys().filter_map(|name| name.strip_prefix(&prefix)));
    let options = options_of_file(options, arch, naming, &file, &prefix, path);
    let (graph, options) = graph_for_head(arch, options, naming, &file, &prefix);
    let mut found = Match::new(&graph, naming, &prefix, &file);
    if !found.is_complete() {
        return Err(mismatch_error(
            arch, options, naming, &file, &prefix, &found, path,
        ));
    }
    let mut broken = Vec::new();
    for (name, tensor) in &file {
        if found.matched.contains_key(name) && !is_finite(tensor)? {
            broken.push(format!("`{name}`"));
        }
    }
    if !broken.is_empty() {
        let message = format!("holds NaN or infinity in {}", listed(&broken));
        return Err(
            file_error(path, &message).help("was it saved from a training run that diverged?")
        );
    }
    let mut parameters = BTreeMap::new();
    let shapes = shapes(&graph);
    for (name, tensor) in file {
        let ours = found.matched.remove(&name);
        if let Some((ours, shape)) = ours.and_then(|ours| shapes.get_key_value(&ours)) {
            parameters.insert(ours.clone(), tensor.f_reshape(shape)?);
        }
    }
    Ok((options, parameters))
}

/// The options that follow from a file's names: networks trained in TensorFlow have its padding and its ε.
fn options_of_file(
    options: ArchOptions,
    arch: &Arch,
    naming: NamingScheme,
    file: &StateDict,
    prefix: &str,
    path: &Path,
) -> ArchOptions {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let from_tensorflow = match naming {
        NamingScheme::EfficientNetPytorch => true,
        NamingScheme::TimmEfficientNet => stem.starts_with("tf_"),
        _ => false,
    };
    let has = |name: &str| file.contains_key(&format!("{prefix}{name}"));
    let short_head = arch.family == "VGG" && has("head.weight") && !has("classifier.0.weight");
    ArchOptions {
        same_padding: options.same_padding || from_tensorflow,
        bn_eps: options.bn_eps.or(from_tensorflow.then_some(1e-3)),
        gap_head: options.gap_head || short_head,
        ..options
    }
}

/// The graph with as many classes as the file's head has, and its options.
fn graph_for_head(
    arch: &Arch,
    options: ArchOptions,
    naming: NamingScheme,
    file: &StateDict,
    prefix: &str,
) -> (Graph, ArchOptions) {
    let graph = arch.graph(options);
    let blocks = EfficientNetBlocks::from_graph(&graph);
    let head = format!("{}.weight", graph.node(graph.output()).name);
    let is_head = |name: &&String| {
        let name = name.strip_prefix(prefix);
        name.is_some_and(|name| naming.translate(name, &blocks) == head)
    };
    let classes = file
        .keys()
        .find(is_head)
        .and_then(|name| file.get(name)?.size().first().copied())
        .filter(|&classes| classes > 0);
    match classes {
        Some(classes) if classes != options.classes => {
            let options = ArchOptions { classes, ..options };
            (arch.graph(options), options)
        }
        _ => (graph, options),
    }
}

/// The shapes of a graph's parameters, by name.
fn shapes(graph: &Graph) -> BTreeMap<String, Vec<i64>> {
    let parameters = graph.parameters().iter();
    parameters
        .map(|parameter| (parameter.name.clone(), parameter.shape.clone()))
        .collect()
}

/// The names of a file compared with those of a graph.
struct Match {
    /// torchvision's name for each of the file's names, where the shapes agree, too.
    matched: BTreeMap<String, String>,
    missing: Vec<String>,
    unexpected: Vec<String>,
    misshapen: Vec<String>,
}

impl Match {
    fn new(graph: &Graph, naming: NamingScheme, prefix: &str, file: &StateDict) -> Self {
        let blocks = EfficientNetBlocks::from_graph(graph);
        let mut wanted = shapes(graph);
        let mut found = Match {
            matched: BTreeMap::new(),
            missing: Vec::new(),
            unexpected: Vec::new(),
            misshapen: Vec::new(),
        };
        for (raw, tensor) in file {
            // A counter of training steps, which evaluation does not need.
            if raw.ends_with("num_batches_tracked") {
                continue;
            }
            let name = raw.strip_prefix(prefix).unwrap_or(raw);
            let ours = naming.translate(name, &blocks);
            match wanted.remove(&ours) {
                None => found.unexpected.push(format!("`{raw}`")),
                Some(shape) if shapes_match(&tensor.size(), &shape, naming) => {
                    found.matched.insert(raw.clone(), ours);
                }
                Some(shape) => found.misshapen.push(format!(
                    "`{raw}` is {:?} instead of {shape:?}",
                    tensor.size()
                )),
            }
        }
        let order = graph.parameters().iter();
        found.missing = order
            .filter(|parameter| wanted.contains_key(&parameter.name))
            .map(|parameter| format!("`{}`", parameter.name))
            .collect();
        found
    }

    fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }

    /// The share of all names, the file's and the graph's, that match, 0 to 1.
    fn share(&self) -> f64 {
        let mismatches = self.missing.len() + self.unexpected.len() + self.misshapen.len();
        self.matched.len() as f64 / (self.matched.len() + mismatches).max(1) as f64
    }
}

/// Whether the shapes agree. timm's VGG has its linear layers as convolutions, which differ in shape only.
fn shapes_match(found: &[i64], wanted: &[i64], naming: NamingScheme) -> bool {
    let as_convolution = naming == NamingScheme::TimmVgg
        && matches!((found, wanted), (&[a, b, h, w], &[c, d]) if a == c && b * h * w == d);
    found == wanted || as_convolution
}

/// Whether all values are finite.
fn is_finite(tensor: &Tensor) -> Result<bool> {
    Ok(tensor.f_isfinite()?.f_all()?.f_int64_value(&[])? != 0)
}

/// The first [`LISTED`] names, and the number of the others.
fn listed(names: &[String]) -> String {
    let mut text = names[..names.len().min(LISTED)].join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}

/// The error about a file that does not match `arch`.
fn mismatch_error(
    arch: &Arch,
    options: ArchOptions,
    naming: NamingScheme,
    file: &StateDict,
    prefix: &str,
    found: &Match,
    path: &Path,
) -> Error {
    let kinds = [
        ("missing", &found.missing),
        ("unexpected", &found.unexpected),
        ("of another shape", &found.misshapen),
    ];
    let faults: Vec<String> = kinds
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(kind, names)| format!("{} {kind}: {}", names.len(), listed(names)))
        .collect();
    let error = file_error(
        path,
        &format!("does not fit {}: {}", arch.name, faults.join("; ")),
    );
    let share = |arch: &Arch| {
        let (graph, _) = graph_for_head(arch, options, naming, file, prefix);
        Match::new(&graph, naming, prefix, file).share()
    };
    let best = architectures()
        .map(|arch| (share(arch), arch))
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    match best {
        Some((share, other)) if other.name != arch.name && share > 0.9 => error.help(format!(
            "these look like weights for {}: `arch: {}`",
            other.name, other.name
        )),
        _ if found.matched.is_empty() => error.help(
            "allowed are the names of torchvision, timm and efficientnet_pytorch; see `convscope \
             layers` for the names of a network",
        ),
        _ => error,
    }
}
