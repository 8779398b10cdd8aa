//! The network as data: a list of nodes, each with a name, an operation and its inputs.
//!
//! Names are torchvision's, for parameters (`layer3.5.conv2`) and for what has none (as
//! `torchvision.models.feature_extraction` names them: `layer3.5.relu_1`, `layer3.5.add`).
//! Everything else that convscope knows of a network follows from this list.

use std::collections::BTreeMap;

use crate::error::{Error, ErrorKind, Result};

/// The place of a node in [`Graph::nodes`]. Inputs always stand before the node that uses them.
pub type NodeId = usize;

/// One step of a network.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Unique in the graph; the prefix of the node's parameter names.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// What it computes it from. For [`Op::Add`]: first the shortcut, then the branch; for
    /// [`Op::Mul`]: first the features, then the gate.
    pub inputs: Vec<NodeId>,
}

/// How a convolution pads its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// So many zeros on either side.
    Each(i64),
    /// TensorFlow's `SAME`: as many as make the output `ceil(input / stride)`, the odd one at the
    /// bottom and the right.
    Same,
}

/// A square convolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Conv {
    pub in_channels: i64,
    pub out_channels: i64,
    pub kernel: i64,
    pub stride: i64,
    pub padding: Padding,
    pub groups: i64,
    pub bias: bool,
}

/// What a node computes. All of them on `[N, C, H, W]`, save the last three.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// The picture, `[N, 3, H, W]`, preprocessed.
    Input,
    Conv(Conv),
    /// Batch normalisation with the running statistics.
    BatchNorm {
        channels: i64,
        eps: f64,
    },
    Relu,
    /// ReLU that ends at 6.
    Relu6,
    /// x · sigmoid(x), also called swish.
    Silu,
    Sigmoid,
    MaxPool {
        kernel: i64,
        stride: i64,
        padding: i64,
    },
    /// Adaptive average pooling to `size` × `size`.
    AvgPool {
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
    Linear {
        inputs: i64,
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

    /// How many numbers training would change (running statistics are not among them).
    pub fn parameter_count(&self) -> i64 {
        self.parameters()
            .iter()
            .filter(|(name, _)| !name.starts_with("running_"))
            .map(|(_, shape)| shape.iter().product::<i64>())
            .sum()
    }
}

/// A network without its numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Graph {
    nodes: Vec<Node>,
    by_name: BTreeMap<String, NodeId>,
}

impl Graph {
    /// A graph that so far has only its input, called `input`.
    pub fn new() -> Self {
        let mut graph = Graph {
            nodes: Vec::new(),
            by_name: BTreeMap::new(),
        };
        graph.push("input", Op::Input, &[]);
        graph
    }

    /// Adds a node and says where it stands.
    ///
    /// # Panics
    /// If the name is taken or an input does not exist yet: a fault in the zoo, not in a file.
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

    /// One node.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }

    /// The input's place.
    pub fn input(&self) -> NodeId {
        0
    }

    /// The place of the logits.
    pub fn output(&self) -> NodeId {
        self.nodes.len() - 1
    }

    /// The node with exactly this name.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.by_name.get(name).copied()
    }

    /// The node that a name means: its own, or the last one of the module it names (`layer3` is
    /// the output of `layer3`, `layer3.5` that of its sixth block).
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

    /// Like [`find`](Self::find), with an error that suggests the nearest name.
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

    /// The residual blocks, in order: the places of their `Add` nodes.
    pub fn residual_adds(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0..self.nodes.len()).filter(|&id| self.nodes[id].op == Op::Add)
    }

    /// Every parameter's and buffer's full name and shape, in the order of the nodes.
    pub fn parameters(&self) -> Vec<(String, Vec<i64>)> {
        let of = |node: &Node| {
            let name = node.name.clone();
            node.op
                .parameters()
                .into_iter()
                .map(move |(part, shape)| (format!("{name}.{part}"), shape))
        };
        self.nodes.iter().flat_map(of).collect()
    }

    /// The nodes that depend on `id`, itself among them, as a mask over all nodes.
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

/// The candidate most like `name`, if one is like enough to be meant.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let score = strsim::normalized_damerau_levenshtein(&lower, &candidate.to_lowercase());
            (score, candidate)
        })
        .filter(|(score, _)| *score >= 0.55)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}
