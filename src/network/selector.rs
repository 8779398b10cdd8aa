//! Layer selectors: expressions that name layers, so that one spec serves several networks.
//!
//! | selector | layers |
//! |---|---|
//! | `layer3.5.conv2` | the node with that name |
//! | `layer3`, `layer3.5` | the output of that module: its last node |
//! | `layer3.*.conv2` | every match, in the network's order; `*` matches dots, too |
//! | `first`, `last` | the first and the last convolution of the feature path, before the global pooling |
//! | `penultimate` | the vector before the classifier; the output of a network without one |
//! | `stage3` | the last node before the resolution falls below 1/2³ of the input |
//! | `50%` | the node at the middle of the list of nodes |
//!
//! The *feature path* leaves out the gates of squeeze-and-excitation and the 1×1 convolutions of shortcuts. `stageN` and
//! `N%` take only nodes that every path from input to output passes, so none inside a residual branch. The expansion (a
//! 1×1 convolution to more channels) before a depthwise convolution with a stride belongs to the lower resolution, as the
//! first layer of its block. So `stage3` of ResNet-50 is `layer2.3.relu_2`, that of EfficientNet-B0 `features.3.1.add`.

use globset::GlobBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::graph::{Convolution, Graph, NodeId, Op};
use super::node_info::NodeInfo;
use crate::error::{Error, ErrorKind, Result, nearest};

/// A layer, or several.
///
/// An exact name (`layer3.5.conv2`) or a module's (`layer3`), a glob (`layer3.*.conv2`), `first` or
/// `last` (convolutions), `penultimate` (the vector before the classifier), `stage1` to `stage5` (the
/// last layer of that resolution), or a depth (`50%`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct LayerSelector(pub String);

impl LayerSelector {
    /// N of `stageN`.
    pub fn stage(&self) -> Option<u32> {
        stage(self.0.trim())?.ok()
    }
}

impl From<&str> for LayerSelector {
    fn from(selector: &str) -> Self {
        LayerSelector(selector.to_owned())
    }
}

/// The selectors with a fixed meaning.
const KEYWORDS: [&str; 8] = [
    "first",
    "last",
    "penultimate",
    "stage1",
    "stage2",
    "stage3",
    "stage4",
    "stage5",
];

/// The nodes that `selector` names, in the network's order, at least one.
///
/// `infos` are those of [`node_info::from_graph`](crate::network::node_info::from_graph) for the same graph.
///
/// # Errors
/// [`ErrorKind::Network`] if the network has no such layer, with the nearest name.
pub fn resolve(selector: &LayerSelector, graph: &Graph, infos: &[NodeInfo]) -> Result<Vec<NodeId>> {
    let text = selector.0.trim();
    let path = FeaturePath::new(graph, infos);
    if let Some(id) = graph.find(text) {
        return Ok(vec![id]);
    }
    match text {
        "first" => {
            return one(
                path.convolutions().next(),
                text,
                "the network has no convolution",
            );
        }
        "last" => {
            return one(
                path.last(),
                text,
                "the network has no convolution and no layer with spatial positions",
            );
        }
        "penultimate" => {
            return one(
                penultimate(graph, infos),
                text,
                "the network has no linear classifier",
            );
        }
        _ => {}
    }
    if let Some(number) = stage(text) {
        return path.stage(number?).map(|id| vec![id]);
    }
    if let Some(share) = percent(text) {
        return path.at_depth(share?).map(|id| vec![id]);
    }
    if let Some(id) = graph.find_module(text) {
        return Ok(vec![id]);
    }
    if is_glob(text) {
        return glob(text, graph);
    }
    let error = Error::new(ErrorKind::Network, format!("there is no layer `{text}`"));
    Err(match nearest(text, names(graph)) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help("`convscope layers` lists a network's layers"),
    })
}

