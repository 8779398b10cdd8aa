//! What follows from the graph alone: each node's shape, cost, output stride and receptive field.

use super::graph::Graph;
use crate::error::Result;

/// What is known of one node for a given input size.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeInfo {
    /// Without the batch: `[channels, height, width]` or `[features]`.
    pub shape: Vec<i64>,
    /// What training would change.
    pub parameters: i64,
    pub multiply_adds: i64,
    /// Pixels of the input between neighbouring places; 0 once there are no places.
    pub stride: i64,
    /// Side of the receptive field in pixels of the input, not clipped to the picture.
    pub receptive_field: i64,
    /// Where the receptive field of place 0 begins (negative: in the padding).
    pub start: i64,
}

impl NodeInfo {
    /// Whether the node still has height and width.
    pub fn is_spatial(&self) -> bool {
        self.shape.len() == 3
    }
}

/// [`NodeInfo`] of every node of `graph`, for an input of `height` × `width`.
///
/// # Errors
/// If the input is too small for the network, with the layer where it ran out of pixels.
pub fn of_graph(graph: &Graph, height: i64, width: i64) -> Result<Vec<NodeInfo>> {
    let _ = (graph, height, width);
    unimplemented!()
}
