//! A network's architecture as data: a list of nodes, each with a name, an operation and its inputs.
//!
//! Names are torchvision's: those of the parameters (`layer3.5.conv2`), and for operations without parameters those of
//! `torchvision.models.feature_extraction` (`layer3.5.relu_1`, `layer3.5.add`). Shapes, costs, receptive fields and layer
//! selectors all follow from this list.

use std::collections::BTreeMap;

use super::op::{Conv2d, Input};
use crate::error::{Error, ErrorKind, Result, nearest};

pub use super::arg::{Arg, NodeId, ParameterId};
pub use super::op::Op;

/// One operation of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in the graph.
    pub name: String,
    /// What the node computes.
    pub op: Op,
    /// Its inputs, in the order of the operator's arguments.
    pub args: Vec<Arg>,
    /// The nodes among the inputs.
    pub inputs: Vec<NodeId>,
    /// The parameters among the inputs.
    pub parameters: Vec<ParameterId>,
    /// The axis of the value that grows with the batch, and its length for one image.
    pub batch: (usize, i64),
}

/// What a parameter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterKind {
    /// Training changes it.
    Trained,
    /// A buffer, such as a running statistic.
    Buffer,
    /// It belongs to the graph, not to the weights: it was computed when the file was read, from sizes or from parameters.
    Constant,
}

/// A parameter, a buffer or a constant of a graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its full name: `layer1.0.conv2.weight`.
    pub name: String,
    /// Its shape.
    pub shape: Vec<i64>,
    /// What it is.
    pub kind: ParameterKind,
    /// How many values that training changes it consists of, or was computed from.
    pub trained: i64,
}

impl Parameter {
    /// A parameter that training changes, or a running statistic, by its name.
    fn by_name(name: String, shape: Vec<i64>) -> Parameter {
        let last = name.rsplit('.').next().unwrap_or_default();
        let kind = if last.starts_with("running_") {
            ParameterKind::Buffer
        } else {
            ParameterKind::Trained
        };
        let trained = match kind {
            ParameterKind::Trained => shape.iter().product(),
            ParameterKind::Buffer | ParameterKind::Constant => 0,
        };
        Parameter {
            name,
            shape,
            kind,
            trained,
        }
    }

    /// How many values it has.
    pub fn count(&self) -> i64 {
        self.shape.iter().product()
    }
}

/// A convolution of a graph with its sizes.
#[derive(Debug, Clone, Copy)]
pub struct Convolution<'a> {
    /// The operator.
    pub op: &'a Conv2d,
    /// Its weight.
    pub weight: ParameterId,
    /// Channels of the input.
    pub in_channels: i64,
    /// Channels of the output.
    pub out_channels: i64,
    /// Height and width of the kernel.
    pub kernel: [i64; 2],
}

impl Convolution<'_> {
    /// Whether each group has one channel of the input.
    pub fn is_depthwise(&self) -> bool {
        self.op.groups > 1 && self.op.groups == self.in_channels
    }
}

/// A network without the values of its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    parameters: Vec<Parameter>,
    by_name: BTreeMap<String, NodeId>,
    output: NodeId,
}

impl Graph {
    /// A graph with one node, the input, called `input`, with three channels.
    pub fn new() -> Self {
        Graph::with_channels(3)
    }

    /// How many channels the input has.
    pub fn input_channels(&self) -> usize {
        match self.nodes.get(self.input()).map(|node| &node.op) {
            Some(Op::Input(input)) => usize::try_from(input.channels).unwrap_or(0),
            _ => 0,
        }
    }

    /// A graph with one node, the input, called `input`, with this many channels.
    pub fn with_channels(channels: i64) -> Self {
        let mut graph = Graph {
            nodes: Vec::new(),
            parameters: Vec::new(),
            by_name: BTreeMap::new(),
            output: 0,
        };
        graph.push("input", Input { channels }, &[]);
        graph
    }

    /// A graph with the input of another, and nothing else.
    pub fn like(other: &Graph) -> Self {
        let mut graph = Graph::default();
        if let (Some(own), Some(input)) = (graph.nodes.first_mut(), other.nodes.first()) {
            own.op = input.op.clone();
        }
        graph
    }

    /// Adds a node whose inputs are nodes, and returns its index. The output is the last node that was added.
    ///
    /// # Panics
    /// If the name is taken or an input does not exist yet: an error in the zoo, not in a file.
    pub fn push(
        &mut self,
        name: impl Into<String>,
        op: impl Into<Op>,
        inputs: &[NodeId],
    ) -> NodeId {
        let args = inputs.iter().map(|&id| Arg::Node(id)).collect();
        self.push_node(name.into(), op.into(), args)
    }

