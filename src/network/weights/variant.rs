//! The variant of an architecture that a file holds, read from the names and shapes of its tensors: the prefix of its names, the
//! library that named them, the channels of the input, stem, shortcuts and head.

use std::collections::BTreeMap;
use std::path::Path;

use super::checkpoint_note::CheckpointNote;
use super::format::StateDict;
use super::head_layers::{HeadLayers, head_layers};
use super::naming_schemes::{EfficientNetBlocks, NamingScheme};
use super::prefix::{Prefix, under};
use crate::network::graph::Graph;
use crate::network::node_info;
use crate::network::zoo::{Arch, ArchOptions, Head, HeadLayer, HeadOp, Stem};

/// The largest number of groups of unused names that a note lists.
const LISTED: usize = 8;

/// The variant of an architecture in a file.
pub(super) struct Variant {
    pub(super) options: ArchOptions,
    pub(super) graph: Graph,
    pub(super) naming: NamingScheme,
    /// torchvision's name for each of the file's names that belong to the network, whether the architecture has it or not.
    pub(super) names: BTreeMap<String, String>,
    /// What was chosen and assumed.
    pub(super) notes: Vec<CheckpointNote>,
    /// The prefix of its names in the file.
    pub(super) prefix: String,
    /// Why the stem is none that the architecture can have: the predicate of a sentence about it.
    pub(super) stem_fault: Option<&'static str>,
    /// Why the head is none: the predicate of a sentence about it.
    pub(super) head_fault: Option<String>,
}

/// The shapes of a graph's parameters, by name.
pub(super) fn shapes(graph: &Graph) -> BTreeMap<String, Vec<i64>> {
    let parameters = graph.parameters().iter();
    parameters
        .map(|parameter| (parameter.name.clone(), parameter.shape.clone()))
        .collect()
}

/// The name of the module that is the head, in the names of a family.
fn own_root(arch: &Arch) -> &'static str {
    match arch.family {
        "ResNet" => "fc",
        _ => "classifier",
    }
}

/// What heads are called.
const ROOTS: [&str; 6] = ["fc", "classifier", "linear", "head.fc", "head", "_fc"];

impl Variant {
    /// The variant of `arch` in `file`, whose path is `path`; `options` are those of the spec or the weight set.
    pub(super) fn of_file(
        arch: &Arch,
        options: ArchOptions,
        file: &StateDict,
        path: &Path,
    ) -> Variant {
        let body = arch.graph(ArchOptions {
            head: Head::None,
            projections: true,
            ..options.clone()
        });
        let blocks = EfficientNetBlocks::from_graph(&body);
        let prefix = Prefix::of_best_match(file, &shapes(&body), &blocks);
        let own = under(file, &prefix.text);
        let naming = NamingScheme::detect(own.clone().map(|(name, _)| name));
        let translate = |(name, _): (&str, _)| {
            let raw = format!("{}{name}", prefix.text);
            (raw, naming.translate(name, &blocks))
        };
        let mut variant = Variant {
            options: options_of_library(options, naming, path),
            graph: body,
            naming,
            names: own.map(translate).collect(),
            notes: Vec::new(),
            prefix: prefix.text.clone(),
            stem_fault: None,
            head_fault: None,
        };
        variant.read_body(arch, file);
        let beside = variant.name_head(arch, file, &prefix);
        variant.note_prefix(file, &prefix);
        variant.notes.extend(beside.map(|head| {
            CheckpointNote::new("network_note.head_beside", &[("head", quoted(&head))])
        }));
        variant.note_body(arch);
        variant.read_head(arch, file);
        variant
    }

    /// The shape of the tensor with torchvision's name `ours`.
    fn shape(&self, file: &StateDict, ours: &str) -> Option<Vec<i64>> {
        let (raw, _) = self.names.iter().find(|(_, name)| *name == ours)?;
        file.get(raw).map(tch::Tensor::size)
    }

    /// Reads the input's channels, stem and shortcuts.
    fn read_body(&mut self, arch: &Arch, file: &StateDict) {
        let stem = match arch.family {
            "ResNet" => "conv1.weight",
            "VGG" => "features.0.weight",
            _ => "features.0.0.weight",
        };
        if let Some(&[_, channels, height, width]) = self.shape(file, stem).as_deref() {
            self.options.channels = channels.max(1);
            if arch.family == "ResNet" && arch.input > 32 && [height, width] == [3, 3] {
                self.options.stem = Stem::Small;
            }
        }
        // The position of the first stage among the children tells whether there is a max pooling before it.
        self.stem_fault = match (self.naming, self.options.stem) {
            (NamingScheme::SequentialResnet(4), Stem::Small) => {
                Some("has a 3 × 3 convolution, and a module between its ReLU and the first stage")
            }
            (NamingScheme::SequentialResnet(3), Stem::Own) => {
                Some("has no max pooling between its ReLU and the first stage")
            }
            _ => None,
        };
        let is_projection = |name: &String| name.contains(".downsample.");
        self.options.projections = self.names.values().any(is_projection);
        if arch.family == "VGG" {
            let has = |ours: &str| self.names.values().any(|name| name == ours);
            let short = has("head.weight") && !has("classifier.0.weight");
            self.options.gap_head |= short;
        }
    }

