//! Builds a graph from the calls of a file: infers shapes, computes at once what depends on no value of the input, and follows
//! the batch axis where the file was made for one image.

use std::collections::{BTreeMap, BTreeSet};

use tch::{Kind, Tensor};

use super::batch_axis::{self, BatchAxis};
use super::kinds::kind_of;
use super::limits::Limits;
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::{Arg, NodeId, ParameterId};
use crate::network::forward::Network;
use crate::network::graph::{Graph, Parameter, ParameterKind};
use crate::network::op::shape::Shape;
use crate::network::op::{BatchNorm, Op};

/// How a file's program treats a batch of images.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Batching {
    /// Its sizes name the batch.
    Symbolic,
    /// Its sizes are those of one image; the batch axis is followed through them.
    Followed,
    /// Its sizes are those of one image, and each operator runs image by image.
    OneByOne,
}

/// A graph that is being built, with the values of its parameters.
pub(super) struct Builder {
    graph: Graph,
    batching: Batching,
    /// The shapes of the nodes.
    shapes: Vec<Shape>,
    /// Their batch axes.
    batch_axes: Vec<Option<BatchAxis>>,
    /// The values of the parameters.
    tensors: Vec<Tensor>,
    /// The data types of the nodes.
    kinds: Vec<Kind>,
    /// Names that constants must not have, because stored parameters have them.
    reserved: BTreeSet<String>,
    limits: Limits,
}

/// A graph with the values of its parameters by their names.
pub(super) struct Built {
    graph: Graph,
    parameters: BTreeMap<String, Tensor>,
    /// Whether the images' values follow each other in each node's batch axis, so that they can be compared.
    pub(super) compared: Vec<bool>,
}

impl Built {
    /// The network; the graph is empty afterwards.
    ///
    /// # Errors
    /// If parameters don't fit, which would be an error of the builder.
    pub(super) fn network(&mut self) -> Result<Network> {
        Network::new(
            std::mem::take(&mut self.graph),
            std::mem::take(&mut self.parameters),
        )
    }
}

impl Builder {
    /// A graph with an input of this many channels, rows and columns.
    pub(super) fn new(
        input: [i64; 3],
        batching: Batching,
        reserved: BTreeSet<String>,
        limits: Limits,
    ) -> Builder {
        let shape = match batching {
            Batching::OneByOne => Shape::fixed(&[1, input[0], input[1], input[2]]),
            Batching::Symbolic | Batching::Followed => Shape::batch_of(&input),
        };
        let axis = shape.batch_axis().map(|axis| BatchAxis { axis, slow: 1 });
        Builder {
            graph: Graph::with_channels(input[0]),
            batching,
            shapes: vec![shape],
            batch_axes: vec![axis],
            kinds: vec![Kind::Float],
            tensors: Vec::new(),
            reserved,
            limits,
        }
    }

    /// The input.
    pub(super) fn input(&self) -> Arg {
        Arg::Node(self.graph.input())
    }

    /// How batches are treated.
    pub(super) fn batching(&self) -> Batching {
        self.batching
    }

    /// The shape of an argument.
    pub(super) fn shape(&self, arg: Arg) -> Shape {
        match arg {
            Arg::Node(id) => self.shapes[id].clone(),
            Arg::Parameter(id) => Shape::fixed(&self.graph.parameters()[id].shape),
        }
    }

    /// The values of an argument that is a parameter.
    pub(super) fn constant(&self, arg: Arg) -> Option<&Tensor> {
        match arg {
            Arg::Node(_) => None,
            Arg::Parameter(id) => self.tensors.get(id),
        }
    }

    /// The data type of an argument.
    pub(super) fn kind(&self, arg: Arg) -> Kind {
        match arg {
            Arg::Node(id) => self.kinds[id],
            Arg::Parameter(id) => self.tensors[id].kind(),
        }
    }

    /// Adds a stored parameter or buffer.
    pub(super) fn add_stored(
        &mut self,
        name: String,
        value: Tensor,
        is_trained: bool,
    ) -> ParameterId {
        // Networks are computed in float32, whatever they are stored in.
        let value = match value.kind() {
            Kind::Half | Kind::BFloat16 | Kind::Double => value.to_kind(Kind::Float),
            _ => value,
        };
        let kind = if is_trained {
            ParameterKind::Trained
        } else {
            ParameterKind::Buffer
        };
        let trained = if is_trained { value.numel() as i64 } else { 0 };
        self.add_parameter(name, value, kind, trained)
    }

    fn add_parameter(
        &mut self,
        name: String,
        value: Tensor,
        kind: ParameterKind,
        trained: i64,
    ) -> ParameterId {
        let shape = value.size();
        self.tensors.push(value);
        self.graph.add_parameter(Parameter {
            name,
            shape,
            kind,
            trained,
        })
    }

