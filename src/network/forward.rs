//! A network and its forward pass: it starts at the input, or at given values of inner nodes, and returns the values of
//! the nodes that the caller names.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use tch::{Device, Tensor};

use super::graph::{Graph, Node, NodeId, Op, Padding};
use super::node_info::same_padding;
use super::node_values::NodeValues;
use crate::error::{Error, ErrorKind, Result};

/// A graph with its parameters and buffers. Clones share both.
#[derive(Debug)]
pub struct Network {
    graph: Arc<Graph>,
    parameters: BTreeMap<String, Tensor>,
    /// The result of [`Network::folded`], once it is computed.
    pub(super) folded: OnceCell<Box<Network>>,
}

impl Network {
    /// The network of `graph` with `parameters` by their full names (`layer1.0.conv2.weight`). Gradients
    /// with respect to them are never computed.
    ///
    /// # Errors
    /// If one is missing or has another shape.
    pub fn new(graph: impl Into<Arc<Graph>>, parameters: BTreeMap<String, Tensor>) -> Result<Self> {
        let graph = graph.into();
        for (name, shape) in graph.parameters() {
            let found = parameters.get(&name).map(Tensor::size);
            if found.as_ref() != Some(&shape) {
                let found = found.map_or("nothing".into(), |size| format!("{size:?}"));
                let message = format!("`{name}` should have shape {shape:?}, found {found}");
                return Err(Error::new(ErrorKind::Weights, message));
            }
        }
        Ok(Network {
            graph,
            parameters,
            folded: OnceCell::new(),
        })
    }

    /// The network's graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// One parameter or buffer by its full name (`layer1.0.conv2.weight`).
    pub fn parameter(&self, name: &str) -> Option<&Tensor> {
        self.parameters.get(name)
    }

    /// The same graph with other parameters.
    ///
    /// # Errors
    /// If one is missing or has another shape.
    pub fn with_parameters(&self, parameters: BTreeMap<String, Tensor>) -> Result<Self> {
        Network::new(Arc::clone(&self.graph), parameters)
    }

    /// The same network with its parameters on `device`.
    ///
    /// # Errors
    /// If libtorch can't move them there.
    pub fn to_device(self, device: Device) -> Result<Self> {
        let mut parameters = BTreeMap::new();
        for (name, tensor) in self.parameters {
            parameters.insert(name, tensor.f_to_device(device)?);
        }
        Network::new(self.graph, parameters)
    }

    /// The values of the nodes in `keep` for `input`, `[N, 3, H, W]`, preprocessed. The other values are freed as soon as
    /// no later node needs them. Gradients are recorded if `input` requires them.
    ///
    /// # Errors
    /// If libtorch fails, with the name of the node.
    pub fn forward(&self, input: &Tensor, keep: &[NodeId]) -> Result<NodeValues> {
        let given = NodeValues::from([(self.graph.input(), input.shallow_clone())]);
        self.forward_from(&given, keep)
    }

    /// The values of the nodes in `keep`, computed from the values of the nodes in `given`: a forward pass that starts
    /// at inner layers, for example with a branch removed or a channel changed. Only the nodes between them are
    /// computed.
    ///
    /// # Errors
    /// If libtorch fails, or if a node in `keep` depends on an input that is not given.
    pub fn forward_from(&self, given: &NodeValues, keep: &[NodeId]) -> Result<NodeValues> {
        self.forward_with(given, keep, &mut |_, value| Ok(value))
    }

    /// As [`forward_from`](Self::forward_from), with the value of every computed node (not of those given) replaced by
    /// what `change` returns for it.
    ///
    /// # Errors
    /// As [`forward_from`](Self::forward_from), and the errors of `change`.
    pub fn forward_with(
        &self,
        given: &NodeValues,
        keep: &[NodeId],
        change: &mut dyn FnMut(NodeId, Tensor) -> Result<Tensor>,
    ) -> Result<NodeValues> {
        let nodes = self.graph.nodes();
        let needed = self.needed(given, keep);
        // How many nodes still need each value; a value is freed when none does.
        let mut uses = vec![0usize; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            if needed[id] && !given.contains_key(&id) {
                node.inputs.iter().for_each(|&input| uses[input] += 1);
            }
        }
        keep.iter().for_each(|&id| uses[id] += 1);
        let mut values: Vec<Option<Tensor>> = nodes.iter().map(|_| None).collect();
        for (id, node) in nodes.iter().enumerate() {
            if !needed[id] {
                continue;
            }
            if let Some(value) = given.get(&id) {
                values[id] = Some(value.shallow_clone());
                continue;
            }
            let failed = |error: Error| {
                let message = format!("`{}` can't be computed", node.name);
                Error::new(ErrorKind::Network, message).caused_by(error)
            };
            let inputs: Vec<&Tensor> = node
                .inputs
                .iter()
                .filter_map(|&i| values[i].as_ref())
                .collect();
            if inputs.len() != node.inputs.len() || matches!(node.op, Op::Input) {
                let message = format!("`{}` depends on a value that is not given", node.name);
                return Err(Error::new(ErrorKind::Network, message));
            }
            let value = self.apply(node, &inputs).map_err(failed)?;
            values[id] = Some(change(id, value)?);
            for &used in &node.inputs {
                uses[used] -= 1;
                if uses[used] == 0 {
                    values[used] = None;
                }
            }
        }
        let kept = |&id: &NodeId| values[id].as_ref().map(|value| (id, value.shallow_clone()));
        Ok(keep.iter().filter_map(kept).collect())
    }

