//! The indices of a graph's nodes and parameters, and what an operator can have as an input.

/// The index of a node in [`Graph::nodes`](super::graph::Graph::nodes). The inputs of a node have smaller indices than the
/// node.
pub type NodeId = usize;

/// The index of a parameter in [`Graph::parameters`](super::graph::Graph::parameters).
pub type ParameterId = usize;

/// An input of an operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arg {
    /// The value of a node.
    Node(NodeId),
    /// A parameter, a buffer or a constant.
    Parameter(ParameterId),
}
