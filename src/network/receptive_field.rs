//! Which part of a picture one place of a layer sees: its receptive field, cut where the picture ends.

use crate::error::{Error, ErrorKind, Result};
use crate::image::Window;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info;

/// The receptive fields of one layer's places, in a picture of one size.
#[derive(Debug, Clone, Copy)]
pub struct ReceptiveFields {
    /// Pixels between neighbouring places, and the side of a field.
    stride: i64,
    side: i64,
    /// Where the field of the first place begins, from above and from the left.
    start: [i64; 2],
    /// Height and width of the picture.
    size: [i64; 2],
}

impl ReceptiveFields {
    /// Of `layer`, in a picture of `height` × `width`.
    ///
    /// # Errors
    /// If the picture is too small for the network, or the layer has no places.
    pub fn new(graph: &Graph, layer: NodeId, height: i64, width: i64) -> Result<ReceptiveFields> {
        // What `SAME` pads before the first place hangs on the size, so on either side's own.
        let down = &node_info::of_graph(graph, height, width)?[layer];
        let across = &node_info::of_graph(graph, width, height)?[layer];
        if !down.is_spatial() {
            let message = format!("`{}` has no places", graph.node(layer).name);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(ReceptiveFields {
            stride: down.stride,
            side: down.receptive_field,
            start: [down.start, across.start],
            size: [height, width],
        })
    }

    /// What the place in row `place[0]`, column `place[1]` sees of the picture: at least one pixel.
    pub fn window(&self, place: [usize; 2]) -> Window {
        let cut = |axis: usize| {
            let first = self.start[axis] + place[axis] as i64 * self.stride;
            let from = first.clamp(0, self.size[axis] - 1);
            let to = (first + self.side).clamp(from + 1, self.size[axis]);
            (from as usize, (to - from) as usize)
        };
        let ((top, height), (left, width)) = (cut(0), cut(1));
        Window {
            left,
            top,
            width,
            height,
        }
    }
}