    /// A mask of the nodes whose values are needed for `keep`, from the nodes in `given` to those in `keep`, both
    /// included.
    fn needed(&self, given: &NodeValues, keep: &[NodeId]) -> Vec<bool> {
        let mut needed = vec![false; self.graph.nodes().len()];
        keep.iter().for_each(|&id| needed[id] = true);
        for id in (0..needed.len()).rev() {
            if needed[id] && !given.contains_key(&id) {
                for &input in &self.graph.node(id).inputs {
                    needed[input] = true;
                }
            }
        }
        needed
    }

    /// A parameter or buffer of `node`: `weight`, `running_mean`.
    fn part(&self, node: &Node, part: &str) -> Option<&Tensor> {
        self.parameters.get(&format!("{}.{part}", node.name))
    }

    /// The weight of a convolution, a linear layer or a batch norm.
    ///
    /// # Errors
    /// If `node` has none.
    pub(crate) fn weight(&self, node: &Node) -> Result<&Tensor> {
        let missing = || {
            Error::new(
                ErrorKind::Weights,
                format!("`{}.weight` is missing", node.name),
            )
        };
        self.part(node, "weight").ok_or_else(missing)
    }

    /// The value of `node` for the values `x` of its inputs.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(crate) fn apply(&self, node: &Node, x: &[&Tensor]) -> Result<Tensor> {
        let part = |name| self.part(node, name);
        Ok(match &node.op {
            Op::Input => return Err(Error::new(ErrorKind::Network, "the input is not computed")),
            Op::Conv(_) | Op::Linear { .. } => {
                self.apply_weight(node, x[0], self.weight(node)?, part("bias"))?
            }
            Op::BatchNorm { eps, .. } => x[0].f_batch_norm(
                part("weight"),
                part("bias"),
                part("running_mean"),
                part("running_var"),
                false,
                0.0,
                *eps,
                false,
            )?,
            Op::Relu => x[0].f_relu()?,
            Op::Relu6 => x[0].f_clamp(0.0, 6.0)?,
            Op::Silu => x[0].f_silu()?,
            Op::Sigmoid => x[0].f_sigmoid()?,
            Op::MaxPool {
                kernel,
                stride,
                padding,
            } => x[0].f_max_pool2d([*kernel; 2], [*stride; 2], [*padding; 2], [1, 1], false)?,
            Op::AvgPool { size } => x[0].f_adaptive_avg_pool2d([*size; 2])?,
            Op::Add => x[0].f_add(x[1])?,
            Op::Mul => x[0].f_mul(x[1])?,
            Op::Flatten => x[0].f_flatten(1, -1)?,
            Op::Dropout => x[0].shallow_clone(),
        })
    }
}

impl Clone for Network {
    fn clone(&self) -> Self {
        let parameters = self.parameters.iter();
        Network {
            graph: Arc::clone(&self.graph),
            // A shallow clone shares its memory.
            parameters: parameters
                .map(|(name, tensor)| (name.clone(), tensor.shallow_clone()))
                .collect(),
            folded: self.folded.clone(),
        }
    }
}

impl Network {
    /// The value of a convolution or a linear layer for the input `x`, computed with `weight` and `bias` instead of its
    /// own parameters; `x` itself for any other node.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(crate) fn apply_weight(
        &self,
        node: &Node,
        x: &Tensor,
        weight: &Tensor,
        bias: Option<&Tensor>,
    ) -> Result<Tensor> {
        let Op::Conv(conv) = &node.op else {
            return Ok(match node.op {
                Op::Linear { .. } => x.f_linear(weight, bias)?,
                _ => x.shallow_clone(),
            });
        };
        let (padded, padding) = match conv.padding {
            Padding::Each(padding) => (x.shallow_clone(), padding),
            Padding::Same => (pad_same(x, conv.kernel, conv.stride)?, 0),
        };
        Ok(padded.f_conv2d(
            weight,
            bias,
            [conv.stride; 2],
            [padding; 2],
            [1, 1],
            conv.groups,
        )?)
    }

    /// The bias of a convolution or a linear layer, if it has one.
    pub(crate) fn bias(&self, node: &Node) -> Option<&Tensor> {
        self.part(node, "bias")
    }
}

/// `x` padded with zeros as TensorFlow's `SAME` does it: an odd zero is added at the right and the bottom.
fn pad_same(x: &Tensor, kernel: i64, stride: i64) -> Result<Tensor> {
    let size = x.size();
    let vertical = same_padding(size[2], kernel, stride);
    let horizontal = same_padding(size[3], kernel, stride);
    if vertical == 0 && horizontal == 0 {
        return Ok(x.shallow_clone());
    }
    let (top, left) = (vertical / 2, horizontal / 2);
    let sides = [left, horizontal - left, top, vertical - top];
    Ok(x.f_constant_pad_nd(sides)?)
}
