//! Backward passes: libtorch's gradients, and a backward pass to the input that applies a rule at every ReLU: the plain
//! gradient, guided backpropagation (Springenberg et al. 2014, <https://arxiv.org/abs/1412.6806>) or the deconvnet
//! (Zeiler & Fergus 2013, <https://arxiv.org/abs/1311.2901>).
//!
//! libtorch's autograd has no such rules, and tch can't define custom autograd functions. So the forward pass is cut at
//! every ReLU: its output is a leaf that starts a new segment. The backward pass computes libtorch's gradient of one
//! segment after the other and applies the rule in between. Max pooling uses libtorch's own switches.

use std::collections::BTreeSet;

use tch::{Kind, Tensor};

use super::forward::Network;
use super::graph::NodeId;
use super::node_values::NodeValues;
use crate::error::Result;

/// The gradient of `objective` (a scalar) with respect to each of `nodes`, in the shapes of their values; zeros for a
/// node that it does not depend on. The autograd graph is retained for other objectives of the same forward pass.
///
/// # Errors
/// If the value of a node was not kept, or libtorch fails, for example because the forward pass recorded no gradients.
pub fn gradients(objective: &Tensor, values: &NodeValues, nodes: &[NodeId]) -> Result<NodeValues> {
    let mut wanted = Vec::with_capacity(nodes.len());
    for id in nodes {
        wanted.push(values.value(*id)?);
    }
    let found = Tensor::f_run_backward(&[objective], &wanted, true, false)?;
    let mut gradients = NodeValues::new();
    for ((id, gradient), value) in nodes.iter().zip(found).zip(wanted) {
        let gradient = if gradient.defined() {
            gradient.detach()
        } else {
            Tensor::zeros(value.size(), (Kind::Float, value.device()))
        };
        gradients.insert(*id, gradient);
    }
    Ok(gradients)
}

/// How a ReLU treats the signal of a backward pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReluRule {
    /// The gradient: the incoming signal where the ReLU's input was positive.
    Plain,
    /// Guided backpropagation: the positive part of the incoming signal where the ReLU's input was positive.
    Guided,
    /// The deconvnet: the positive part of the incoming signal, whatever the ReLU's input was.
    Deconvnet,
}

impl ReluRule {
    /// The signal with respect to the input `x` of a ReLU, from the signal `incoming` with respect to its output.
    /// `ceiling` is the ReLU's upper bound, if it has one.
    fn apply(self, incoming: &Tensor, x: &Tensor, ceiling: Option<f64>) -> Result<Tensor> {
        let positive = match self {
            ReluRule::Plain => incoming.shallow_clone(),
            ReluRule::Guided | ReluRule::Deconvnet => incoming.f_relu()?,
        };
        if self == ReluRule::Deconvnet {
            return Ok(positive);
        }
        let mut open = x.f_gt(0.0)?;
        if let Some(ceiling) = ceiling {
            open = open.f_logical_and(&x.f_lt(ceiling)?)?;
        }
        Ok(positive.f_mul(&open)?)
    }
}

impl Network {
    /// Whether the network has a ReLU (or ReLU6): without one, all rules give the gradient.
    pub fn has_relu(&self) -> bool {
        let mut nodes = self.graph().nodes().iter();
        nodes.any(|node| node.op.rectifier().is_some())
    }

    /// Whether the network has a ReLU6, whose upper bound the papers' rules do not mention.
    pub fn has_relu6(&self) -> bool {
        let mut nodes = self.graph().nodes().iter();
        nodes.any(|node| {
            node.op
                .rectifier()
                .is_some_and(|found| found.ceiling.is_some())
        })
    }

    /// Propagates the sum of `weights · value` at `node` back to the input `[N, 3, H, W]` by `rule`; the result has the
    /// input's shape. `weights` has the shape of the node's value, for example 1 at a class's logit and 0 elsewhere.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn backward(
        &self,
        input: &Tensor,
        node: NodeId,
        weights: &Tensor,
        rule: ReluRule,
    ) -> Result<Tensor> {
        self.tape(input, &[node])?.backward(node, weights, rule)
    }

    /// A forward pass of `input`, `[N, 3, H, W]`, for any number of backward passes from any of `nodes`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn tape(&self, input: &Tensor, nodes: &[NodeId]) -> Result<Tape<'_>> {
        tch::with_grad(|| self.record(input, nodes))
    }

    fn record(&self, input: &Tensor, nodes: &[NodeId]) -> Result<Tape<'_>> {
        let graph = self.graph();
        let start = input.f_detach()?.set_requires_grad(true);
        let mut feeds_relu = vec![false; graph.nodes().len()];
        for node in graph.nodes() {
            if let (Some(_), Some(&input)) = (node.op.rectifier(), node.inputs.first()) {
                feeds_relu[input] = true;
            }
        }
        let given = NodeValues::from([(graph.input(), start.shallow_clone())]);
        let mut relu_inputs = NodeValues::new();
        if feeds_relu[graph.input()] {
            relu_inputs.insert(graph.input(), start.shallow_clone());
        }
        let mut starts = NodeValues::from([(graph.input(), start)]);
        let is_cut = |id: &NodeId| graph.node(*id).op.rectifier().is_some() || feeds_relu[*id];
        let cut: BTreeSet<NodeId> = (0..graph.nodes().len()).filter(is_cut).collect();
        let values = self.forward_with(&given, nodes, &cut, &mut |id, value| {
            let value = match graph.node(id).op.rectifier() {
                Some(_) => {
                    let leaf = value.f_detach()?.set_requires_grad(true);
                    starts.insert(id, leaf.shallow_clone());
                    leaf
                }
                None => value,
            };
            if feeds_relu[id] {
                relu_inputs.insert(id, value.shallow_clone());
            }
            Ok(value)
        })?;
        Ok(Tape {
            network: self,
            starts,
            relu_inputs,
            values,
        })
    }
}

