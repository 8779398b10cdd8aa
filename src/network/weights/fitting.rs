//! A file's tensors held against an architecture: all there, none too many, each of the right shape
//! and finite; or one error that says everything that is not.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;

use super::names::{Blocks, Naming, common_prefix};
use super::{StateDict, wrong};
use crate::error::Result;
use crate::network::graph::Graph;
use crate::network::zoo::{ARCHITECTURES, Arch, Options};

/// How many names of each sort of fault an error lists.
const LISTED: usize = 10;

/// Brings a file's tensors under torchvision's names and says with which options `arch` takes them:
/// the number of classes is the file's, and so are the padding and the ε that go with its names.
/// `path` is for messages, save that timm's `tf_…` networks can only be told from its others by it.
///
/// # Errors
/// If tensors are missing, unexpected, of another shape or not finite: one error, with the first
/// ten of each, and with the architecture that the file fits if that is another one of the zoo.
pub fn into_parameters(
    arch: &Arch,
    options: Options,
    file: StateDict,
    path: &Path,
) -> Result<(Options, BTreeMap<String, Tensor>)> {
    let prefix = common_prefix(file.keys().map(String::as_str));
    let naming = Naming::of(file.keys().filter_map(|name| name.strip_prefix(&prefix)));
    let options = with_the_files(options, arch, naming, &file, &prefix, path);
    let (graph, options) = with_its_head(arch, options, naming, &file, &prefix);
    let mut found = Fit::of(&graph, naming, &prefix, &file);
    if !found.fits() {
        return Err(misfit(arch, options, naming, &file, &prefix, &found, path));
    }
    let broken: Vec<String> = file
        .iter()
        .filter(|(name, _)| found.ours.contains_key(name.as_str()))
        .filter(|(_, tensor)| !is_finite(tensor))
        .map(|(name, _)| format!("`{name}`"))
        .collect();
    if !broken.is_empty() {
        let message = format!("holds NaN or infinity in {}", listed(&broken));
        return Err(wrong(path, &message).help("was it saved from a training run that diverged?"));
    }
    let mut parameters = BTreeMap::new();
    let shapes: BTreeMap<String, Vec<i64>> = graph.parameters().into_iter().collect();
    for (name, tensor) in file {
        let ours = found.ours.remove(&name);
        if let Some((ours, shape)) = ours.and_then(|ours| shapes.get_key_value(&ours)) {
            parameters.insert(ours.clone(), tensor.f_reshape(shape)?);
        }
    }
    Ok((options, parameters))
}

/// What the names tell of the network: who uses them also pads as TensorFlow does, and has its ε.
fn with_the_files(
    options: Options,
    arch: &Arch,
    naming: Naming,
    file: &StateDict,
    prefix: &str,
    path: &Path,
) -> Options {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let from_tensorflow = match naming {
        Naming::Lukemelas => true,
        Naming::TimmEfficientNet => stem.starts_with("tf_"),
        _ => false,
    };
    let has = |name: &str| file.contains_key(&format!("{prefix}{name}"));
    let short_head = arch.family == "VGG" && has("head.weight") && !has("classifier.0.weight");
    Options {
        same_padding: options.same_padding || from_tensorflow,
        bn_eps: options.bn_eps.or(from_tensorflow.then_some(1e-3)),
        gap_head: options.gap_head || short_head,
        ..options
    }
}

/// The graph with as many classes as the file's head has.
fn with_its_head(
    arch: &Arch,
    options: Options,
    naming: Naming,
    file: &StateDict,
    prefix: &str,
) -> (Graph, Options) {
    let graph = arch.graph(options);
    let blocks = Blocks::of(&graph);
    let head = format!("{}.weight", graph.node(graph.output()).name);
    let is_head = |name: &&String| {
        let name = name.strip_prefix(prefix);
        name.is_some_and(|name| naming.translated(name, &blocks) == head)
    };
    let classes = file
        .keys()
        .find(is_head)
        .and_then(|name| file.get(name)?.size().first().copied())
        .filter(|&classes| classes > 0);
    match classes {
        Some(classes) if classes != options.classes => {
            let options = Options { classes, ..options };
            (arch.graph(options), options)
        }
        _ => (graph, options),
    }
}

