//! The values that a forward pass keeps, or the gradients that a backward pass computes, by node.

use std::collections::{BTreeMap, btree_map};
use std::ops::Index;

use tch::Tensor;

use super::graph::NodeId;
use crate::error::{Error, ErrorKind, Result};

/// Tensors of some of a graph's nodes, by node: `[N, C, H, W]`, or `[N, features]` after flattening.
#[derive(Debug, Default)]
pub struct NodeValues(BTreeMap<NodeId, Tensor>);

impl NodeValues {
    /// An empty set of values.
    pub fn new() -> Self {
        Self::default()
    }

    /// The tensor of node `id`.
    ///
    /// # Errors
    /// If the node was not among those that the pass had to keep.
    pub fn value(&self, id: NodeId) -> Result<&Tensor> {
        self.get(&id).ok_or_else(|| {
            let message = format!("the value of node {id} was not kept by the pass");
            Error::new(ErrorKind::Network, message)
        })
    }

    /// The tensor of node `id`, if there is one.
    pub fn get(&self, id: &NodeId) -> Option<&Tensor> {
        self.0.get(id)
    }

    /// Whether there is a tensor of node `id`.
    pub fn contains_key(&self, id: &NodeId) -> bool {
        self.0.contains_key(id)
    }

    /// Sets the tensor of node `id` and returns the one before it.
    pub fn insert(&mut self, id: NodeId, value: Tensor) -> Option<Tensor> {
        self.0.insert(id, value)
    }

    /// Adds `value` to the tensor of node `id`, or sets it if there is none.
    ///
    /// # Errors
    /// If libtorch fails, for example because the shapes differ.
    pub fn accumulate(&mut self, id: NodeId, value: Tensor) -> Result<()> {
        let sum = match self.remove(&id) {
            Some(before) => before.f_add(&value)?,
            None => value,
        };
        self.insert(id, sum);
        Ok(())
    }

    /// Removes and returns the tensor of node `id`.
    pub fn remove(&mut self, id: &NodeId) -> Option<Tensor> {
        self.0.remove(id)
    }

    /// All nodes with their tensors, in the order of the graph.
    pub fn iter(&self) -> btree_map::Iter<'_, NodeId, Tensor> {
        self.0.iter()
    }

    /// The tensors without their nodes, in the order of the graph.
    pub fn into_values(self) -> btree_map::IntoValues<NodeId, Tensor> {
        self.0.into_values()
    }
}

impl<const N: usize> From<[(NodeId, Tensor); N]> for NodeValues {
    fn from(values: [(NodeId, Tensor); N]) -> Self {
        NodeValues(BTreeMap::from(values))
    }
}

impl FromIterator<(NodeId, Tensor)> for NodeValues {
    fn from_iter<I: IntoIterator<Item = (NodeId, Tensor)>>(values: I) -> Self {
        NodeValues(values.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a NodeValues {
    type Item = (&'a NodeId, &'a Tensor);
    type IntoIter = btree_map::Iter<'a, NodeId, Tensor>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Panics if there is no tensor of the node.
impl Index<&NodeId> for NodeValues {
    type Output = Tensor;

    fn index(&self, id: &NodeId) -> &Tensor {
        &self.0[id]
    }
}