    /// Adds a node with one node and parameters of its own as inputs, and returns its index. Each parameter is given by
    /// its name after the node's (`weight`) and its shape.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn push_layer(
        &mut self,
        name: impl Into<String>,
        op: impl Into<Op>,
        input: NodeId,
        parameters: &[(&str, &[i64])],
    ) -> NodeId {
        let name = name.into();
        let mut args = vec![Arg::Node(input)];
        for (part, shape) in parameters {
            let parameter = Parameter::by_name(format!("{name}.{part}"), shape.to_vec());
            args.push(Arg::Parameter(self.add_parameter(parameter)));
        }
        self.push_node(name, op.into(), args)
    }

    /// Adds a parameter, which nodes added later can have as an input.
    pub fn add_parameter(&mut self, parameter: Parameter) -> ParameterId {
        self.parameters.push(parameter);
        self.parameters.len() - 1
    }

    /// Adds a node and returns its index.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn push_node(&mut self, name: String, op: Op, args: Vec<Arg>) -> NodeId {
        let id = self.nodes.len();
        let (mut inputs, mut parameters) = (Vec::new(), Vec::new());
        for arg in &args {
            match *arg {
                Arg::Node(input) => {
                    assert!(input < id, "{name} uses a later node");
                    inputs.push(input);
                }
                Arg::Parameter(parameter) => {
                    assert!(
                        parameter < self.parameters.len(),
                        "{name} has no such parameter"
                    );
                    parameters.push(parameter);
                }
            }
        }
        let taken = self.by_name.insert(name.clone(), id);
        assert!(taken.is_none(), "two nodes are called {name}");
        self.nodes.push(Node {
            name,
            op,
            args,
            inputs,
            parameters,
            batch: (0, 1),
        });
        self.output = id;
        id
    }

    /// Says which axis of a node's value grows with the batch, and its length for one image, if it is not `(0, 1)`.
    pub fn set_batch(&mut self, id: NodeId, axis: usize, length: i64) {
        self.nodes[id].batch = (axis, length.max(1));
    }

    /// Makes `id` the output.
    pub fn set_output(&mut self, id: NodeId) {
        self.output = id.min(self.nodes.len().saturating_sub(1));
    }

    /// All nodes, in the order in which they are computed.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// The node with the index `id`.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The index of the input.
    pub fn input(&self) -> NodeId {
        0
    }

    /// The index of the logits.
    pub fn output(&self) -> NodeId {
        self.output
    }

    /// The node with exactly this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The node with this name, or the last node of the module with this name (`layer3` is the output of `layer3`,
    /// `layer3.5` that of its sixth block).
    pub fn find_module(&self, name: &str) -> Option<NodeId> {
        self.find(name).or_else(|| {
            let below = |node: &Node| {
                node.name
                    .strip_prefix(name)
                    .is_some_and(|rest| rest.starts_with('.'))
            };
            self.nodes.iter().rposition(below)
        })
    }

    /// Like [`find`](Self::find), with an error instead of `None`.
    ///
    /// # Errors
    /// If there is no such node, with the nearest name.
    pub fn require(&self, name: &str) -> Result<NodeId> {
        self.find(name).ok_or_else(|| {
            let error = Error::new(ErrorKind::Network, format!("there is no layer `{name}`"));
            match nearest(name, self.nodes.iter().map(|node| node.name.as_str())) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            }
        })
    }

    /// The convolutions, in order.
    pub fn convolutions(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len()).filter(|&id| matches!(self.nodes[id].op, Op::Conv2d(_)))
    }

    /// Every parameter, buffer and constant, in the order in which they were added.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// How many values of a node's parameters training changes.
    pub fn parameter_count(&self, id: NodeId) -> i64 {
        let own = self.nodes[id].parameters.iter();
        own.map(|&parameter| self.parameters[parameter].trained)
            .sum()
    }

    /// The node's convolution, if it has one with a parameter as its weight.
    pub fn convolution(&self, id: NodeId) -> Option<Convolution<'_>> {
        let node = &self.nodes[id];
        let (Op::Conv2d(op), Some(Arg::Parameter(weight))) = (&node.op, node.args.get(1)) else {
            return None;
        };
        let [out_channels, per_group, height, width] = self.parameters[*weight].shape[..] else {
            return None;
        };
        Some(Convolution {
            op,
            weight: *weight,
            in_channels: per_group * op.groups,
            out_channels,
            kernel: [height, width],
        })
    }

    /// The nodes that depend on `id`, including itself, as a mask over all nodes.
    pub fn downstream(&self, id: NodeId) -> Vec<bool> {
        let mut reached = vec![false; self.nodes.len()];
        reached[id] = true;
        for at in id + 1..self.nodes.len() {
            reached[at] = self.nodes[at].inputs.iter().any(|&input| reached[input]);
        }
        reached
    }
}

impl Default for Graph {
    fn default() -> Self {
        Self::new()
    }
}
