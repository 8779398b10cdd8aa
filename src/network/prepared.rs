//! What makes the passes of a network faster without another result than rounding: weights of convolutions in channels-last
//! order, batch norms folded into the convolutions before them, and operators that write over a value that nothing else needs;
//! and, where the network runs in bfloat16, the rounded weights.
//!
//! A pass folds a batch norm only where nobody asks for the value of the convolution before it: that value is always the
//! convolution's own.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::bound_graph::BoundGraph;
use super::graph::{Arg, Graph, Node, NodeId, ParameterId};
use super::op::{Op, ReducedPrecision};
use super::precision::Precision;
use crate::error::{Error, ErrorKind, Result};

/// What is computed once for the passes of a network.
#[derive(Debug)]
pub(super) struct Prepared {
    /// The batch norms that can be folded, by the convolution before them.
    folds: BTreeMap<NodeId, Fold>,
    /// For each node, whether it may write its value over that of its first input: no other node uses that, and it is no
    /// view of another value.
    overwrites: Vec<bool>,
    /// In bfloat16: the parameters of the operators that round, rounded.
    rounded: Option<BTreeMap<ParameterId, Tensor>>,
}

/// A convolution with the batch norm after it.
#[derive(Debug)]
pub(super) struct Fold {
    /// The batch norm.
    pub(super) norm: NodeId,
    /// The weight of both together, `[outputs, inputs / groups, height, width]`.
    pub(super) weight: Tensor,
    /// The bias of both together, `[outputs]`.
    pub(super) bias: Tensor,
}

impl Prepared {
    /// For passes of `network` in `precision`.
    ///
    /// # Errors
    /// If a parameter is missing, or libtorch fails.
    pub(super) fn new(network: BoundGraph, precision: Precision) -> Result<Prepared> {
        let graph = network.graph;
        let kind = precision.kind();
        let mut uses = vec![0usize; graph.nodes().len()];
        for node in graph.nodes() {
            node.inputs.iter().for_each(|&input| uses[input] += 1);
        }
        let mut folds = BTreeMap::new();
        let mut overwrites = vec![false; uses.len()];
        for (id, node) in graph.nodes().iter().enumerate() {
            let Some(&before) = node.inputs.first().filter(|&&input| uses[input] == 1) else {
                continue;
            };
            overwrites[id] = node.op.operator().can_overwrite() && makes_new_value(graph, before);
            if is_foldable(graph, before, id) {
                folds.insert(before, Fold::new(network, before, id, kind)?);
            }
        }
        let mut rounded = None;
        if precision == Precision::Bf16 {
            rounded = Some(rounded_parameters(network, &folds)?);
        }
        Ok(Prepared {
            folds,
            overwrites,
            rounded,
        })
    }

    /// The batch norms that can be folded, by the convolution before them.
    pub(super) fn folds(&self) -> &BTreeMap<NodeId, Fold> {
        &self.folds
    }

    /// The value of the node `id` for the values `x` of its inputs, and a batch of `batch` images. `op` is the node's operator, or a
    /// variant of it with the same parameters. The values of nodes that are held can't be left out or written over.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(super) fn evaluate(
        &self,
        network: BoundGraph,
        (id, op): (NodeId, &Op),
        x: &[&Tensor],
        batch: i64,
        is_held: &[bool],
    ) -> Result<Tensor> {
        let node = network.graph.node(id);
        if let (Op::Conv2d(conv), Some(fold), false) = (op, self.folds.get(&id), is_held[id]) {
            let x = x[0].f_to_kind(fold.weight.kind())?;
            return conv.apply(&x, &fold.weight, Some(&fold.bias));
        }
        let first = node.inputs.first().filter(|&&input| !is_held[input]);
        if let (Op::BatchNorm(_), Some(before)) = (op, first)
            && self.folds.contains_key(before)
        {
            return Ok(x[0].shallow_clone());
        }
        // Where gradients are recorded, the backward pass needs the values.
        if self.overwrites[id] && first.is_some() && !x[0].requires_grad() {
            return op.operator().overwrite(x[0].shallow_clone());
        }
        match &self.rounded {
            Some(rounded) => evaluate_rounded(network, (node, op), x, batch, rounded),
            None => network.evaluate((node, op), x, batch),
        }
    }
}

/// The value of a node in bfloat16, with `rounded` parameters.
fn evaluate_rounded(
    network: BoundGraph,
    (node, op): (&Node, &Op),
    x: &[&Tensor],
    batch: i64,
    rounded: &BTreeMap<ParameterId, Tensor>,
) -> Result<Tensor> {
    let precision = op.operator().reduced_precision();
    let mut values = x.iter();
    let mut args = Vec::with_capacity(node.args.len());
    for arg in &node.args {
        let value = match arg {
            Arg::Node(_) => values.next().copied(),
            Arg::Parameter(id) => rounded
                .get(id)
                .filter(|_| precision == ReducedPrecision::Rounds)
                .or_else(|| Some(network.parameter(*id))),
        };
        let missing = || Error::new(ErrorKind::Network, "an input is missing");
        let value = value.ok_or_else(missing)?;
        args.push(match (precision, value.kind()) {
            (ReducedPrecision::Rounds, Kind::Float) => value.f_to_kind(Kind::BFloat16)?,
            (ReducedPrecision::Full, Kind::BFloat16) => value.f_to_kind(Kind::Float)?,
            _ => value.shallow_clone(),
        });
    }
    let args: Vec<&Tensor> = args.iter().collect();
    op.operator().evaluate(&args, batch)
}