    /// Gives the head's tensors the family's names. Without a head within the prefix, one beside it is taken: of
    /// `backbone.conv1.weight` and `classifier.weight`; its name is returned.
    fn name_head(&mut self, arch: &Arch, file: &StateDict, prefix: &Prefix) -> Option<String> {
        if self.options.gap_head {
            return None;
        }
        let own = own_root(arch);
        let below = |name: &str, root: &str| -> Option<String> {
            let rest = name.strip_prefix(root)?;
            rest.starts_with('.').then(|| format!("{own}{rest}"))
        };
        let mut roots = vec![own];
        roots.extend(ROOTS.iter().filter(|root| **root != own));
        for root in &roots {
            let mut found = false;
            for name in self.names.values_mut() {
                if let Some(renamed) = below(name, root) {
                    *name = renamed;
                    found = true;
                }
            }
            if found {
                return None;
            }
        }
        let (around, _) = prefix.around()?;
        for root in roots {
            let raw = format!("{around}{root}");
            let named = under(file, around).filter_map(|(name, tensor)| {
                Some((format!("{around}{name}"), below(name, root)?, tensor))
            });
            let shapes: Vec<(String, String, Vec<i64>)> = named
                .map(|(raw, ours, tensor)| (raw, ours, tensor.size()))
                .collect();
            let pairs = shapes
                .iter()
                .map(|(_, ours, shape)| (ours.as_str(), shape.clone()));
            let Ok(head) = head_layers(pairs) else {
                continue;
            };
            if !head.layers.is_empty() {
                let names = shapes.into_iter().map(|(raw, ours, _)| (raw, ours));
                self.names.extend(names);
                return Some(raw);
            }
        }
        None
    }

    /// Reads the head from the tensors with the family's names for it, and builds the graph.
    fn read_head(&mut self, arch: &Arch, file: &StateDict) {
        if self.options.gap_head {
            self.set_classes(arch, self.shape(file, "head.weight"));
            return;
        }
        let root = format!("{}.", own_root(arch));
        let tensors = self
            .names
            .iter()
            .filter(|(_, ours)| ours.starts_with(&root));
        let tensors = tensors.filter_map(|(raw, ours)| {
            let shape = file.get(raw)?.size();
            // timm's VGG has its linear layers as convolutions.
            let flat = match shape[..] {
                [outputs, inputs, height, width] if self.naming == NamingScheme::TimmVgg => {
                    vec![outputs, inputs * height * width]
                }
                _ => shape,
            };
            Some((ours.as_str(), flat))
        });
        let head = match head_layers(tensors) {
            Ok(head) => head,
            Err(clause) => {
                self.head_fault = Some(clause);
                self.graph = arch.graph(self.options.clone());
                return;
            }
        };
        if head.layers.is_empty() {
            self.options.head = Head::None;
            self.graph = arch.graph(self.options.clone());
            if let Some(features) = features(arch, &self.options) {
                let values = [("features", features.to_string())];
                let note = CheckpointNote::new("network_note.no_head", &values);
                self.notes.push(note);
            }
            return;
        }
        self.set_head(arch, head);
    }

    /// Makes `head` the head: the architecture's own one, if it is the same.
    fn set_head(&mut self, arch: &Arch, head: HeadLayers) {
        let layers = Head::Layers(head.layers.clone());
        let (inputs, outputs) = (layers.inputs(), layers.outputs());
        if arch.family == "VGG" {
            let side = (1..=7).find(|side| inputs == Some(512 * side * side));
            self.options.pooled = side.unwrap_or(self.options.pooled);
        }
        self.options.classes = outputs.unwrap_or(self.options.classes);
        let own = arch.graph(self.options.clone());
        self.options.head = layers;
        self.graph = arch.graph(self.options.clone());
        if self.graph == own {
            self.options.head = Head::Own;
        } else {
            self.note_head(&head);
        }
        if let (Some(features), Some(inputs)) = (features(arch, &self.options), inputs)
            && features != inputs
        {
            let given = match arch.family {
                "VGG" => "512 to 25088 features (512 for each position of a map of 1 × 1 to 7 × 7)"
                    .to_owned(),
                _ => format!("{features} features"),
            };
            self.head_fault = Some(format!(
                "takes {inputs} values, but {} gives {given}",
                arch.name
            ));
        }
        if self.options.pooled != 7 && self.head_fault.is_none() {
            let side = self.options.pooled;
            let values = [
                ("side", side.to_string()),
                ("pixels", arch.side(&self.options).to_string()),
            ];
            self.notes
                .push(CheckpointNote::new("network_note.pooled", &values));
        }
    }

