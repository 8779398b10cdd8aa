//! Receptive fields as windows of the input: the pixels that one spatial position of a layer depends on.

use crate::error::{Error, ErrorKind, Result};
use crate::image::Window;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info;

/// The receptive fields of all spatial positions of one layer, for an input of one size.
#[derive(Debug, Clone, Copy)]
pub struct ReceptiveFields {
    /// Pixels between neighbouring spatial positions.
    stride: i64,
    /// Side of a receptive field, in pixels.
    side: i64,
    /// First row and first column of the receptive field of the first position; negative in the padding.
    start: [i64; 2],
    /// Height and width of the input.
    size: [i64; 2],
}

impl ReceptiveFields {
    /// The receptive fields of `layer` for an input of `height` × `width`.
    ///
    /// # Errors
    /// If the input is too small for the network, or the layer has no spatial positions.
    pub fn new(graph: &Graph, layer: NodeId, height: i64, width: i64) -> Result<ReceptiveFields> {
        // The padding of `SAME` before the first position depends on the input's size along the axis.
        let down = &node_info::from_graph(graph, height, width)?[layer];
        let across = &node_info::from_graph(graph, width, height)?[layer];
        if !down.is_spatial() {
            let message = format!("`{}` has no height and width", graph.node(layer).name);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(ReceptiveFields {
            stride: down.stride,
            side: down.receptive_field,
            start: [down.start, across.start],
            size: [height, width],
        })
    }

    /// The receptive field of the position in row `position[0]`, column `position[1]`, clipped to the input: at least one
    /// pixel.
    pub fn window(&self, position: [usize; 2]) -> Window {
        let clip = |axis: usize| {
            let first = self.start[axis] + position[axis] as i64 * self.stride;
            let from = first.clamp(0, self.size[axis] - 1);
            let to = (first + self.side).clamp(from + 1, self.size[axis]);
            (from as usize, (to - from) as usize)
        };
        let ((top, height), (left, width)) = (clip(0), clip(1));
        Window {
            left,
            top,
            width,
            height,
        }
    }
}
