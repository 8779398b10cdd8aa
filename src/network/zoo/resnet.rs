//! ResNet (He et al. 2015, <https://arxiv.org/abs/1512.03385>): basic blocks in 18 and 34, bottlenecks in 50, 101 and 152.

use super::architecture::{Arch, ArchOptions, family};
use super::layers::{average_pool, batch_norm, conv, linear, max_pool};
use crate::network::graph::{Graph, NodeId};
use crate::network::op::{Add, Flatten, Relu};

/// The architectures of the family, with the sides of their inputs in pixels.
pub(super) const ARCHITECTURES: [Arch; 5] = family(
    "ResNet",
    build,
    [
        ("resnet18", 224),
        ("resnet34", 224),
        ("resnet50", 224),
        ("resnet101", 224),
        ("resnet152", 224),
    ],
);

/// The graph of the network called `name`.
fn build(name: &str, options: ArchOptions) -> Graph {
    let (bottleneck, blocks) = match name {
        "resnet18" => (false, [2, 2, 2, 2]),
        "resnet34" => (false, [3, 4, 6, 3]),
        "resnet50" => (true, [3, 4, 6, 3]),
        "resnet101" => (true, [3, 4, 23, 3]),
        _ => (true, [3, 8, 36, 3]),
    };
    let eps = options.bn_eps.unwrap_or(1e-5);
    let mut g = Graph::new();
    let input = g.input();
    let x = conv(3, 64, 7, 2).push(&mut g, "conv1", input);
    let x = batch_norm(&mut g, "bn1".into(), 64, eps, x);
    let x = g.push("relu", Relu, &[x]);
    let mut x = g.push("maxpool", max_pool(3, 2, 1), &[x]);
    let mut channels = 64;
    for (stage, &count) in blocks.iter().enumerate() {
        let width = 64 << stage;
        for block in 0..count {
            let at = BlockBuilder {
                name: format!("layer{}.{block}", stage + 1),
                inputs: channels,
                width,
                outputs: if bottleneck { 4 * width } else { width },
                stride: if stage > 0 && block == 0 { 2 } else { 1 },
                eps,
            };
            x = if bottleneck {
                at.bottleneck(&mut g, x, options.stride_on_1x1)
            } else {
                at.basic(&mut g, x)
            };
            channels = at.outputs;
        }
    }
    let x = g.push("avgpool", average_pool(1), &[x]);
    let x = g.push("flatten", Flatten::FEATURES, &[x]);
    linear(&mut g, "fc", channels, options.classes, x);
    g
}

/// A residual block.
struct BlockBuilder {
    name: String,
    inputs: i64,
    width: i64,
    outputs: i64,
    stride: i64,
    eps: f64,
}

impl BlockBuilder {
    /// Two 3×3 convolutions.
    fn basic(&self, g: &mut Graph, x: NodeId) -> NodeId {
        let b = self.conv_bn(g, 1, self.inputs, self.width, 3, self.stride, x);
        let b = g.push(format!("{}.relu", self.name), Relu, &[b]);
        let b = self.conv_bn(g, 2, self.width, self.width, 3, 1, b);
        self.add_shortcut(g, x, b, "relu_1")
    }

    /// A 1×1 convolution to fewer channels, a 3×3 one, a 1×1 one to more channels.
    fn bottleneck(&self, g: &mut Graph, x: NodeId, stride_on_1x1: bool) -> NodeId {
        let (first, second) = if stride_on_1x1 {
            (self.stride, 1)
        } else {
            (1, self.stride)
        };
        let b = self.conv_bn(g, 1, self.inputs, self.width, 1, first, x);
        let b = g.push(format!("{}.relu", self.name), Relu, &[b]);
        let b = self.conv_bn(g, 2, self.width, self.width, 3, second, b);
        let b = g.push(format!("{}.relu_1", self.name), Relu, &[b]);
        let b = self.conv_bn(g, 3, self.width, self.outputs, 1, 1, b);
        self.add_shortcut(g, x, b, "relu_2")
    }

    /// Adds convolution and batch norm `number` of the block.
    #[allow(clippy::too_many_arguments, reason = "the sizes of one convolution")]
    fn conv_bn(
        &self,
        g: &mut Graph,
        number: i64,
        inputs: i64,
        outputs: i64,
        kernel: i64,
        stride: i64,
        x: NodeId,
    ) -> NodeId {
        let name = format!("{}.conv{number}", self.name);
        let x = conv(inputs, outputs, kernel, stride).push(g, name, x);
        batch_norm(g, format!("{}.bn{number}", self.name), outputs, self.eps, x)
    }

    /// Adds the sum with the shortcut, which is a 1×1 convolution where the shape changes.
    fn add_shortcut(&self, g: &mut Graph, x: NodeId, branch: NodeId, relu: &str) -> NodeId {
        let mut shortcut = x;
        if self.stride != 1 || self.inputs != self.outputs {
            let name = format!("{}.downsample.0", self.name);
            shortcut = conv(self.inputs, self.outputs, 1, self.stride).push(g, name, x);
            let name = format!("{}.downsample.1", self.name);
            shortcut = batch_norm(g, name, self.outputs, self.eps, shortcut);
        }
        let sum = g.push(
            format!("{}.add", self.name),
            Add::PLAIN,
            &[shortcut, branch],
        );
        g.push(format!("{}.{relu}", self.name), Relu, &[sum])
    }
}