    /// Adds the value of `op` for `args` as a node called `name`; or computes it now, if it depends neither on the input nor on
    /// the batch.
    ///
    /// # Errors
    /// If the inputs don't fit the operator, or its value is too large.
    pub(super) fn push(&mut self, name: String, op: Op, args: Vec<Arg>) -> Result<Arg> {
        let (op, args) = match self.batching {
            Batching::Followed => self.follow(&name, op, args)?,
            Batching::Symbolic | Batching::OneByOne => (op, args),
        };
        let own: Vec<Shape> = args.iter().map(|&arg| self.shape(arg)).collect();
        let shapes: Vec<&Shape> = own.iter().collect();
        let op = exact(op, &args, &shapes)?;
        let shape = op.operator().shape(&shapes)?;
        let is_parameter = |arg: &Arg| matches!(arg, Arg::Parameter(_));
        let is_constant = args.iter().all(is_parameter) && shape.batch_axis().is_none();
        let nodes = self.graph.nodes().len() + self.tensors.len();
        self.limits.add(&op, &shapes, &shape, is_constant, nodes)?;
        let constants: Option<Vec<&Tensor>> = args.iter().map(|&arg| self.constant(arg)).collect();
        if let Some(inputs) = constants.filter(|_| is_constant) {
            let value = tch::no_grad(|| op.operator().evaluate(&inputs, 1))?;
            let trained = self.trained(&args, value.numel() as i64);
            let name = self.constant_name(name);
            let id = self.add_parameter(name, value, ParameterKind::Constant, trained);
            return Ok(Arg::Parameter(id));
        }
        // On the device of the input, whatever that is.
        let args = match (&op, &args[..]) {
            (Op::Full(_), []) => vec![self.input()],
            _ => args,
        };
        let kinds: Vec<Kind> = args.iter().map(|&arg| self.kind(arg)).collect();
        let kind = kind_of(&op, &kinds);
        let inputs = self.with_axes(&args, &own);
        let axis = batch_axis::batch_axis(&op, &inputs, &shape);
        let name = self.free_name(name);
        let id = self.graph.push_node(name, op, args);
        match (axis, shape.0.first()) {
            (Some(own), _) => self.graph.set_batch(id, own.axis, shape.0[own.axis].value),
            (None, Some(first)) if self.batching == Batching::OneByOne => {
                self.graph.set_batch(id, 0, first.value);
            }
            (None, _) => {
                let message = format!("`{}` mixes the images of a batch", self.graph.node(id).name);
                return Err(Error::new(ErrorKind::Weights, message));
            }
        }
        self.batch_axes.push(axis);
        self.kinds.push(kind);
        self.shapes.push(shape);
        Ok(Arg::Node(id))
    }

    fn axis(&self, arg: Arg) -> Option<BatchAxis> {
        match arg {
            Arg::Node(id) => self.batch_axes[id],
            Arg::Parameter(_) => None,
        }
    }

    fn with_axes<'a>(
        &self,
        args: &[Arg],
        shapes: &'a [Shape],
    ) -> Vec<(&'a Shape, Option<BatchAxis>)> {
        let axes = args.iter().map(|&arg| self.axis(arg));
        shapes.iter().zip(axes).collect()
    }

    /// The operator and its inputs for a batch, from those for one image.
    fn follow(&mut self, name: &str, op: Op, mut args: Vec<Arg>) -> Result<(Op, Vec<Arg>)> {
        let own: Vec<Shape> = args.iter().map(|&arg| self.shape(arg)).collect();
        let repetitions = batch_axis::repetitions(&op, &self.with_axes(&args, &own));
        for (index, repetition) in repetitions {
            let own_name = self.free_name(format!("{name}.{}", repetition.name()));
            args[index] = self.push(own_name, repetition, vec![args[index]])?;
        }
        let own: Vec<Shape> = args.iter().map(|&arg| self.shape(arg)).collect();
        let op = batch_axis::followed(op, &self.with_axes(&args, &own));
        Ok((op, args))
    }

    /// The name, or with a number if another node has it.
    fn free_name(&self, name: String) -> String {
        let mut free = name.clone();
        let mut number = self.graph.nodes().len();
        while self.graph.find(&free).is_some() {
            free = format!("{name}_{number}");
            number += 1;
        }
        free
    }

    /// How many values that training changes a constant of `count` values was computed from; at most its own.
    fn trained(&self, args: &[Arg], count: i64) -> i64 {
        let of_arg = |arg: &Arg| match *arg {
            Arg::Parameter(id) => self.graph.parameters()[id].trained,
            Arg::Node(_) => 0,
        };
        args.iter().map(of_arg).sum::<i64>().min(count)
    }

    /// A name for a constant: parameters are found by their names.
    fn constant_name(&self, name: String) -> String {
        if self.reserved.contains(&name) {
            format!("{name} (constant)")
        } else {
            name
        }
    }

    /// The graph with the output `id`.
    ///
    /// # Errors
    /// If it needs too much memory.
    pub(super) fn finish(mut self, id: NodeId) -> Result<Built> {
        self.limits.check_live(&self.graph, &self.shapes, id)?;
        self.graph.set_output(id);
        let own = self.graph.parameters().iter().zip(self.tensors);
        let one_by_one = self.batching == Batching::OneByOne;
        let compared = self.batch_axes.iter();
        Ok(Built {
            parameters: own
                .map(|(parameter, value)| (parameter.name.clone(), value))
                .collect(),
            compared: compared
                .enumerate()
                .map(|(at, axis)| at == id || one_by_one || axis.is_some_and(|axis| axis.slow == 1))
                .collect(),
            graph: self.graph,
        })
    }
}

/// `op` without what depends on the number of images, or an error where it can't do without.
fn exact(op: Op, args: &[Arg], shapes: &[&Shape]) -> Result<Op> {
    match (op, args.first(), shapes.first()) {
        // The axis of a batch of one image stays.
        (Op::Squeeze(squeeze), _, Some(shape)) => squeeze.exact(shape),
        (Op::BatchNorm(norm), Some(Arg::Node(_)), _) if norm.own_statistics => {
            Err(BatchNorm::in_training_mode())
        }
        (op, _, _) => Ok(op),
    }
}