    /// Sets the number of classes to the first length of a head's weight.
    fn set_classes(&mut self, arch: &Arch, weight: Option<Vec<i64>>) {
        if let Some(&[classes, ..]) = weight.as_deref() {
            self.options.classes = classes.max(1);
        }
        self.graph = arch.graph(self.options.clone());
    }

    /// Notes what was chosen of the file, and what is not used.
    fn note_prefix(&mut self, file: &StateDict, prefix: &Prefix) {
        if !prefix.text.is_empty() {
            let values = [("prefix", quoted(&prefix.text))];
            self.notes
                .push(CheckpointNote::new("network_note.prefix", &values));
        }
        if !prefix.others.is_empty() {
            let others = prefix.others.iter().take(LISTED);
            let others: Vec<String> = others.map(|name| quoted(name)).collect();
            let values = [("others", others.join(", "))];
            self.notes
                .push(CheckpointNote::new("network_note.copies", &values));
        }
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        for name in file.keys().filter(|name| !self.names.contains_key(*name)) {
            *groups.entry(group(name, &prefix.text)).or_default() += 1;
        }
        if groups.is_empty() {
            return;
        }
        let more = groups.len().saturating_sub(LISTED);
        let mut list: Vec<String> = groups
            .into_iter()
            .take(LISTED)
            .map(|(name, count)| format!("`{name}` ({count})"))
            .collect();
        if more > 0 {
            list.push(format!("{more} more"));
        }
        let values = [("list", list.join(", "))];
        self.notes
            .push(CheckpointNote::new("network_note.left_out", &values));
    }

    /// Notes what was assumed of stem and shortcuts.
    fn note_body(&mut self, arch: &Arch) {
        if self.options.stem == Stem::Small {
            self.notes
                .push(CheckpointNote::new("network_note.small_stem", &[]));
        }
        if arch.family == "ResNet" && arch.input == 32 && !self.options.projections {
            self.notes
                .push(CheckpointNote::new("network_note.zero_shortcuts", &[]));
        }
    }

    /// Notes what was assumed of a head that is not the architecture's own.
    fn note_head(&mut self, head: &HeadLayers) {
        if head.assumed {
            let names = head.layers.iter().map(|layer| {
                let op = match layer.op {
                    HeadOp::Linear { .. } => "Linear",
                    HeadOp::BatchNorm { .. } => "BatchNorm1d",
                    HeadOp::Relu => "ReLU",
                };
                format!("`{}` {op}", layer.name)
            });
            let layers = names.collect::<Vec<_>>().join(", ");
            let is_relu = |layer: &HeadLayer| layer.op == HeadOp::Relu;
            let key = if head.layers.iter().any(is_relu) {
                "network_note.head"
            } else {
                "network_note.dropout"
            };
            self.notes
                .push(CheckpointNote::new(key, &[("layers", layers)]));
        }
        if let Some((first, second)) = &head.linear_pair {
            let values = [("first", quoted(first)), ("second", quoted(second))];
            self.notes
                .push(CheckpointNote::new("network_note.no_activation", &values));
        }
        for layer in &head.layers {
            if matches!(layer.op, HeadOp::Linear { bias: false, .. }) {
                let values = [("layer", quoted(&layer.name))];
                self.notes
                    .push(CheckpointNote::new("network_note.no_bias", &values));
            }
        }
    }
}

fn quoted(name: &str) -> String {
    format!("`{name}`")
}

/// The options that follow from a file's names: networks trained in TensorFlow have its padding and its ε.
fn options_of_library(options: ArchOptions, naming: NamingScheme, path: &Path) -> ArchOptions {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let from_tensorflow = match naming {
        NamingScheme::EfficientNetPytorch => true,
        NamingScheme::TimmEfficientNet => stem.starts_with("tf_"),
        _ => false,
    };
    ArchOptions {
        same_padding: options.same_padding || from_tensorflow,
        bn_eps: options.bn_eps.or(from_tensorflow.then_some(1e-3)),
        ..options
    }
}

/// How many features the network gives its head.
fn features(arch: &Arch, options: &ArchOptions) -> Option<i64> {
    let graph = arch.graph(ArchOptions {
        head: Head::None,
        ..options.clone()
    });
    let side = arch.side(options);
    let info = node_info::from_graph(&graph, side, side).ok()?;
    match info.get(graph.output())?.shape[..] {
        [features] => Some(features),
        _ => None,
    }
}

/// The part of a file that an unused name belongs to: its first components up to the one that is not the prefix's.
fn group<'a>(name: &'a str, prefix: &str) -> &'a str {
    let mut end = 0;
    let mut pieces = prefix.split_terminator('.');
    for piece in name.split('.') {
        end += piece.len();
        if pieces.next() != Some(piece) {
            break;
        }
        end += 1;
    }
    &name[..end.min(name.len())]
}