/// As [`resolve`], for methods that need height and width.
///
/// # Errors
/// As [`resolve`]; also if one of the layers has no height and width, as after global pooling or in a gate.
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
                "`{}` ({}) has no spatial positions, and a map needs height and width",
                graph.node(id).name,
                shape.join("×")
            );
            let error = Error::new(ErrorKind::Network, message);
            Err(error.help("choose a layer before the global pooling: `last`, or a stage"))
        }
    }
}

/// Checks what can be checked without a network.
///
/// # Errors
/// [`ErrorKind::Spec`] if no network can have such a layer: `120%`, `stage`, an unclosed glob.
pub(crate) fn check(selector: &LayerSelector) -> Result<()> {
    let text = selector.0.trim();
    if text.is_empty() {
        return Err(Error::new(ErrorKind::Spec, "a layer selector is empty"));
    }
    if let Some(number) = stage(text) {
        number?;
    }
    if let Some(share) = percent(text) {
        share?;
    }
    if is_glob(text) {
        matcher(text)?;
    }
    Ok(())
}

/// All names and keywords, as suggestions for a misspelt selector.
fn names(graph: &Graph) -> impl Iterator<Item = &str> {
    let own = graph.nodes().iter().map(|node| node.name.as_str());
    let modules = own
        .clone()
        .flat_map(|name| name.match_indices('.').map(|(at, _)| &name[..at]));
    KEYWORDS.into_iter().chain(own).chain(modules)
}

/// The node of a keyword, or an error with the reason why there is none.
fn one(found: Option<NodeId>, keyword: &str, why: &str) -> Result<Vec<NodeId>> {
    found.map(|id| vec![id]).ok_or_else(|| {
        Error::new(
            ErrorKind::Network,
            format!("there is no `{keyword}` layer: {why}"),
        )
    })
}

/// The input of the last linear layer, before dropout, which is the identity in evaluation mode. A network that does not end
/// with a linear layer has no classifier: its output.
fn penultimate(graph: &Graph, infos: &[NodeInfo]) -> Option<NodeId> {
    let linear = |id: &NodeId| matches!(graph.node(*id).op, Op::Linear(_));
    let Some(head) = (0..=graph.output()).rfind(linear) else {
        return Some(graph.output());
    };
    let after = graph.downstream(head);
    let is_last = (head + 1..=graph.output())
        .filter(|&id| after[id])
        .all(|id| graph.node(id).parameters.is_empty());
    if infos[head].is_spatial() || !is_last {
        return Some(graph.output());
    }
    let mut id = *graph.node(head).inputs.first()?;
    while matches!(graph.node(id).op, Op::Identity(_)) {
        id = *graph.node(id).inputs.first()?;
    }
    Some(id)
}

/// N of `stageN`; `None` if the selector does not have this form.
fn stage(selector: &str) -> Option<Result<u32>> {
    let number = selector.strip_prefix("stage")?;
    let digits = number.chars().all(|digit| digit.is_ascii_digit());
    // `stages.1` may be a module's name.
    digits.then(|| match number.parse() {
        Ok(number) if number <= 16 => Ok(number),
        _ => Err(
            Error::new(ErrorKind::Spec, format!("there is no `{selector}`"))
                .help("`stage1` has 1/2 of the input's resolution, `stage5` 1/32"),
        ),
    })
}

/// The share of `N%`, 0 to 1; `None` if the selector does not have this form.
fn percent(selector: &str) -> Option<Result<f64>> {
    let number = selector.strip_suffix('%')?;
    Some(match number.trim().parse::<f64>() {
        Ok(share) if (0.0..=100.0).contains(&share) => Ok(share / 100.0),
        _ => Err(
            Error::new(ErrorKind::Spec, format!("`{selector}` is not a depth"))
                .help("a depth is `0%` (the input) to `100%` (the logits)"),
        ),
    })
}

/// Whether the selector is a pattern over names.
pub fn is_glob(selector: &str) -> bool {
    selector.contains(['*', '?', '[', '{'])
}

