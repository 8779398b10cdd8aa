//! The shape, cost, stride and receptive field of every node, computed only from the graph and the input's size.
//!
//! The receptive field follows the main path. A squeeze-and-excitation gate depends on the whole input; if it counted,
//! every receptive field after the first gate would be the whole input.

use super::graph::{Graph, Node, Op, Padding};
use crate::error::{Error, ErrorKind, Result};

/// Shape, cost, stride and receptive field of one node, for an input of a given size.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeInfo {
    /// The shape of the node's value without the batch: `[channels, height, width]` or `[features]`.
    pub shape: Vec<i64>,
    /// The number of trainable parameters.
    pub parameters: i64,
    /// Multiply-adds of convolutions and linear layers: one per product. 0 for all other nodes.
    pub multiply_adds: i64,
    /// Pixels of the input between neighbouring spatial positions; 0 where there are none, after global pooling.
    pub stride: i64,
    /// Side of the receptive field in pixels of the input, not clipped to it; 0 where it is the whole input, after global
    /// pooling.
    pub receptive_field: i64,
    /// First pixel of the receptive field of spatial position 0; negative in the padding.
    pub start: i64,
}

impl NodeInfo {
    /// Whether the node has spatial positions.
    pub fn is_spatial(&self) -> bool {
        self.shape.len() == 3 && (self.stride > 0)
    }
}

/// [`NodeInfo`] of every node of `graph`, for an input of `height` × `width`.
///
/// # Errors
/// If the input is too small for the network, with the first node that has no spatial position left.
pub fn from_graph(graph: &Graph, height: i64, width: i64) -> Result<Vec<NodeInfo>> {
    let mut all: Vec<NodeInfo> = Vec::with_capacity(graph.nodes().len());
    for node in graph.nodes() {
        let info = node_info(node, &all, height, width)?;
        if info.shape.iter().any(|&side| side < 1) {
            let message = format!(
                "an input of {width} × {height} pixels is too small: `{}` has no spatial position left",
                node.name
            );
            return Err(Error::new(ErrorKind::Network, message)
                .help("choose a larger input: `preprocess: {resize: …, crop: …}`"));
        }
        all.push(info);
    }
    Ok(all)
}

fn node_info(node: &Node, before: &[NodeInfo], height: i64, width: i64) -> Result<NodeInfo> {
    let parameters = node.op.parameter_count();
    let Some(input) = node.inputs.first().map(|&id| before[id].clone()) else {
        return Ok(NodeInfo {
            shape: vec![3, height, width],
            parameters,
            multiply_adds: 0,
            stride: 1,
            receptive_field: 1,
            start: 0,
        });
    };
    let same = NodeInfo {
        parameters,
        multiply_adds: 0,
        ..input.clone()
    };
    Ok(match &node.op {
        Op::Conv(conv) => {
            let (h, pad) = slide(input.shape[1], conv.kernel, conv.stride, conv.padding);
            let (w, _) = slide(input.shape[2], conv.kernel, conv.stride, conv.padding);
            let per_output = conv.in_channels / conv.groups * conv.kernel * conv.kernel;
            NodeInfo {
                shape: vec![conv.out_channels, h, w],
                multiply_adds: conv.out_channels * h * w * per_output,
                ..widened(same, conv.kernel, conv.stride, pad)
            }
        }
        Op::MaxPool {
            kernel,
            stride,
            padding,
        } => {
            let padding = Padding::Each(*padding);
            let (h, pad) = slide(input.shape[1], *kernel, *stride, padding);
            let (w, _) = slide(input.shape[2], *kernel, *stride, padding);
            NodeInfo {
                shape: vec![input.shape[0], h, w],
                ..widened(same, *kernel, *stride, pad)
            }
        }
        Op::AvgPool { size } => NodeInfo {
            shape: vec![input.shape[0], *size, *size],
            stride: 0,
            receptive_field: 0,
            start: 0,
            ..same
        },
        Op::Flatten => NodeInfo {
            shape: vec![input.shape.iter().product()],
            stride: 0,
            receptive_field: 0,
            start: 0,
            ..same
        },
        Op::Linear { inputs, outputs } => NodeInfo {
            shape: vec![*outputs],
            multiply_adds: inputs * outputs,
            ..same
        },
        // The union of both receptive fields; usually the branch's is the larger one.
        Op::Add => {
            let other = &before[node.inputs[1]];
            NodeInfo {
                receptive_field: input.receptive_field.max(other.receptive_field),
                start: input.start.min(other.start),
                ..same
            }
        }
        _ => same,
    })
}

/// For a window of `kernel` slid over `size` positions: the number of positions of the output, and the number of zeros
/// before the first position.
fn slide(size: i64, kernel: i64, stride: i64, padding: Padding) -> (i64, i64) {
    match padding {
        Padding::Each(pad) => ((size + 2 * pad - kernel).div_euclid(stride) + 1, pad),
        Padding::Same => {
            let outputs = (size + stride - 1) / stride;
            (outputs, same_padding(size, kernel, stride) / 2)
        }
    }
}

/// How many zeros TensorFlow's `SAME` adds along one axis, on both sides together.
pub(crate) fn same_padding(size: i64, kernel: i64, stride: i64) -> i64 {
    let outputs = (size + stride - 1) / stride;
    ((outputs - 1) * stride + kernel - size).max(0)
}

/// The stride and receptive field of a node that slides a window over the output of `before`.
fn widened(before: NodeInfo, kernel: i64, stride: i64, pad: i64) -> NodeInfo {
    // The 1×1 convolutions of a gate come after global pooling.
    if before.stride == 0 {
        return before;
    }
    NodeInfo {
        stride: before.stride * stride,
        receptive_field: before.receptive_field + (kernel - 1) * before.stride,
        start: before.start - pad * before.stride,
        ..before
    }
}
