//! Folds each batch norm into the convolution before it. The network computes the same function with fewer operations,
//! and the shift of each batch norm becomes a bias, which LRP's rules take into account.

use std::collections::BTreeMap;

use tch::Tensor;

use super::forward::Network;
use super::graph::{Graph, NodeId, Op};
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
        let mut parameters: BTreeMap<String, Tensor> = BTreeMap::new();
        let mut ops: Vec<Op> = graph.nodes().iter().map(|node| node.op.clone()).collect();
        for (name, _) in graph.parameters() {
            if let Some(tensor) = self.parameter(&name) {
                parameters.insert(name, tensor.shallow_clone());
            }
        }
        for (id, node) in graph.nodes().iter().enumerate() {
            let (Op::BatchNorm { eps, .. }, Some(&before)) = (&node.op, node.inputs.first()) else {
                continue;
            };
            let Op::Conv(mut conv) = ops[before].clone() else {
                continue;
            };
            if uses[before] != 1 {
                continue;
            }
            let (weight, bias) = self.folded_convolution(before, id, *eps)?;
            let name = &graph.node(before).name;
            parameters.insert(format!("{name}.weight"), weight);
            parameters.insert(format!("{name}.bias"), bias);
            for (part, _) in node.op.parameters() {
                parameters.remove(&format!("{}.{part}", node.name));
            }
            conv.bias = true;
            ops[before] = Op::Conv(conv);
            ops[id] = Op::Dropout;
        }
        let mut folded = Graph::new();
        for (node, op) in graph.nodes().iter().zip(ops).skip(1) {
            folded.push(node.name.clone(), op, &node.inputs);
        }
        Network::new(folded, parameters)
    }

    /// Weight and bias of the convolution `before` with the batch norm `norm` folded into them.
    fn folded_convolution(
        &self,
        before: NodeId,
        norm: NodeId,
        eps: f64,
    ) -> Result<(Tensor, Tensor)> {
        let part = |id: NodeId, part: &str| {
            let name = format!("{}.{part}", self.graph().node(id).name);
            let missing = || Error::new(ErrorKind::Weights, format!("`{name}` is missing"));
            self.parameter(&name).ok_or_else(missing)
        };
        let deviation = part(norm, "running_var")?.f_add_scalar(eps)?.f_sqrt()?;
        let scale = part(norm, "weight")?.f_div(&deviation)?;
        let weight = part(before, "weight")?.f_mul(&scale.f_view([-1, 1, 1, 1])?)?;
        let mut shift = part(norm, "running_mean")?.f_neg()?;
        if let Ok(bias) = part(before, "bias") {
            shift = shift.f_add(bias)?;
        }
        let bias = shift.f_mul(&scale)?.f_add(part(norm, "bias")?)?;
        Ok((weight, bias))
    }
}