/// The pattern, compiled.
fn matcher(pattern: &str) -> Result<globset::GlobMatcher> {
    let glob = GlobBuilder::new(pattern).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| {
        Error::new(
            ErrorKind::Spec,
            format!("`{pattern}` is not a valid pattern: {}", error.kind()),
        )
        .help("`*` matches any text, `?` one character, `{a,b}` one of several")
    })
}

/// Every node whose name matches.
fn glob(pattern: &str, graph: &Graph) -> Result<Vec<NodeId>> {
    let matcher = matcher(pattern)?;
    let ids: Vec<NodeId> = (0..graph.nodes().len())
        .filter(|&id| matcher.is_match(&graph.node(id).name))
        .collect();
    if !ids.is_empty() {
        return Ok(ids);
    }
    let error = Error::new(ErrorKind::Network, format!("no layer matches `{pattern}`"));
    Err(
        match nearest(pattern, graph.nodes().iter().map(|node| node.name.as_str())) {
            Some(near) => error.help(format!("the nearest name is `{near}`")),
            None => error.help("`convscope layers` lists a network's layers"),
        },
    )
}

/// The feature path of a graph.
struct FeaturePath<'a> {
    graph: &'a Graph,
    infos: &'a [NodeInfo],
    /// Whether a node is in a gate, or is one of a shortcut's own layers.
    off_path: Vec<bool>,
    /// Whether every path from input to output passes the node: no edge skips it.
    bottleneck: Vec<bool>,
}

impl<'a> FeaturePath<'a> {
    fn new(graph: &'a Graph, infos: &'a [NodeInfo]) -> Self {
        let nodes = graph.nodes();
        let mut off_path = vec![false; nodes.len()];
        let mut bottleneck = vec![true; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            for &input in &node.inputs {
                bottleneck[input + 1..id].fill(false);
            }
            let sum = graph.residual_sum(id).map(|sum| (sum.branch, sum.shortcut));
            let Some((main, side)) = sum.or_else(|| graph.gated_product(id)) else {
                continue;
            };
            let (main, side) = (graph.upstream(main), graph.upstream(side));
            for (at, mark) in off_path.iter_mut().enumerate() {
                *mark |= side[at] && !main[at];
            }
        }
        FeaturePath {
            graph,
            infos,
            off_path,
            bottleneck,
        }
    }

    /// The convolutions of the path, in order.
    fn convolutions(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.graph.convolutions().filter(|&id| !self.off_path[id])
    }

    /// The last convolution, unless an operator after it mixes the positions of a map, as attention does: then the last
    /// node that every path passes, with a map whose positions all have an effect on the logits. In a ViT the patches of
    /// the last block have none, because the head reads the class token alone.
    fn last(&self) -> Option<NodeId> {
        let has_map = |id: &NodeId| self.infos[*id].is_spatial();
        let conv = self.convolutions().filter(has_map).last();
        let after = conv.map(|conv| self.graph.downstream(conv));
        let spatial = |id: usize| self.infos[id].is_spatial();
        let mixes = |id: &usize| {
            let node = self.graph.node(*id);
            let is_after = after.as_ref().is_none_or(|after| after[*id]);
            let is_mixing = match node.op {
                Op::Matmul(_) | Op::ScaledDotProductAttention(_) => true,
                // A linear layer over the positions, as in an MLP-Mixer.
                Op::Linear(_) => {
                    !spatial(*id) && node.inputs.first().is_some_and(|&input| spatial(input))
                }
                _ => false,
            };
            is_after && is_mixing
        };
        let Some(mixing) = (0..self.graph.nodes().len()).find(mixes) else {
            return conv;
        };
        let has_effect = self.positions_with_effect();
        let found = (mixing..self.graph.nodes().len())
            .rfind(|&id| spatial(id) && self.bottleneck[id] && has_effect[id]);
        found.or(conv)
    }

