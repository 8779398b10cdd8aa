//! Folds each batch norm into the convolution before it. The network computes the same function with fewer operations,
//! and the shift of each batch norm becomes a bias, which LRP's rules take into account.

use std::collections::{BTreeMap, BTreeSet};

use super::forward::Network;
use super::graph::{Arg, Graph, NodeId, ParameterId};
use super::op::Identity;
use super::precision::Precision;
use super::prepared::{Fold, Prepared};
use crate::error::Result;

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
        match self.prepared()? {
            Some(prepared) => self.with_folded(prepared.folds()),
            None => self.with_folded(Prepared::new(self.bound(), Precision::Float32)?.folds()),
        }
    }

    /// The network with these convolutions, and identities in place of the batch norms.
    fn with_folded(&self, folds: &BTreeMap<NodeId, Fold>) -> Result<Network> {
        let removed: BTreeSet<NodeId> = folds.values().map(|fold| fold.norm).collect();
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
            if let (Some(fold), Some(conv)) = (folds.get(&id), graph.convolution(id)) {
                let shapes = [fold.weight.size(), fold.bias.size()];
                let parts: [(&str, &[i64]); 2] = [("weight", &shapes[0]), ("bias", &shapes[1])];
                result.push_layer(&name, conv.op.clone(), node.inputs[0], &parts);
                parameters.insert(format!("{name}.weight"), fold.weight.shallow_clone());
                parameters.insert(format!("{name}.bias"), fold.bias.shallow_clone());
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
}
