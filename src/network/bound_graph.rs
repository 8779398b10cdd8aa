//! A graph with the values of its parameters, which evaluates single nodes.

use tch::Tensor;

use super::graph::{Arg, Graph, Node, ParameterId};
use super::op::Op;
use crate::error::{Error, ErrorKind, Result};

/// A graph with the values of its parameters, both borrowed from a network.
#[derive(Debug, Clone, Copy)]
pub(super) struct BoundGraph<'a> {
    pub(super) graph: &'a Graph,
    /// In the order of the graph's parameters.
    pub(super) parameters: &'a [Tensor],
}

impl<'a> BoundGraph<'a> {
    /// The value of a parameter, a buffer or a constant.
    pub(super) fn parameter(self, id: ParameterId) -> &'a Tensor {
        &self.parameters[id]
    }

    /// The value of `op` for the values `x` of the nodes among its inputs, a batch of `batch` images, and the parameters of
    /// `node`, whose operator it is or a variant of.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(super) fn evaluate(
        self,
        (node, op): (&Node, &Op),
        x: &[&Tensor],
        batch: i64,
    ) -> Result<Tensor> {
        let mut values = x.iter().copied();
        let args: Option<Vec<&Tensor>> = node
            .args
            .iter()
            .map(|arg| match *arg {
                Arg::Node(_) => values.next(),
                Arg::Parameter(id) => self.parameters.get(id),
            })
            .collect();
        let missing = || Error::new(ErrorKind::Network, "an input is missing");
        op.operator().evaluate(&args.ok_or_else(missing)?, batch)
    }

    /// The weight of a convolution or a linear layer, and its bias if it has one, where they are parameters.
    pub(super) fn weight_and_bias(self, node: &Node) -> Option<(&'a Tensor, Option<&'a Tensor>)> {
        let parameter = |index: usize| match node.args.get(index) {
            Some(Arg::Parameter(id)) => self.parameters.get(*id),
            _ => None,
        };
        match node.op {
            Op::Conv2d(_) | Op::Linear(_) => Some((parameter(1)?, parameter(2))),
            _ => None,
        }
    }
}
