//! Layers shared by several families.

use crate::network::graph::{Conv, Graph, NodeId, Op, Padding};

/// A convolution without a bias, padded by half the kernel: the convolution before a batch norm.
pub(super) fn conv(in_channels: i64, out_channels: i64, kernel: i64, stride: i64) -> Conv {
    Conv {
        in_channels,
        out_channels,
        kernel,
        stride,
        padding: Padding::Each((kernel - 1) / 2),
        groups: 1,
        bias: false,
    }
}

/// Adds a batch norm called `name`.
pub(super) fn batch_norm(
    graph: &mut Graph,
    name: String,
    channels: i64,
    eps: f64,
    input: NodeId,
) -> NodeId {
    graph.push(name, Op::BatchNorm { channels, eps }, &[input])
}
