//! The softmax or sigmoid at the end of a network: it turns logits into probabilities, and logits are what is explained.

use super::graph::{Graph, NodeId};
use super::op::{Function, Op};

/// A function that ends a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinalActivation {
    /// Softmax over the classes.
    Softmax,
    /// The logarithm of a softmax over the classes.
    LogSoftmax,
    /// The sigmoid of each output.
    Sigmoid,
}

impl FinalActivation {
    /// Its name: `softmax`, `log_softmax` or `sigmoid`.
    pub fn name(self) -> &'static str {
        match self {
            FinalActivation::Softmax => "softmax",
            FinalActivation::LogSoftmax => "log_softmax",
            FinalActivation::Sigmoid => "sigmoid",
        }
    }
}

/// The function that ends the network and the node with the logits before it, if there is one. Nodes after it that change
/// no value and no shape are passed over.
pub fn final_activation(graph: &Graph) -> Option<(FinalActivation, NodeId)> {
    let mut id = graph.output();
    loop {
        let node = graph.node(id);
        let before = node.inputs.first().copied();
        let found = match &node.op {
            // The output has the shape [N, classes].
            Op::Softmax(softmax) if matches!(softmax.dim, 1 | -1) => {
                if softmax.log {
                    FinalActivation::LogSoftmax
                } else {
                    FinalActivation::Softmax
                }
            }
            Op::Unary(unary) if unary.function == Function::Sigmoid => FinalActivation::Sigmoid,
            Op::Identity(_) | Op::Cast(_) => {
                id = before?;
                continue;
            }
            _ => return None,
        };
        return Some((found, before?));
    }
}
