//! Runs a graph on libtorch, keeping whatever nodes are asked for.

use std::collections::BTreeMap;

use tch::Tensor;

use super::graph::{Graph, Node, NodeId, Op, Padding};
use super::info::same_padding;
use crate::error::{Error, ErrorKind, Result};

/// The values of the kept nodes, `[N, C, H, W]` or `[N, features]`.
pub type Kept = BTreeMap<NodeId, Tensor>;

/// A graph with its numbers.
#[derive(Debug)]
pub struct Network {
    graph: Graph,
    parameters: BTreeMap<String, Tensor>,
}

impl Network {
    /// Puts `parameters` (float32, by torchvision's names) into `graph`.
    ///
    /// # Errors
    /// If one is missing or has another shape.
    pub fn new(graph: Graph, parameters: BTreeMap<String, Tensor>) -> Result<Self> {
        for (name, shape) in graph.parameters() {
            let found = parameters.get(&name).map(Tensor::size);
            if found.as_ref() != Some(&shape) {
                let found = found.map_or("nothing".into(), |size| format!("{size:?}"));
                let message = format!("`{name}` should have shape {shape:?}, found {found}");
                return Err(Error::new(ErrorKind::Weights, message));
            }
        }
        Ok(Network { graph, parameters })
    }

    /// The network's graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// The values of the nodes in `keep` for `input`, `[N, 3, H, W]`, preprocessed. What no later
    /// node needs is dropped on the way. Gradients flow if `input` wants them.
    ///
    /// # Errors
    /// If libtorch refuses, with the node at which it did.
    pub fn forward(&self, input: &Tensor, keep: &[NodeId]) -> Result<Kept> {
        let nodes = self.graph.nodes();
        let end = keep.iter().copied().max().unwrap_or(0);
        let mut last_use: Vec<NodeId> = (0..nodes.len()).collect();
        for (id, node) in nodes.iter().enumerate().take(end + 1) {
            for &used in &node.inputs {
                last_use[used] = id;
            }
        }
        let mut values: Vec<Option<Tensor>> = Vec::with_capacity(end + 1);
        let mut kept = Kept::new();
        for (id, node) in nodes.iter().enumerate().take(end + 1) {
            let inputs: Vec<&Tensor> = node
                .inputs
                .iter()
                .filter_map(|&used| values[used].as_ref())
                .collect();
            let value = self.apply(node, input, &inputs).map_err(|error| {
                let message = format!("`{}` can't be computed", node.name);
                Error::new(ErrorKind::Network, message).because(error)
            })?;
            if keep.contains(&id) {
                kept.insert(id, value.shallow_clone());
            }
            values.push(Some(value));
            for &used in &node.inputs {
                if last_use[used] == id {
                    values[used] = None;
                }
            }
        }
        Ok(kept)
    }

    fn parameter(&self, node: &Node, part: &str) -> Option<&Tensor> {
        self.parameters.get(&format!("{}.{part}", node.name))
    }

    fn apply(&self, node: &Node, input: &Tensor, x: &[&Tensor]) -> Result<Tensor> {
        let part = |name| self.parameter(node, name);
        Ok(match &node.op {
            Op::Input => input.shallow_clone(),
            Op::Conv(conv) => {
                let (padded, padding) = match conv.padding {
                    Padding::Each(padding) => (x[0].shallow_clone(), padding),
                    Padding::Same => (pad_same(x[0], conv.kernel, conv.stride)?, 0),
                };
                padded.f_conv2d(
                    &self.parameters[&format!("{}.weight", node.name)],
                    part("bias"),
                    [conv.stride; 2],
                    [padding; 2],
                    [1, 1],
                    conv.groups,
                )?
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
            Op::Linear { .. } => x[0].f_linear(
                &self.parameters[&format!("{}.weight", node.name)],
                part("bias"),
            )?,
        })
    }
}

/// TensorFlow's `SAME`: the odd zero goes to the right and the bottom.
fn pad_same(x: &Tensor, kernel: i64, stride: i64) -> Result<Tensor> {
    let size = x.size();
    let vertical = same_padding(size[2], kernel, stride);
    let horizontal = same_padding(size[3], kernel, stride);
    let (top, left) = (vertical / 2, horizontal / 2);
    let sides = [left, horizontal - left, top, vertical - top];
    Ok(x.f_constant_pad_nd(sides)?)
}
