//! Layer selectors: the words that make one spec serve several networks.
//!
//! | selector | what it becomes |
//! |---|---|
//! | `layer3.5.conv2` | the node of that name |
//! | `layer3`, `layer3.5` | the output of that module: its last node |
//! | `layer3.*.conv2` | every match, in the network's order; `*` goes across dots |
//! | `first`, `last` | the first and the last convolution of the feature path |
//! | `penultimate` | the vector before the classifier |
//! | `stage3` | the last node before the resolution falls below 1/2³ of the input |
//! | `50%` | the node half-way down the list of nodes |
//!
//! The *feature path* leaves out what stands beside the features: the gates of
//! squeeze-and-excitation and the 1×1 convolutions of shortcuts. `stageN` and `N%` take only nodes
//! that the whole signal passes through, so never one inside a residual branch; and the widening
//! 1×1 convolution before a strided depthwise one counts to the lower resolution, whose block it
//! opens. So `stage3` of ResNet-50 is `layer2.3.relu_2`, that of EfficientNet-B0 `features.3.1.add`.

use globset::GlobBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::graph::{Graph, NodeId, Op, nearest};
use super::node_info::NodeInfo;
use crate::error::{Error, ErrorKind, Result};

/// A layer, or several.
///
/// An exact name (`layer3.5.conv2`) or a module's (`layer3`), a glob (`layer3.*.conv2`), `first` or
/// `last` (convolutions), `penultimate` (the vector before the classifier), `stage1` to `stage5` (the
/// last layer of that resolution), or a depth (`50%`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LayerSelector(pub String);

impl From<&str> for LayerSelector {
    fn from(word: &str) -> Self {
        LayerSelector(word.to_owned())
    }
}

/// The words that are no layer's name.
const WORDS: [&str; 8] = [
    "first",
    "last",
    "penultimate",
    "stage1",
    "stage2",
    "stage3",
    "stage4",
    "stage5",
];

/// The nodes that `selector` means, in the network's order, at least one.
///
/// `infos` are those of [`node_info::from_graph`](crate::network::node_info::from_graph) for the same graph.
///
/// # Errors
/// [`ErrorKind::Network`], if the network has no such layer, with the nearest name.
pub fn resolve(selector: &LayerSelector, graph: &Graph, infos: &[NodeInfo]) -> Result<Vec<NodeId>> {
    let word = selector.0.trim();
    let path = Path::of(graph, infos);
    if let Some(id) = graph.find(word) {
        return Ok(vec![id]);
    }
    match word {
        "first" => {
            return one(
                path.convolutions().next(),
                word,
                "the network has no convolution",
            );
        }
        "last" => {
            return one(
                path.convolutions().last(),
                word,
                "the network has no convolution",
            );
        }
        "penultimate" => {
            return one(
                penultimate(graph),
                word,
                "the network has no linear classifier",
            );
        }
        _ => {}
    }
    if let Some(number) = stage(word) {
        return path.stage(number?).map(|id| vec![id]);
    }
    if let Some(share) = percent(word) {
        return path.at_depth(share?).map(|id| vec![id]);
    }
    if let Some(id) = graph.find_module(word) {
        return Ok(vec![id]);
    }
    if is_glob(word) {
        return glob(word, graph);
    }
    let error = Error::new(ErrorKind::Network, format!("there is no layer `{word}`"));
    Err(match nearest(word, names(graph)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`convscope layers` lists a network's layers"),
    })
}

/// [`resolve`] for methods that need height and width: maps over the picture.
///
/// # Errors
/// Also if one of the layers has none left, or is a gate's.
pub fn resolve_spatial(
    selector: &LayerSelector,
    graph: &Graph,
    infos: &[NodeInfo],
) -> Result<Vec<NodeId>> {
    let ids = resolve(selector, graph, infos)?;
    match ids.iter().find(|&&id| !infos[id].is_spatial()) {
        None => Ok(ids),
        Some(&id) => {
            let shape: Vec<String> = infos[id].shape.iter().map(i64::to_string).collect();
            let message = format!(
                "`{}` ({}) has no places on the picture any more, and a map needs height and width",
                graph.node(id).name,
                shape.join("×")
            );
            let error = Error::new(ErrorKind::Network, message);
            Err(error.help("take a layer before the pooling: `last`, or a stage"))
        }
    }
}

