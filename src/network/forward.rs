//! A network and its forward pass: it starts at the input, or at given values of inner nodes, and returns the values of
//! the nodes that the caller names.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tch::{Device, Kind, Tensor};

use super::bound_graph::BoundGraph;
use super::graph::{Arg, Graph, Node, NodeId, ParameterId};
use super::node_values::NodeValues;
use super::op::Op;
use super::precision::{Precision, Precisions};
use super::prepared::{Prepared, channels_last};
use crate::error::{Error, ErrorKind, Result};

/// A graph with its parameters and buffers. Clones share both.
#[derive(Debug)]
pub struct Network {
    graph: Arc<Graph>,
    /// The values of the graph's parameters, in their order.
    parameters: Vec<Tensor>,
    /// Whether each operator runs image by image.
    one_by_one: bool,
    /// The precision of its passes.
    precision: Precision,
    /// The precisions that [`for_passes`](Self::for_passes) and [`for_gradients`](Self::for_gradients) give.
    precisions: Precisions,
    /// The same network in bfloat16, once one of them needs it.
    bf16: OnceCell<Box<Network>>,
    /// Whether its passes are made faster by what is computed once for it.
    is_prepared: bool,
    /// This, once a pass needs it.
    prepared: OnceCell<Box<Prepared>>,
    /// What [`Network::folded`] computes, once it was asked for.
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
        let mut parameters = parameters;
        let mut values = Vec::with_capacity(graph.parameters().len());
        for parameter in graph.parameters() {
            let found = parameters.remove(&parameter.name);
            match found {
                Some(tensor) if tensor.size() == parameter.shape => values.push(tensor),
                found => {
                    let found =
                        found.map_or("nothing".into(), |tensor| format!("{:?}", tensor.size()));
                    let message = format!(
                        "`{}` should have shape {:?}, found {found}",
                        parameter.name, parameter.shape
                    );
                    return Err(Error::new(ErrorKind::Weights, message));
                }
            }
        }
        for node in graph.nodes() {
            if let (Op::Conv2d(_), Some(&Arg::Parameter(weight))) = (&node.op, node.args.get(1)) {
                values[weight] = channels_last(&values[weight])?;
            }
        }
        Ok(Network {
            graph,
            parameters: values,
            one_by_one: false,
            precision: Precision::Float32,
            precisions: Precisions::default(),
            bf16: OnceCell::new(),
            is_prepared: true,
            prepared: OnceCell::new(),
            folded: OnceCell::new(),
        })
    }

    /// The same network with every node computed by itself, as the graph says: for a network of few passes, which are not worth
    /// a preparation.
    pub fn unprepared(self) -> Self {
        Network {
            is_prepared: false,
            ..self
        }
    }

    /// The same network with passes in `precision`. One that is not prepared, or that runs image by image, stays as it is.
    pub fn in_precision(&self, precision: Precision) -> Self {
        if precision == self.precision || !self.is_prepared || self.one_by_one {
            return self.clone();
        }
        Network {
            precision,
            prepared: OnceCell::new(),
            ..self.clone()
        }
    }

    /// The same network with these precisions of passes over many inputs.
    pub fn with_precisions(self, precisions: Precisions) -> Self {
        Network { precisions, ..self }
    }

    /// The precisions of passes over many inputs.
    pub fn precisions(&self) -> Precisions {
        self.precisions
    }

    /// The network for passes without gradients over many inputs, in the precision that was chosen for them.
    pub fn for_passes(&self) -> &Network {
        self.in_chosen(self.precisions.passes)
    }

    /// The network for gradients with respect to many inputs, in the precision that was chosen for them.
    pub fn for_gradients(&self) -> &Network {
        self.in_chosen(self.precisions.gradients)
    }

    fn in_chosen(&self, precision: Precision) -> &Network {
        if precision == self.precision {
            return self;
        }
        self.bf16
            .get_or_init(|| Box::new(self.in_precision(precision)))
    }

    /// What was computed for its passes; `None` if nothing is.
    pub(super) fn prepared(&self) -> Result<Option<&Prepared>> {
        if !self.is_prepared || self.one_by_one {
            return Ok(None);
        }
        if self.prepared.get().is_none() {
            let prepared = tch::no_grad(|| Prepared::new(self.bound(), self.precision))?;
            // Nothing else has set it.
            let _ = self.prepared.set(Box::new(prepared));
        }
        Ok(self.prepared.get().map(Box::as_ref))
    }

    /// The network's graph.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    /// One parameter or buffer by its full name (`layer1.0.conv2.weight`).
    pub fn parameter(&self, name: &str) -> Option<&Tensor> {
        let all = self.graph.parameters();
        let id = all.iter().position(|parameter| parameter.name == name)?;
        self.parameters.get(id)
    }

    /// The value of a parameter, a buffer or a constant.
    pub fn parameter_value(&self, id: ParameterId) -> &Tensor {
        &self.parameters[id]
    }

    /// All parameters, buffers and constants by their full names.
    pub fn parameters(&self) -> BTreeMap<String, Tensor> {
        let all = self.graph.parameters().iter().zip(&self.parameters);
        all.map(|(parameter, value)| (parameter.name.clone(), value.shallow_clone()))
            .collect()
    }

    /// The same graph with other parameters.
    ///
    /// # Errors
    /// If one is missing or has another shape.
    pub fn with_parameters(&self, parameters: BTreeMap<String, Tensor>) -> Result<Self> {
        let network = Network::new(Arc::clone(&self.graph), parameters)?;
        Ok(Network {
            one_by_one: self.one_by_one,
            precision: self.precision,
            precisions: self.precisions,
            bf16: OnceCell::new(),
            is_prepared: self.is_prepared,
            ..network
        })
    }

    /// The same network with each operator run image by image: for graphs whose operators would mix the images of a batch.
    pub(super) fn one_by_one(self) -> Self {
        Network {
            one_by_one: true,
            ..self
        }
    }

    /// The same network with another node as its output.
    pub fn with_output(&self, output: NodeId) -> Self {
        let mut graph = Graph::clone(&self.graph);
        graph.set_output(output);
        Network {
            graph: Arc::new(graph),
            // The nodes are the same.
            prepared: self.prepared.clone(),
            folded: OnceCell::new(),
            ..self.clone()
        }
    }

    /// Whether each operator runs image by image.
    pub fn is_one_by_one(&self) -> bool {
        self.one_by_one
    }

    /// The same network with its parameters on `device`.
    ///
    /// # Errors
    /// If libtorch can't move them there.
    pub fn to_device(self, device: Device) -> Result<Self> {
        let mut parameters = Vec::with_capacity(self.parameters.len());
        for tensor in &self.parameters {
            parameters.push(tensor.f_to_device(device)?);
        }
        Ok(Network {
            graph: self.graph,
            parameters,
            one_by_one: self.one_by_one,
            precision: self.precision,
            precisions: self.precisions,
            bf16: OnceCell::new(),
            is_prepared: self.is_prepared,
            prepared: OnceCell::new(),
            folded: OnceCell::new(),
        })
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
        self.forward_with(given, keep, &BTreeSet::new(), &mut |_, value| Ok(value))
    }

    /// As [`forward_from`](Self::forward_from), with the value of every computed node in `changed` (not of those given) replaced
    /// by what `change` returns for it.
    ///
    /// # Errors
    /// As [`forward_from`](Self::forward_from), and the errors of `change`.
    pub fn forward_with(
        &self,
        given: &NodeValues,
        keep: &[NodeId],
        changed: &BTreeSet<NodeId>,
        change: &mut dyn FnMut(NodeId, Tensor) -> Result<Tensor>,
    ) -> Result<NodeValues> {
        let nodes = self.graph.nodes();
        let needed = self.needed(given, keep);
        let first = given.iter().next();
        let batch = first.map_or(1, |(&id, value)| self.batch_of(id, value));
        // How many nodes still need each value; a value is freed when none does.
        let mut uses = vec![0usize; nodes.len()];
        for (id, node) in nodes.iter().enumerate() {
            if needed[id] && !given.contains_key(&id) {
                node.inputs.iter().for_each(|&input| uses[input] += 1);
            }
        }
        keep.iter().for_each(|&id| uses[id] += 1);
        // Whose values must be their own, and stay.
        let mut is_held = vec![false; nodes.len()];
        let held = keep.iter().chain(changed);
        let held = held.chain(given.iter().map(|(id, _)| id));
        held.for_each(|&id| is_held[id] = true);
        let prepared = self.prepared()?;
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
            let inputs: Option<Vec<&Tensor>> = node
                .inputs
                .iter()
                .map(|&input| values[input].as_ref())
                .collect();
            let Some(inputs) = inputs.filter(|_| !matches!(node.op, Op::Input(_))) else {
                let message = format!("`{}` depends on a value that is not given", node.name);
                return Err(Error::new(ErrorKind::Network, message));
            };
            // A change may have made the batch larger.
            let first = node.inputs.first().zip(inputs.first());
            let batch = first.map_or(batch, |(&input, value)| self.batch_of(input, value));
            let value = match prepared {
                Some(prepared) => {
                    prepared.evaluate(self.bound(), (id, &node.op), &inputs, batch, &is_held)
                }
                None => self.apply(node, &inputs, batch),
            };
            let value = value.map_err(failed)?;
            values[id] = Some(if changed.contains(&id) {
                change(id, in_float32(&value)?)?
            } else {
                value
            });
            for &used in &node.inputs {
                uses[used] -= 1;
                if uses[used] == 0 {
                    values[used] = None;
                }
            }
        }
        let mut kept = NodeValues::new();
        for &id in keep {
            if let Some(value) = &values[id] {
                kept.insert(id, in_float32(value)?);
            }
        }
        Ok(kept)
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

    /// How many images the value of node `id` is of.
    fn batch_of(&self, id: NodeId, value: &Tensor) -> i64 {
        let (axis, length) = self.graph.node(id).batch;
        value.size().get(axis).map_or(1, |side| side / length)
    }

    /// The value of `node` for the values `x` of the nodes among its inputs, and a batch of `batch` images.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(crate) fn apply(&self, node: &Node, x: &[&Tensor], batch: i64) -> Result<Tensor> {
        if !self.one_by_one || batch == 1 {
            return self.bound().evaluate((node, &node.op), x, batch);
        }
        let mut values = Vec::new();
        for image in 0..batch {
            let mut own = Vec::with_capacity(x.len());
            for (&input, value) in node.inputs.iter().zip(x) {
                let (axis, length) = self.graph.node(input).batch;
                // A value of one image is that of all.
                let start = if self.batch_of(input, value) == 1 {
                    0
                } else {
                    image * length
                };
                own.push(value.f_narrow(axis as i64, start, length)?);
            }
            let own: Vec<&Tensor> = own.iter().collect();
            values.push(self.bound().evaluate((node, &node.op), &own, 1)?);
        }
        Ok(Tensor::f_cat(&values, node.batch.0 as i64)?)
    }

    /// The graph with the values of its parameters.
    pub(super) fn bound(&self) -> BoundGraph<'_> {
        BoundGraph {
            graph: &self.graph,
            parameters: &self.parameters,
        }
    }

    /// The weight of a convolution or a linear layer, and its bias if it has one, where they are parameters.
    pub(crate) fn weight_and_bias(&self, node: &Node) -> Option<(&Tensor, Option<&Tensor>)> {
        self.bound().weight_and_bias(node)
    }
}

/// A value that was computed in bfloat16 in float32; any other as it is.
fn in_float32(value: &Tensor) -> Result<Tensor> {
    match value.kind() {
        Kind::BFloat16 => Ok(value.f_to_kind(Kind::Float)?),
        _ => Ok(value.shallow_clone()),
    }
}

impl Clone for Network {
    fn clone(&self) -> Self {
        let parameters = self.parameters.iter();
        Network {
            graph: Arc::clone(&self.graph),
            // A shallow clone shares its memory.
            parameters: parameters.map(Tensor::shallow_clone).collect(),
            one_by_one: self.one_by_one,
            precision: self.precision,
            precisions: self.precisions,
            bf16: OnceCell::new(),
            is_prepared: self.is_prepared,
            prepared: self.prepared.clone(),
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
        match &node.op {
            Op::Conv2d(conv) => conv.apply(x, weight, bias),
            Op::Linear(_) => Ok(x.f_linear(weight, bias)?),
            _ => Ok(x.shallow_clone()),
        }
    }
}
