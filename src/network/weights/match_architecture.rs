//! Matches the tensors of a file with the parameters of an architecture: names, shapes, and finite values. One error
//! lists everything that does not match.

use std::collections::BTreeMap;
use std::path::Path;

use tch::Tensor;

use super::checkpoint_note::CheckpointNote;
use super::format::{StateDict, file_error};
use super::naming_schemes::NamingScheme;
use super::variant::{Variant, shapes};
use crate::error::{Error, Result};
use crate::network::zoo::{Arch, ArchOptions, architectures};

/// The largest number of names that an error lists for each kind of mismatch.
const LISTED: usize = 10;

/// The largest number of tensors in a file that is compared with all architectures.
const COMPARED: usize = 20_000;

/// What to do with a network that is no variant of the architecture.
const EXPORT: &str =
    "export another network with `scripts/export.py` and write its `.pt2` file instead";

/// The parameters of a network that fits an architecture.
#[derive(Debug)]
pub struct Checkpoint {
    /// The variant of the architecture: the options of its graph.
    pub options: ArchOptions,
    /// The parameters and buffers, by torchvision's names.
    pub parameters: BTreeMap<String, Tensor>,
    /// What was chosen of the file, and what was assumed.
    pub notes: Vec<CheckpointNote>,
}

/// Renames a file's tensors to torchvision's names, and finds the variant of `arch` that they belong to: the channels of the
/// input, stem, shortcuts and head are the file's, padding and ε are those of the library whose names it uses. The network may
/// be a part of the file, below any prefix; tensors outside of it are not used, and a note says so. `path` is for messages, and
/// for the prefix `tf_` of its file name, which is all that distinguishes those networks of timm from its others.
///
/// # Errors
/// If tensors are missing, unexpected, of another shape or not finite: one error, with the first ten of each, and with
/// the architecture that the file does match, if there is one. If the head has a module that is neither Linear nor
/// BatchNorm1d, or layers that don't fit together.
pub fn into_parameters(
    arch: &Arch,
    options: ArchOptions,
    file: StateDict,
    path: &Path,
) -> Result<Checkpoint> {
    let variant = Variant::of_file(arch, options.clone(), &file, path);
    let mut found = Match::new(&variant, &file);
    if let Some(clause) = &variant.head_fault
        && found.missing_body(&variant) == 0
    {
        return Err(head_error(arch, clause, path));
    }
    if let Some(clause) = variant.stem_fault.filter(|_| found.is_complete()) {
        let message = format!("does not fit {}: its stem {clause}", arch.name);
        return Err(file_error(path, &message).help(format!(
            "that of {} is {}; {EXPORT}",
            arch.name,
            allowed_stem(arch)
        )));
    }
    if !found.is_complete() {
        return Err(mismatch_error(arch, options, &file, &variant, &found, path));
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
    let shapes = shapes(&variant.graph);
    for (name, tensor) in file {
        let ours = found.matched.remove(&name);
        if let Some((ours, shape)) = ours.and_then(|ours| shapes.get_key_value(&ours)) {
            parameters.insert(ours.clone(), tensor.f_reshape(shape)?);
        }
    }
    Ok(Checkpoint {
        options: variant.options,
        parameters,
        notes: variant.notes,
    })
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
    fn new(variant: &Variant, file: &StateDict) -> Self {
        let mut wanted = shapes(&variant.graph);
        let mut found = Match {
            matched: BTreeMap::new(),
            missing: Vec::new(),
            unexpected: Vec::new(),
            misshapen: Vec::new(),
        };
        for (raw, ours) in &variant.names {
            // A counter of training steps, which evaluation does not need.
            if raw.ends_with("num_batches_tracked") {
                continue;
            }
            let Some(tensor) = file.get(raw) else {
                continue;
            };
            match wanted.remove(ours) {
                None => found.unexpected.push(format!("`{raw}`")),
                Some(shape) if shapes_match(&tensor.size(), &shape, variant.naming) => {
                    found.matched.insert(raw.clone(), ours.clone());
                }
                Some(shape) => found.misshapen.push(format!(
                    "`{raw}` is {:?} instead of {shape:?}",
                    tensor.size()
                )),
            }
        }
        let order = variant.graph.parameters().iter();
        found.missing = order
            .filter(|parameter| wanted.contains_key(&parameter.name))
            .map(|parameter| match variant.naming {
                NamingScheme::Torchvision => format!("`{}{}`", variant.prefix, parameter.name),
                _ => format!("`{}`", parameter.name),
            })
            .collect();
        found
    }

    fn is_complete(&self) -> bool {
        self.missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty()
    }

    /// How many parameters before the head are missing or of another shape.
    fn missing_body(&self, variant: &Variant) -> usize {
        let graph = &variant.graph;
        let is_matched = |name: &String| self.matched.values().any(|ours| ours == name);
        let after = graph.find("flatten").unwrap_or(graph.output());
        let nodes = &graph.nodes()[..after];
        let own = nodes.iter().flat_map(|node| &node.parameters);
        let names = own.map(|&id| &graph.parameters()[id].name);
        names.filter(|name| !is_matched(name)).count()
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

/// The error about a file whose head can't be read.
fn head_error(arch: &Arch, clause: &str, path: &Path) -> Error {
    let message = format!("does not fit {}: its head {clause}", arch.name);
    file_error(path, &message).help(format!(
        "a head is a chain of Linear, BatchNorm1d, ReLU and dropout on the pooled features; {EXPORT}"
    ))
}

/// The error about a file that does not match `arch`.
fn mismatch_error(
    arch: &Arch,
    options: ArchOptions,
    file: &StateDict,
    variant: &Variant,
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
    let others = architectures().filter(|other| other.name != arch.name);
    let others = others.filter(|_| file.len() <= COMPARED);
    let best = others
        .map(|other| {
            let variant = Variant::of_file(other, options.clone(), file, path);
            (Match::new(&variant, file).share(), other)
        })
        .reduce(|best, next| if next.0 > best.0 { next } else { best });
    match best {
        Some((share, other)) if share > 0.9 && share > found.share() => error.help(format!(
            "this looks like {}: `arch: {}`",
            other.name, other.name
        )),
        _ if found.matched.is_empty() => error.help(
            "allowed are the names of torchvision, timm, efficientnet_pytorch and the common CIFAR repositories; see \
             `convscope layers` for the names of a network",
        ),
        _ => match stem_help(arch, file, variant) {
            Some(help) => error.help(help),
            None => error,
        },
    }
}

/// What to do with a file whose stem is none of those that the architecture can have.
fn stem_help(arch: &Arch, file: &StateDict, variant: &Variant) -> Option<String> {
    let own = match arch.family {
        "ResNet" => "conv1",
        "VGG" => "features.0",
        _ => "features.0.0",
    };
    let is_stem = |ours: &str| {
        let rest = ours.strip_prefix(own);
        rest.is_some_and(|rest| rest.starts_with('.') && rest.ends_with("weight"))
    };
    let (raw, ours) = variant.names.iter().find(|(_, ours)| is_stem(ours))?;
    let shape = file.get(raw)?.size();
    let wanted = shapes(&variant.graph).get(ours).cloned();
    if wanted.as_ref() == Some(&shape) {
        return None;
    }
    Some(format!(
        "its stem begins with `{raw}` of shape {shape:?}; that of {} is {}; {EXPORT}",
        arch.name,
        allowed_stem(arch)
    ))
}

/// The stems that an architecture can have.
fn allowed_stem(arch: &Arch) -> &'static str {
    match (arch.family, arch.input) {
        ("ResNet", 32) => "a 3 × 3 convolution with stride 1",
        ("ResNet", _) => {
            "a 7 × 7 convolution with stride 2 and max pooling, or a 3 × 3 convolution with stride 1 and no pooling"
        }
        _ => "a 3 × 3 convolution",
    }
}