    /// Whether the positions of each node's map have an effect on the logits: not where only the other positions, such as a
    /// class token, are read afterwards.
    fn positions_with_effect(&self) -> Vec<bool> {
        let nodes = self.graph.nodes();
        let any = self.graph.upstream(self.graph.output());
        let mut effect = vec![false; nodes.len()];
        for (id, node) in nodes.iter().enumerate().rev() {
            if !any[id] {
                continue;
            }
            let is_spatial = self.infos[id].is_spatial();
            for (index, &input) in node.inputs.iter().enumerate() {
                effect[input] |= match node.op {
                    // Every position of the keys and values has an effect on every position of the result.
                    Op::ScaledDotProductAttention(_) | Op::Matmul(_) if index > 0 => true,
                    Op::Select(_) | Op::Slice(_)
                        if self.infos[input].is_spatial() && !is_spatial =>
                    {
                        false
                    }
                    _ => effect[id] || !is_spatial,
                };
            }
        }
        effect
    }

    /// The last node of the stage.
    fn stage(&self, number: u32) -> Result<NodeId> {
        let stride = 1_i64 << number;
        let at = |id: &NodeId| self.bottleneck[*id] && self.infos[*id].is_spatial();
        let ids = (0..self.graph.nodes().len()).filter(at);
        let last = ids.clone().rfind(|&id| self.infos[id].stride() == stride);
        let Some(last) = last else {
            let deepest = ids.map(|id| self.infos[id].stride()).max().unwrap_or(1);
            let message = format!(
                "there is no `stage{number}`: no layer has 1/{stride} of the input's resolution"
            );
            return Err(Error::new(ErrorKind::Network, message).help(format!(
                "this network's lowest resolution is 1/{deepest}: `stage{}`",
                deepest.ilog2()
            )));
        };
        Ok(self.before_preparation(self.before_expansion(last)))
    }

    /// The node before what only prepares the next stage's values at the end of a stage: a normalisation of tokens, and
    /// movements of values. They belong to the module that lowers the resolution.
    fn before_preparation(&self, last: NodeId) -> NodeId {
        let mut id = last;
        loop {
            let node = self.graph.node(id);
            let is_preparation = matches!(
                node.op,
                Op::LayerNorm(_)
                    | Op::RmsNorm(_)
                    | Op::GroupNorm(_)
                    | Op::Permute(_)
                    | Op::Reshape(_)
                    | Op::Flatten(_)
                    | Op::Pad(_)
            );
            let before = node.inputs.first().filter(|_| is_preparation);
            let same = |input: &&NodeId| {
                let info = &self.infos[**input];
                info.is_spatial() && info.stride() == self.infos[last].stride()
            };
            match before.filter(|&&input| self.bottleneck[input]).filter(same) {
                Some(&input) => id = input,
                None => return id,
            }
        }
    }

    /// The node before the expansion of the next block, if `last` is the end of that expansion; otherwise `last`.
    fn before_expansion(&self, last: NodeId) -> NodeId {
        let graph = self.graph;
        let begins_block = |id: usize| {
            let is_depthwise = |conv: Convolution| conv.op.groups > 1 && conv.op.stride[0] > 1;
            graph.node(id).inputs.first() == Some(&last)
                && graph.convolution(id).is_some_and(is_depthwise)
        };
        if !(0..graph.nodes().len()).any(begins_block) {
            return last;
        }
        let mut id = last;
        while let Some(&input) = graph.node(id).inputs.first() {
            match (&graph.node(id).op, graph.convolution(id)) {
                (_, Some(conv))
                    if conv.kernel == [1, 1] && conv.out_channels > conv.in_channels =>
                {
                    return input;
                }
                (Op::BatchNorm(_) | Op::Relu(_) | Op::Clamp(_) | Op::Unary(_), _) => id = input,
                _ => break,
            }
        }
        last
    }

    /// The node at a share of the network's depth, 0 to 1, or the nearest one before it.
    fn at_depth(&self, share: f64) -> Result<NodeId> {
        // In range: the share is 0 to 1, and a graph has at least its input.
        let wanted = (share * self.graph.output() as f64).round() as usize;
        let found = (0..=wanted).rfind(|&id| self.bottleneck.get(id) == Some(&true));
        Ok(found.unwrap_or(self.graph.input()))
    }
}
