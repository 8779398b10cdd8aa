//! What methods need to know of a graph, from its topology alone: which sums end residual blocks and which of their sides is
//! the shortcut, and which side of a product is a gate. Nothing depends on the order of an operator's inputs.

use super::arg::NodeId;
use super::graph::Graph;
use super::op::{Function, Op};

/// The sum at the end of a residual block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ResidualSum {
    /// The node with the shortcut's value.
    pub shortcut: NodeId,
    /// The node with the branch's value.
    pub branch: NodeId,
}

impl Graph {
    /// The residual sum at `id`: an `add` of two nodes one of which leads around the layers of the other. The shortcut is
    /// the side that computes nothing by itself, or a projection with one convolution or linear layer where the other side
    /// has more. `None` for another node, and for sums of parallel branches, which have no single shortcut.
    pub fn residual_sum(&self, id: NodeId) -> Option<ResidualSum> {
        let node = self.node(id);
        let (Op::Add(_), [a, b]) = (&node.op, &node.inputs[..]) else {
            return None;
        };
        let (above_a, above_b) = (self.upstream(*a), self.upstream(*b));
        let layers = |of: &[bool], other: &[bool]| -> (usize, usize) {
            let own = (0..id).filter(|&at| of[at] && !other[at]);
            let weighted = own
                .clone()
                .filter(|&at| matches!(self.node(at).op, Op::Conv2d(_) | Op::Linear(_)));
            (own.count(), weighted.count())
        };
        let (own_a, own_b) = (layers(&above_a, &above_b), layers(&above_b, &above_a));
        let pair = |shortcut: &NodeId, branch: &NodeId| ResidualSum {
            shortcut: *shortcut,
            branch: *branch,
        };
        match (own_a, own_b) {
            ((0, _), (1.., _)) => Some(pair(a, b)),
            ((1.., _), (0, _)) => Some(pair(b, a)),
            ((_, layers_a), (_, layers_b)) if layers_a <= 1 && layers_b > 1 => Some(pair(a, b)),
            ((_, layers_a), (_, layers_b)) if layers_b <= 1 && layers_a > 1 => Some(pair(b, a)),
            _ => None,
        }
    }

    /// The residual sums, in order.
    pub fn residual_sums(&self) -> impl Iterator<Item = (NodeId, ResidualSum)> + '_ {
        (0..self.nodes().len()).filter_map(|id| Some((id, self.residual_sum(id)?)))
    }

    /// The features and the gate of a product: the gate is the side that ends with a sigmoid, a hard sigmoid, a softmax or a
    /// tanh; if neither or both do, the second one. `None` for another node, and for `x · sigmoid(x)`, an activation.
    pub fn gated_product(&self, id: NodeId) -> Option<(NodeId, NodeId)> {
        let node = self.node(id);
        let (Op::Mul(_), [a, b]) = (&node.op, &node.inputs[..]) else {
            return None;
        };
        let (features, gate) = match (self.is_gate(*a), self.is_gate(*b)) {
            (true, false) => (*b, *a),
            _ => (*a, *b),
        };
        let is_activation = self.node(gate).inputs.first() == Some(&features) && self.is_gate(gate);
        (!is_activation).then_some((features, gate))
    }

    /// Whether a node's value is that of a function that a gate ends with, up to its shape.
    fn is_gate(&self, mut id: NodeId) -> bool {
        loop {
            match (&self.node(id).op, self.node(id).inputs.first()) {
                (Op::Softmax(_), _) => return true,
                (Op::Unary(unary), _) => {
                    let ends = [Function::Sigmoid, Function::Hardsigmoid, Function::Tanh];
                    return ends.contains(&unary.function);
                }
                (
                    Op::Reshape(_)
                    | Op::Flatten(_)
                    | Op::Permute(_)
                    | Op::Unsqueeze(_)
                    | Op::Squeeze(_)
                    | Op::Expand(_)
                    | Op::Identity(_)
                    | Op::Upsample(_),
                    Some(&input),
                ) => id = input,
                _ => return false,
            }
        }
    }

    /// A mask of the nodes that `id` depends on, itself among them.
    pub fn upstream(&self, id: NodeId) -> Vec<bool> {
        let mut reached = vec![false; self.nodes().len()];
        reached[id] = true;
        for at in (0..=id).rev() {
            if reached[at] {
                for &input in &self.node(at).inputs {
                    reached[input] = true;
                }
            }
        }
        reached
    }
}