/// What can be said of a selector without a network.
///
/// # Errors
/// [`ErrorKind::Spec`], if no network can have it: `120%`, `stage`, an unclosed glob.
pub(crate) fn check(selector: &LayerSelector) -> Result<()> {
    let word = selector.0.trim();
    if word.is_empty() {
        return Err(Error::new(ErrorKind::Spec, "an empty text names no layer"));
    }
    if let Some(number) = stage(word) {
        number?;
    }
    if let Some(share) = percent(word) {
        share?;
    }
    if is_glob(word) {
        matcher(word)?;
    }
    Ok(())
}

/// Everything a user may have meant.
fn names(graph: &Graph) -> impl Iterator<Item = &str> {
    let own = graph.nodes().iter().map(|node| node.name.as_str());
    let modules = own
        .clone()
        .flat_map(|name| name.match_indices('.').map(|(at, _)| &name[..at]));
    WORDS.into_iter().chain(own).chain(modules)
}

fn one(found: Option<NodeId>, word: &str, why: &str) -> Result<Vec<NodeId>> {
    found.map(|id| vec![id]).ok_or_else(|| {
        Error::new(
            ErrorKind::Network,
            format!("there is no `{word}` layer: {why}"),
        )
    })
}

/// What feeds the last linear layer. Dropout does nothing in evaluation, so it is passed over.
fn penultimate(graph: &Graph) -> Option<NodeId> {
    let head =
        (0..graph.nodes().len()).rfind(|&id| matches!(graph.node(id).op, Op::Linear { .. }))?;
    let mut id = *graph.node(head).inputs.first()?;
    while graph.node(id).op == Op::Dropout {
        id = *graph.node(id).inputs.first()?;
    }
    Some(id)
}

fn stage(word: &str) -> Option<Result<u32>> {
    let number = word.strip_prefix("stage")?;
    let digits = number.chars().all(|digit| digit.is_ascii_digit());
    // `stages.1` may be a module's name.
    digits.then(|| match number.parse() {
        Ok(number) if number <= 16 => Ok(number),
        _ => Err(Error::new(ErrorKind::Spec, format!("there is no `{word}`"))
            .help("`stage1` is half the picture's resolution, `stage5` a 32nd")),
    })
}

fn percent(word: &str) -> Option<Result<f64>> {
    let number = word.strip_suffix('%')?;
    Some(match number.trim().parse::<f64>() {
        Ok(share) if (0.0..=100.0).contains(&share) => Ok(share / 100.0),
        _ => Err(Error::new(ErrorKind::Spec, format!("`{word}` is no depth"))
            .help("a depth goes from `0%` (the picture) to `100%` (the logits)")),
    })
}

/// Whether the selector is a pattern over names.
pub fn is_glob(word: &str) -> bool {
    word.contains(['*', '?', '[', '{'])
}

fn matcher(word: &str) -> Result<globset::GlobMatcher> {
    let glob = GlobBuilder::new(word).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        Error::new(
            ErrorKind::Spec,
            format!("`{word}` is no pattern: {}", error.kind()),
        )
        .help("`*` is any text, `?` one character, `{a,b}` one of several")
    })
}

fn glob(word: &str, graph: &Graph) -> Result<Vec<NodeId>> {
    let matcher = matcher(word)?;
    let ids: Vec<NodeId> = (0..graph.nodes().len())
        .filter(|&id| matcher.is_match(&graph.node(id).name))
        .collect();
    if !ids.is_empty() {
        return Ok(ids);
    }
    let error = Error::new(ErrorKind::Network, format!("no layer matches `{word}`"));
    Err(
        match nearest(word, graph.nodes().iter().map(|node| node.name.as_str())) {
            Some(near) => error.help(format!("the nearest name is `{near}`")),
            None => error.help("`convscope layers` lists a network's layers"),
        },
    )
}