/// How a file and a graph agree.
struct Fit {
    /// The file's names to ours, where the shape is right too.
    ours: BTreeMap<String, String>,
    missing: Vec<String>,
    unexpected: Vec<String>,
    misshapen: Vec<String>,
}

impl Fit {
    fn of(graph: &Graph, naming: Naming, prefix: &str, file: &StateDict) -> Self {
        let blocks = Blocks::of(graph);
        let mut wanted: BTreeMap<String, Vec<i64>> = graph.parameters().into_iter().collect();
        let mut found = Fit {
            ours: BTreeMap::new(),
            missing: Vec::new(),
            unexpected: Vec::new(),
            misshapen: Vec::new(),
        };
        for (raw, tensor) in file {
            // A counter of training steps that batch norm keeps and nothing here needs.
            if raw.ends_with("num_batches_tracked") {
                continue;
            }
            let name = raw.strip_prefix(prefix).unwrap_or(raw);
            let ours = naming.translated(name, &blocks);
            match wanted.remove(&ours) {
                None => found.unexpected.push(format!("`{raw}`")),
                Some(shape) if is_shape(&tensor.size(), &shape, naming) => {
                    found.ours.insert(raw.clone(), ours);
                }
                Some(shape) => found.misshapen.push(format!(
                    "`{raw}` is {:?} instead of {shape:?}",
                    tensor.size()
                )),
            }
        }
        let order = graph.parameters().into_iter();
        found.missing = order
            .filter(|(name, _)| wanted.contains_key(name))
            .map(|(name, _)| format!("`{name}`"))
            .collect();
        found
    }

    fn fits(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }

    /// The share of all names, the file's and the graph's, that agree.
    fn share(&self) -> f64 {
        let apart = self.missing.len() + self.unexpected.len() + self.misshapen.len();
        self.ours.len() as f64 / (self.ours.len() + apart).max(1) as f64
    }
}

/// timm's VGG keeps its linear layers as convolutions, which only differ in shape.
fn is_shape(found: &[i64], wanted: &[i64], naming: Naming) -> bool {
    let as_convolution = naming == Naming::TimmVgg
        && matches!((found, wanted), (&[a, b, h, w], &[c, d]) if a == c && b * h * w == d);
    found == wanted || as_convolution
}

fn is_finite(tensor: &Tensor) -> bool {
    let finite = tensor.f_isfinite().and_then(|mask| mask.f_all());
    finite
        .and_then(|all| all.f_int64_value(&[]))
        .is_ok_and(|all| all != 0)
}

/// The first names and how many more there are.
fn listed(names: &[String]) -> String {
    let mut text = names[..names.len().min(LISTED)].join(", ");
    if names.len() > LISTED {
        text.push_str(&format!(" and {} more", names.len() - LISTED));
    }
    text
}

fn misfit(
    arch: &Arch,
    options: Options,
    naming: Naming,
    file: &StateDict,
    prefix: &str,
    found: &Fit,
    path: &Path,
) -> crate::Error {
    let sorts = [
        ("missing", &found.missing),
        ("unexpected", &found.unexpected),
        ("of another shape", &found.misshapen),
    ];
    let faults: Vec<String> = sorts
        .iter()
        .filter(|(_, names)| !names.is_empty())
        .map(|(sort, names)| format!("{} {sort}: {}", names.len(), listed(names)))
        .collect();
    let error = wrong(
        path,
        &format!("does not fit {}: {}", arch.name, faults.join("; ")),
    );
    let share = |arch: &Arch| {
        let (graph, _) = with_its_head(arch, options, naming, file, prefix);
        Fit::of(&graph, naming, prefix, file).share()
    };
    let best = ARCHITECTURES
        .iter()
        .map(|arch| (share(arch), arch))
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    match best {
        Some((share, other)) if other.name != arch.name && share > 0.9 => error.help(format!(
            "these look like weights for {}: `arch: {}`",
            other.name, other.name
        )),
        _ if found.ours.is_empty() => error.help(
            "names of torchvision, timm and efficientnet_pytorch are understood; see `convscope \
             layers` for the names of a network",
        ),
        _ => error,
    }
}
