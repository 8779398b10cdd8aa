//! A network's architecture as data: a list of nodes, each with a name, an operation and its inputs.
//!
//! Names are torchvision's: those of the parameters (`layer3.5.conv2`), and for operations without parameters those of
//! `torchvision.models.feature_extraction` (`layer3.5.relu_1`, `layer3.5.add`). Shapes, costs, receptive fields and layer
//! selectors all follow from this list.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result, nearest};

/// The index of a node in [`Graph::nodes`]. The inputs of a node have smaller indices than the node.
pub type NodeId = usize;

/// One operation of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in the graph; the prefix of the node's parameter names.
    pub name: String,
    /// What the node computes.
    pub op: Op,
    /// The nodes whose values it takes. For [`Op::Add`], first the shortcut, then the branch; for [`Op::Mul`], first the
    /// features, then the gate.
    pub inputs: Vec<NodeId>,
}

/// How a convolution pads its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// This many zeros on either side.
    Each(i64),
    /// TensorFlow's `SAME`: as many zeros as make the output `ceil(input / stride)`, an odd one at the bottom and the right.
    Same,
}

/// A convolution with a square kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    /// Channels of the input.
    pub in_channels: i64,
    /// Channels of the output.
    pub out_channels: i64,
    /// Side of the kernel.
    pub kernel: i64,
    /// Stride in both directions.
    pub stride: i64,
    /// Padding in both directions.
    pub padding: Padding,
    /// Groups of channels: 1, or `in_channels` for a depthwise convolution.
    pub groups: i64,
    /// Whether it has a bias.
    pub bias: bool,
}

/// The operation of a node, on `[N, C, H, W]` up to [`Op::Flatten`], on `[N, features]` after it.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The input, `[N, 3, H, W]`, preprocessed.
    Input,
    /// A convolution.
    Conv(Conv),
    /// Batch normalisation with the running statistics.
    BatchNorm {
        /// Channels of the input.
        channels: i64,
        /// Added to the variance.
        eps: f64,
    },
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// x · sigmoid(x), also called swish.
    Silu,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// Max pooling with a square window.
    MaxPool {
        /// Side of the window.
        kernel: i64,
        /// Stride in both directions.
        stride: i64,
        /// Padding on either side.
        padding: i64,
    },
    /// Adaptive average pooling to `size` × `size`.
    AvgPool {
        /// Side of the output.
        size: i64,
    },
    /// shortcut + branch: the end of a residual block.
    Add,
    /// features · gate: the end of a squeeze-and-excitation.
    Mul,
    /// `[N, C, H, W]` to `[N, C·H·W]`.
    Flatten,
    /// Dropout in evaluation mode: the identity. A node because torchvision counts it in its names.
    Dropout,
    /// A linear layer with a bias.
    Linear {
        /// Features of the input.
        inputs: i64,
        /// Features of the output.
        outputs: i64,
    },
}

impl Op {
    /// The operation's name as the layer table prints it.
    pub fn label(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Conv(conv) if conv.groups > 1 => "conv, depthwise",
            Op::Conv(_) => "conv",
            Op::BatchNorm { .. } => "batch norm",
            Op::Relu => "relu",
            Op::Relu6 => "relu6",
            Op::Silu => "silu",
            Op::Sigmoid => "sigmoid",
            Op::MaxPool { .. } => "max pool",
            Op::AvgPool { .. } => "average pool",
            Op::Add => "add",
            Op::Mul => "multiply",
            Op::Flatten => "flatten",
            Op::Dropout => "dropout",
            Op::Linear { .. } => "linear",
        }
    }

    /// The names and shapes of the parameters and buffers, without the node's name.
    pub fn parameters(&self) -> Vec<(&'static str, Vec<i64>)> {
        match self {
            Op::Conv(conv) => {
                let shape = vec![
                    conv.out_channels,
                    conv.in_channels / conv.groups,
                    conv.kernel,
                    conv.kernel,
                ];
                let mut list = vec![("weight", shape)];
                if conv.bias {
                    list.push(("bias", vec![conv.out_channels]));
                }
                list
            }
            Op::BatchNorm { channels, .. } => ["weight", "bias", "running_mean", "running_var"]
                .map(|name| (name, vec![*channels]))
                .to_vec(),
            Op::Linear { inputs, outputs } => {
                vec![
                    ("weight", vec![*outputs, *inputs]),
                    ("bias", vec![*outputs]),
                ]
            }
            _ => Vec::new(),
        }
    }

    /// The number of trainable parameters; running statistics are not counted.
    pub fn parameter_count(&self) -> i64 {
        self.parameters()
            .iter()
            .filter(|(name, _)| !name.starts_with("running_"))
            .map(|(_, shape)| shape.iter().product::<i64>())
            .sum()
    }
}

/// A network without its parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    by_name: BTreeMap<String, NodeId>,
}

impl Graph {
    /// A graph with one node, the input, called `input`.
    pub fn new() -> Self {
        let mut graph = Graph {
            nodes: Vec::new(),
            by_name: BTreeMap::new(),
        };
        graph.push("input", Op::Input, &[]);
        graph
    }

    /// Adds a node and returns its index.
    ///
    /// # Panics
    /// If the name is taken or an input does not exist yet: an error in the zoo, not in a file.
    pub fn push(&mut self, name: impl Into<String>, op: Op, inputs: &[NodeId]) -> NodeId {
        let (name, id) = (name.into(), self.nodes.len());
        assert!(
            inputs.iter().all(|&input| input < id),
            "{name} uses a later node"
        );
        let taken = self.by_name.insert(name.clone(), id);
        assert!(taken.is_none(), "two nodes are called {name}");
        self.nodes.push(Node {
            name,
            op,
            inputs: inputs.to_vec(),
        });
        id
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
        self.nodes.len() - 1
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
        (0..self.nodes.len()).filter(|&id| matches!(self.nodes[id].op, Op::Conv(_)))
    }

    /// The residual blocks, in order, each by its [`Op::Add`].
    pub fn residual_adds(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len()).filter(|&id| self.nodes[id].op == Op::Add)
    }

    /// Full name and shape of every parameter and buffer, in the order of the nodes.
    pub fn parameters(&self) -> Vec<(String, Vec<i64>)> {
        let named = |node: &Node| {
            let name = node.name.clone();
            node.op
                .parameters()
                .into_iter()
                .map(move |(part, shape)| (format!("{name}.{part}"), shape))
        };
        self.nodes.iter().flat_map(named).collect()
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