/// A forward pass, cut into segments at its ReLUs.
#[derive(Debug)]
pub struct Tape<'a> {
    network: &'a Network,
    /// The leaf that starts each segment, by node: the input, and the output of each ReLU.
    starts: NodeValues,
    /// The input of each ReLU, by the node that computes it.
    relu_inputs: NodeValues,
    /// The values of the nodes that the tape was made for.
    values: NodeValues,
}

impl Tape<'_> {
    /// The value of one of the nodes that the tape was made for, detached.
    ///
    /// # Errors
    /// If the tape was made for other nodes.
    pub fn value(&self, node: NodeId) -> Result<Tensor> {
        Ok(self.values.value(node)?.f_detach()?)
    }

    /// Propagates the sum of `weights · value` at `node`, one of the tape's nodes, back to the input by `rule`; the
    /// result has the input's shape. If `node` itself is a ReLU, [`ReluRule::Guided`] treats it as [`ReluRule::Plain`]
    /// does, because `weights` is not a signal of a later layer.
    ///
    /// # Errors
    /// If the tape was made for other nodes, or libtorch fails.
    pub fn backward(&self, node: NodeId, weights: &Tensor, rule: ReluRule) -> Result<Tensor> {
        tch::with_grad(|| self.backward_by_segments(node, weights, rule))
    }

    fn backward_by_segments(
        &self,
        node: NodeId,
        weights: &Tensor,
        rule: ReluRule,
    ) -> Result<Tensor> {
        let graph = self.network.graph();
        // The signal at the start of each segment, summed over the segments that follow it.
        let mut signals = NodeValues::new();
        self.cross_segment(node, self.values.value(node)?, weights, &mut signals)?;
        // Every segment ends before a ReLU, and all later ones have been crossed by then.
        for id in (0..=node).rev() {
            let Some(rectifier) = graph.node(id).op.rectifier() else {
                continue;
            };
            let Some(incoming) = signals.remove(&id) else {
                continue;
            };
            let rule = match rule {
                ReluRule::Guided if id == node => ReluRule::Plain,
                rule => rule,
            };
            let before = graph.node(id).inputs[0];
            let x = self.relu_inputs.value(before)?;
            let outgoing = rule.apply(&incoming, &x.f_detach()?, rectifier.ceiling)?;
            self.cross_segment(before, x, &outgoing, &mut signals)?;
        }
        let input = graph.input();
        match signals.remove(&input) {
            Some(found) => Ok(found),
            None => Ok(self.starts.value(input)?.f_detach()?.f_zeros_like()?),
        }
    }

    /// Adds to `signals` the gradient of the sum of `weights · value` with respect to every start of the segment that ends
    /// with `node`, whose value is `value`.
    fn cross_segment(
        &self,
        node: NodeId,
        value: &Tensor,
        weights: &Tensor,
        signals: &mut NodeValues,
    ) -> Result<()> {
        if self.starts.contains_key(&node) {
            // Two ReLUs in a row, or a backward pass from the input: a segment without nodes.
            return signals.accumulate(node, weights.shallow_clone());
        }
        let starts = self.segment_starts(node);
        let leaves: Vec<&Tensor> = starts.iter().map(|(_, leaf)| *leaf).collect();
        let objective = value.f_mul(weights)?.f_sum(Kind::Float)?;
        let found = Tensor::f_run_backward(&[&objective], &leaves, true, false)?;
        for ((id, _), found) in starts.iter().zip(found) {
            if found.defined() {
                signals.accumulate(*id, found)?;
            }
        }
        Ok(())
    }

    /// The starts of the segment that ends with `node`, in the order of the graph.
    fn segment_starts(&self, node: NodeId) -> Vec<(NodeId, &Tensor)> {
        let mut starts = Vec::new();
        // Each node once: the number of paths is exponential in the number of residual blocks.
        let mut visited = vec![false; node + 1];
        visited[node] = true;
        let mut open = vec![node];
        while let Some(id) = open.pop() {
            if let Some(leaf) = self.starts.get(&id) {
                starts.push((id, leaf));
                continue;
            }
            for &input in &self.network.graph().node(id).inputs {
                if !visited[input] {
                    visited[input] = true;
                    open.push(input);
                }
            }
        }
        starts.sort_by_key(|(id, _)| *id);
        starts
    }
}
