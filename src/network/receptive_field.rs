//! Receptive fields as windows of the input: the pixels that one spatial position of a layer depends on.

use crate::error::{Error, ErrorKind, Result};
use crate::image::Window;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::{self, Field, FieldWindow};

/// The receptive fields of all spatial positions of one layer, for an input of one size.
#[derive(Debug, Clone, Copy)]
pub struct ReceptiveFields {
    /// The window of a position; `None` if every position depends on the whole input.
    field: Option<FieldWindow>,
    /// Height and width of the input.
    size: [i64; 2],
}

impl ReceptiveFields {
    /// The receptive fields of `layer` for an input of `height` × `width`.
    ///
    /// # Errors
    /// If the input is too small for the network, or the layer has no spatial positions with a window of their own.
    pub fn new(graph: &Graph, layer: NodeId, height: i64, width: i64) -> Result<ReceptiveFields> {
        let info = &node_info::from_graph(graph, height, width)?[layer];
        if !info.is_spatial() {
            let message = format!("`{}` has no height and width", graph.node(layer).name);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(ReceptiveFields {
            field: match info.field {
                Field::Window(field) => Some(field),
                Field::Whole => None,
            },
            size: [height, width],
        })
    }

    /// The receptive field of the position in row `position[0]`, column `position[1]`, clipped to the input: at least one
    /// pixel.
    pub fn window(&self, position: [usize; 2]) -> Window {
        let Some(FieldWindow {
            size,
            stride,
            start,
        }) = self.field
        else {
            let [height, width] = self.size.map(|side| side as usize);
            return Window {
                left: 0,
                top: 0,
                width,
                height,
            };
        };
        let clip = |axis: usize| {
            let first = start[axis] + position[axis] as i64 * stride[axis];
            let from = first.clamp(0, self.size[axis] - 1);
            let to = (first + size[axis]).clamp(from + 1, self.size[axis]);
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
