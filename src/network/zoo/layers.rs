//! Layers that several families use.

use crate::network::graph::{Graph, NodeId};
use crate::network::op::{AdaptiveAvgPool2d, BatchNorm, Conv2d, Linear, MaxPool2d, Padding};

/// A convolution with a square kernel.
#[derive(Debug, Clone, Copy)]
pub(super) struct ConvLayer {
    pub(super) in_channels: i64,
    pub(super) out_channels: i64,
    pub(super) kernel: i64,
    pub(super) stride: i64,
    pub(super) padding: Padding,
    pub(super) groups: i64,
    pub(super) bias: bool,
}

impl ConvLayer {
    /// Adds the convolution, called `name`.
    pub(super) fn push(self, graph: &mut Graph, name: impl Into<String>, input: NodeId) -> NodeId {
        let op = Conv2d {
            stride: [self.stride; 2],
            padding: self.padding,
            dilation: [1, 1],
            groups: self.groups,
        };
        let per_group = self.in_channels / self.groups;
        let weight = [self.out_channels, per_group, self.kernel, self.kernel];
        let bias = [self.out_channels];
        let parameters: [(&str, &[i64]); 2] = [("weight", &weight), ("bias", &bias)];
        let count = if self.bias { 2 } else { 1 };
        graph.push_layer(name, op, input, &parameters[..count])
    }
}

/// A convolution without bias and with half the kernel as padding, as it comes before a batch norm.
pub(super) fn conv(in_channels: i64, out_channels: i64, kernel: i64, stride: i64) -> ConvLayer {
    ConvLayer {
        in_channels,
        out_channels,
        kernel,
        stride,
        padding: Padding::Each([(kernel - 1) / 2; 2]),
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
    batch_norm_of(graph, name, channels, eps, true, input)
}

/// Adds a batch norm called `name`, with a weight and a bias if it is `affine`.
pub(super) fn batch_norm_of(
    graph: &mut Graph,
    name: String,
    channels: i64,
    eps: f64,
    affine: bool,
    input: NodeId,
) -> NodeId {
    let parts = ["weight", "bias", "running_mean", "running_var"];
    let shape = [channels];
    let parameters = parts.map(|part| (part, shape.as_slice()));
    let first = if affine { 0 } else { 2 };
    graph.push_layer(
        name,
        BatchNorm {
            eps,
            weight: affine,
            bias: affine,
            own_statistics: false,
        },
        input,
        &parameters[first..],
    )
}

/// Adds a linear layer with a bias, called `name`.
pub(super) fn linear(
    graph: &mut Graph,
    name: impl Into<String>,
    inputs: i64,
    outputs: i64,
    input: NodeId,
) -> NodeId {
    let parameters: [(&str, &[i64]); 2] = [("weight", &[outputs, inputs]), ("bias", &[outputs])];
    graph.push_layer(name, Linear, input, &parameters)
}

/// Max pooling with a square window.
pub(super) fn max_pool(kernel: i64, stride: i64, padding: i64) -> MaxPool2d {
    MaxPool2d {
        kernel: [kernel; 2],
        stride: [stride; 2],
        padding: [padding; 2],
        dilation: [1, 1],
        ceil_mode: false,
    }
}

/// Adaptive average pooling to `size` × `size`.
pub(super) fn average_pool(size: i64) -> AdaptiveAvgPool2d {
    AdaptiveAvgPool2d { size: [size; 2] }
}
