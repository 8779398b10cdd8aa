//! Folds each batch norm into the convolution before it. The network computes the same function with fewer operations,
//! and the shift of each batch norm becomes a bias, which LRP's rules take into account.

use std::collections::{BTreeMap, BTreeSet};

use tch::Tensor;

use super::forward::Network;
use super::graph::{Arg, Graph, NodeId, ParameterId};
use super::op::{Identity, Op};
use crate::error::{Error, ErrorKind, Result};

impl Network {
    /// The network with the scale and the shift of each batch norm folded into the convolution before it, provided that
    /// no other node uses that convolution. A folded batch norm remains in the graph as an identity, as dropout does in
    /// evaluation mode; other batch norms are unchanged. The folded network is computed at the first call and kept.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn folded(&self) -> Result<&Network> {
        if let Some(folded) = self.folded.get() {
            return Ok(folded);
        }
        let folded = Box::new(self.fold_batch_norms()?);
        Ok(self.folded.get_or_init(|| folded))
    }

    fn fold_batch_norms(&self) -> Result<Network> {
        let graph = self.graph();
        let mut uses = vec![0usize; graph.nodes().len()];
        for node in graph.nodes() {
            node.inputs.iter().for_each(|&input| uses[input] += 1);
        }
        // The folded weight and bias of a convolution, and the batch norms that became identities.
        let mut folded: BTreeMap<NodeId, (Tensor, Tensor)> = BTreeMap::new();
        let mut removed = BTreeSet::new();
        for (id, node) in graph.nodes().iter().enumerate() {
            let (Op::BatchNorm(norm), Some(&before)) = (&node.op, node.inputs.first()) else {
                continue;
            };
            let is_own = |id: NodeId| graph.convolution(id).is_some() && uses[id] == 1;
            let is_plain = norm.weight && norm.bias && !norm.own_statistics;
            if is_plain && is_own(before) && !folded.contains_key(&before) {
                folded.insert(before, self.folded_convolution(before, id, norm.eps)?);
                removed.insert(id);
            }
        }
        self.with_folded(folded, &removed)
    }

    /// The network with these weights and biases of convolutions, and identities in place of the removed nodes.
    fn with_folded(
        &self,
        mut folded: BTreeMap<NodeId, (Tensor, Tensor)>,
        removed: &BTreeSet<NodeId>,
    ) -> Result<Network> {
        let graph = self.graph();
        let mut result = Graph::like(graph);
        let mut parameters = BTreeMap::new();
        // Several nodes can share a parameter.
        let mut copied: BTreeMap<ParameterId, ParameterId> = BTreeMap::new();
        for (id, node) in graph.nodes().iter().enumerate().skip(1) {
            let name = node.name.clone();
            if removed.contains(&id) {
                result.push(name, Identity::FOLDED, &node.inputs);
                continue;
            }
            if let (Some((weight, bias)), Some(conv)) = (folded.remove(&id), graph.convolution(id))
            {
                let shapes = [weight.size(), bias.size()];
                let parts: [(&str, &[i64]); 2] = [("weight", &shapes[0]), ("bias", &shapes[1])];
                result.push_layer(&name, conv.op.clone(), node.inputs[0], &parts);
                parameters.insert(format!("{name}.weight"), weight);
                parameters.insert(format!("{name}.bias"), bias);
                continue;
            }
            let mut args = Vec::new();
            for arg in &node.args {
                args.push(match *arg {
                    Arg::Node(input) => Arg::Node(input),
                    Arg::Parameter(parameter) => {
                        Arg::Parameter(*copied.entry(parameter).or_insert_with(|| {
                            let own = graph.parameters()[parameter].clone();
                            let value = self.parameter_value(parameter).shallow_clone();
                            parameters.insert(own.name.clone(), value);
                            result.add_parameter(own)
                        }))
                    }
                });
            }
            result.push_node(name, node.op.clone(), args);
        }
        for (id, node) in graph.nodes().iter().enumerate() {
            let (axis, length) = node.batch;
            result.set_batch(id, axis, length);
        }
        result.set_output(graph.output());
        let network = Network::new(result, parameters)?;
        Ok(if self.is_one_by_one() {
            network.one_by_one()
        } else {
            network
        })
    }

    /// Weight and bias of the convolution `before` with the batch norm `norm` folded into them.
    fn folded_convolution(
        &self,
        before: NodeId,
        norm: NodeId,
        eps: f64,
    ) -> Result<(Tensor, Tensor)> {
        let graph = self.graph();
        let missing = || Error::new(ErrorKind::Weights, "a parameter of a batch norm is missing");
        let own = &graph.node(norm).parameters;
        let part = |index: usize| {
            own.get(index)
                .map(|&id| self.parameter_value(id))
                .ok_or_else(missing)
        };
        let (weight, bias) = self
            .weight_and_bias(graph.node(before))
            .ok_or_else(missing)?;
        let deviation = part(3)?.f_add_scalar(eps)?.f_sqrt()?;
        let scale = part(0)?.f_div(&deviation)?;
        let weight = weight.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
        let mut shift = part(2)?.f_neg()?;
        if let Some(bias) = bias {
            shift = shift.f_add(bias)?;
        }
        let bias = shift.f_mul(&scale)?.f_add(part(1)?)?;
        Ok((weight, bias))
    }
}