/// A graph with what stands beside its features marked.
struct Path<'a> {
    graph: &'a Graph,
    infos: &'a [NodeInfo],
    /// In a gate, or in a shortcut's own layers.
    aside: Vec<bool>,
    /// The whole signal passes through the node: no edge goes past it.
    neck: Vec<bool>,
}

impl<'a> Path<'a> {
    fn of(graph: &'a Graph, infos: &'a [NodeInfo]) -> Self {
        let nodes = graph.nodes();
        let mut aside = vec![false; nodes.len()];
        let mut neck = vec![true; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            for &input in &node.inputs {
                neck[input + 1..id].fill(false);
            }
            // `Add` has the shortcut first, `Mul` the gate second.
            let (main, side) = match (&node.op, &node.inputs[..]) {
                (Op::Add, [side, main]) | (Op::Mul, [main, side]) => (*main, *side),
                _ => continue,
            };
            let (main, side) = (upstream(graph, main), upstream(graph, side));
            for (place, mark) in aside.iter_mut().enumerate() {
                *mark |= side[place] && !main[place];
            }
        }
        Path {
            graph,
            infos,
            aside,
            neck,
        }
    }

    fn convolutions(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.graph.convolutions().filter(|&id| !self.aside[id])
    }

    fn stage(&self, number: u32) -> Result<NodeId> {
        let stride = 1_i64 << number;
        let at = |id: &NodeId| self.neck[*id] && self.infos[*id].is_spatial();
        let ids = (0..self.graph.nodes().len()).filter(at);
        let last = ids.clone().rfind(|&id| self.infos[id].stride == stride);
        let Some(last) = last else {
            let deepest = ids.map(|id| self.infos[id].stride).max().unwrap_or(1);
            let message = format!(
                "there is no `stage{number}`: no layer has 1/{stride} of the picture's resolution"
            );
            return Err(Error::new(ErrorKind::Network, message).help(format!(
                "this network's lowest resolution is 1/{deepest}: `stage{}`",
                deepest.ilog2()
            )));
        };
        Ok(self.before_expansion(last))
    }

    /// Steps back over the widening 1×1 convolution that opens the next block, if `last` ends one.
    fn before_expansion(&self, last: NodeId) -> NodeId {
        let opens = |node: &crate::network::graph::Node| {
            node.inputs.first() == Some(&last)
                && matches!(&node.op, Op::Conv(conv) if conv.groups > 1 && conv.stride > 1)
        };
        if !self.graph.nodes().iter().any(opens) {
            return last;
        }
        let mut id = last;
        while let Some(&input) = self.graph.node(id).inputs.first() {
            match &self.graph.node(id).op {
                Op::Conv(conv) if conv.kernel == 1 && conv.out_channels > conv.in_channels => {
                    return input;
                }
                Op::BatchNorm { .. } | Op::Relu | Op::Relu6 | Op::Silu => id = input,
                _ => break,
            }
        }
        last
    }

    fn at_depth(&self, share: f64) -> Result<NodeId> {
        // Both ends are in range: the share is 0 to 1, and a graph has at least its input.
        let wanted = (share * self.graph.output() as f64).round() as usize;
        let found = (0..=wanted).rfind(|&id| self.neck.get(id) == Some(&true));
        Ok(found.unwrap_or(self.graph.input()))
    }
}

/// `id` and everything it is computed from.
fn upstream(graph: &Graph, id: NodeId) -> Vec<bool> {
    let mut reached = vec![false; graph.nodes().len()];
    reached[id] = true;
    for at in (0..=id).rev() {
        if reached[at] {
            for &input in &graph.node(at).inputs {
                reached[input] = true;
            }
        }
    }
    reached
}