/// The parameters of operators that round, in bfloat16, but for those of folded convolutions, which are rarely needed.
fn rounded_parameters(
    network: BoundGraph,
    folds: &BTreeMap<NodeId, Fold>,
) -> Result<BTreeMap<ParameterId, Tensor>> {
    let mut rounded = BTreeMap::new();
    for (id, node) in network.graph.nodes().iter().enumerate() {
        let rounds = node.op.operator().reduced_precision() == ReducedPrecision::Rounds;
        if !rounds || folds.contains_key(&id) {
            continue;
        }
        for &id in &node.parameters {
            let value = network.parameter(id);
            if value.kind() == Kind::Float && !rounded.contains_key(&id) {
                rounded.insert(id, value.f_to_kind(Kind::BFloat16)?);
            }
        }
    }
    Ok(rounded)
}

// Tensors have no `Clone`: a shallow clone shares its memory.
impl Clone for Prepared {
    fn clone(&self) -> Self {
        let rounded = self.rounded.as_ref().map(|rounded| {
            let rounded = rounded.iter();
            rounded
                .map(|(id, value)| (*id, value.shallow_clone()))
                .collect()
        });
        Prepared {
            folds: self.folds.clone(),
            overwrites: self.overwrites.clone(),
            rounded,
        }
    }
}

impl Clone for Fold {
    fn clone(&self) -> Self {
        Fold {
            norm: self.norm,
            weight: self.weight.shallow_clone(),
            bias: self.bias.shallow_clone(),
        }
    }
}

/// Whether the value of a node is never a view of another one, nor shares its memory.
fn makes_new_value(graph: &Graph, id: NodeId) -> bool {
    match &graph.node(id).op {
        Op::Conv2d(_) | Op::Linear(_) | Op::Add(_) => true,
        // A folded one passes the convolution's value on.
        Op::BatchNorm(_) => true,
        _ => false,
    }
}

/// Whether the node `norm` is a batch norm with fixed statistics that can be folded into the node `before`, a convolution
/// that only it uses.
fn is_foldable(graph: &Graph, before: NodeId, norm: NodeId) -> bool {
    let Op::BatchNorm(op) = &graph.node(norm).op else {
        return false;
    };
    op.weight && op.bias && !op.own_statistics && graph.convolution(before).is_some()
}

impl Fold {
    /// The convolution `before` and the batch norm `norm` together, computed in double precision.
    fn new(network: BoundGraph, before: NodeId, norm: NodeId, kind: Kind) -> Result<Fold> {
        let graph = network.graph;
        let missing = || Error::new(ErrorKind::Weights, "a parameter of a batch norm is missing");
        let Op::BatchNorm(op) = &graph.node(norm).op else {
            return Err(missing());
        };
        let own = &graph.node(norm).parameters;
        let part = |index: usize| -> Result<Tensor> {
            let id = own.get(index).ok_or_else(missing)?;
            Ok(network.parameter(*id).f_to_kind(Kind::Double)?)
        };
        let (weight, bias) = network
            .weight_and_bias(graph.node(before))
            .ok_or_else(missing)?;
        let deviation = part(3)?.f_add_scalar(op.eps)?.f_sqrt()?;
        let scale = part(0)?.f_div(&deviation)?;
        let mut shift = part(2)?.f_neg()?;
        if let Some(bias) = bias {
            shift = shift.f_add(bias)?;
        }
        let bias = shift.f_mul(&scale)?.f_add(&part(1)?)?;
        // Networks in double precision are as they are.
        let kind = match weight.kind() {
            Kind::Float => kind,
            own => own,
        };
        let wide = weight.f_to_kind(Kind::Double)?;
        let weight = wide.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
        Ok(Fold {
            norm,
            weight: channels_last(&weight.f_to_kind(kind)?)?,
            bias: bias.f_to_kind(kind)?,
        })
    }
}

/// A tensor `[N, C, H, W]` with the same values, in memory by position, then channel: what libtorch's convolutions are fastest with.
///
/// # Errors
/// If libtorch fails.
pub(super) fn channels_last(tensor: &Tensor) -> Result<Tensor> {
    let [n, c, h, w] = tensor.size()[..] else {
        return Ok(tensor.shallow_clone());
    };
    // Permuting and copying would leave the strides of axes of length 1 as they are, and libtorch looks at them.
    let strides = [h * w * c, 1, w * c, c];
    if tensor.stride() == strides {
        return Ok(tensor.shallow_clone());
    }
    let options = (tensor.kind(), tensor.device());
    let mut ordered = Tensor::f_empty_strided([n, c, h, w], strides, options)?;
    ordered.f_copy_(tensor)?;
    Ok(ordered)
}
