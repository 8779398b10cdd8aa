//! ResNet (He et al. 2015, <https://arxiv.org/abs/1512.03385>) and its relatives, which differ in numbers only: ResNeXt (Xie et
//! al. 2016, <https://arxiv.org/abs/1611.05431>), whose 3×3 convolutions have groups; Wide ResNet (Zagoruyko & Komodakis 2016,
//! <https://arxiv.org/abs/1605.07146>), whose 3×3 convolutions have twice the channels; and the ResNets for CIFAR's images of
//! 32 × 32 pixels (section 4.2 of the first paper).

use super::architecture::{Arch, ArchOptions, Stem, family};
use super::layers::{ConvLayer, average_pool, batch_norm, conv, linear, max_pool};
use crate::network::graph::{Graph, NodeId};
use crate::network::op::{Add, Flatten, Pad, PadMode, Relu};

/// The architectures of the family, with the sides of their inputs in pixels.
pub(super) const ARCHITECTURES: [Arch; CONFIGS.len()] = family("ResNet", build, members());

/// The numbers of one architecture.
struct Config {
    name: &'static str,
    /// Residual blocks of each stage.
    blocks: &'static [usize],
    /// Whether a block has three convolutions, of 1×1, 3×3 and 1×1, instead of two of 3×3.
    bottleneck: bool,
    /// Groups of the 3×3 convolution of a bottleneck.
    groups: i64,
    /// Channels of each group in the first stage.
    group_width: i64,
    /// Whether it is for CIFAR: 16 channels in the first stage instead of 64, and the small stem.
    cifar: bool,
}

const CONFIGS: [Config; 15] = [
    plain("resnet18", &[2, 2, 2, 2]),
    plain("resnet34", &[3, 4, 6, 3]),
    bottlenecks("resnet50", &[3, 4, 6, 3], 1, 64),
    bottlenecks("resnet101", &[3, 4, 23, 3], 1, 64),
    bottlenecks("resnet152", &[3, 8, 36, 3], 1, 64),
    bottlenecks("resnext50_32x4d", &[3, 4, 6, 3], 32, 4),
    bottlenecks("resnext101_32x8d", &[3, 4, 23, 3], 32, 8),
    bottlenecks("resnext101_64x4d", &[3, 4, 23, 3], 64, 4),
    bottlenecks("wide_resnet50_2", &[3, 4, 6, 3], 1, 128),
    bottlenecks("wide_resnet101_2", &[3, 4, 23, 3], 1, 128),
    cifar("resnet20", &[3, 3, 3]),
    cifar("resnet32", &[5, 5, 5]),
    cifar("resnet44", &[7, 7, 7]),
    cifar("resnet56", &[9, 9, 9]),
    cifar("resnet110", &[18, 18, 18]),
];

/// An architecture of blocks with two convolutions.
const fn plain(name: &'static str, blocks: &'static [usize]) -> Config {
    Config {
        name,
        blocks,
        bottleneck: false,
        groups: 1,
        group_width: 64,
        cifar: false,
    }
}

/// An architecture of bottlenecks.
const fn bottlenecks(
    name: &'static str,
    blocks: &'static [usize],
    groups: i64,
    group_width: i64,
) -> Config {
    Config {
        bottleneck: true,
        groups,
        group_width,
        ..plain(name, blocks)
    }
}

/// An architecture for CIFAR.
const fn cifar(name: &'static str, blocks: &'static [usize]) -> Config {
    Config {
        cifar: true,
        ..plain(name, blocks)
    }
}

/// Names and sides of the inputs, of all configurations.
const fn members() -> [(&'static str, i64); CONFIGS.len()] {
    let mut all = [("", 0); CONFIGS.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = (CONFIGS[at].name, if CONFIGS[at].cifar { 32 } else { 224 });
        at += 1;
    }
    all
}

/// The graph of the network called `name`.
fn build(name: &str, options: &ArchOptions) -> Graph {
    let found = CONFIGS.iter().find(|config| config.name == name);
    let config = found.unwrap_or(&CONFIGS[0]);
    let eps = options.bn_eps.unwrap_or(1e-5);
    let mut g = options.input();
    let mut channels = if config.cifar { 16 } else { 64 };
    let mut x = stem(&mut g, config, options, channels, eps);
    for (stage, &count) in config.blocks.iter().enumerate() {
        let planes = (if config.cifar { 16 } else { 64 }) << stage;
        for block in 0..count {
            let at = BlockBuilder {
                name: format!("layer{}.{block}", stage + 1),
                inputs: channels,
                width: planes * config.group_width / 64 * config.groups,
                groups: config.groups,
                outputs: if config.bottleneck {
                    4 * planes
                } else {
                    planes
                },
                stride: if stage > 0 && block == 0 { 2 } else { 1 },
                projection: !config.cifar || options.projections,
                eps,
            };
            x = if config.bottleneck {
                at.bottleneck(&mut g, x, options.stride_on_1x1)
            } else {
                at.basic(&mut g, x)
            };
            channels = at.outputs;
        }
    }
    let x = g.push("avgpool", average_pool(1), &[x]);
    let x = g.push("flatten", Flatten::FEATURES, &[x]);
    options.head.push(&mut g, x, |g, x| {
        linear(g, "fc", channels, options.classes, x);
    });
    g
}

/// Adds the layers before the first block, with `width` channels.
fn stem(g: &mut Graph, config: &Config, options: &ArchOptions, width: i64, eps: f64) -> NodeId {
    let small = config.cifar || options.stem == Stem::Small;
    let (kernel, stride) = if small { (3, 1) } else { (7, 2) };
    let input = g.input();
    let x = conv(options.channels, width, kernel, stride).push(g, "conv1", input);
    let x = batch_norm(g, "bn1".into(), width, eps, x);
    let x = g.push("relu", Relu, &[x]);
    if small {
        return x;
    }
    g.push("maxpool", max_pool(3, 2, 1), &[x])
}

/// A residual block.
struct BlockBuilder {
    name: String,
    inputs: i64,
    width: i64,
    /// Groups of a bottleneck's 3×3 convolution.
    groups: i64,
    outputs: i64,
    stride: i64,
    /// Whether a shortcut that changes the shape has a convolution.
    projection: bool,
    eps: f64,
}

impl BlockBuilder {
    /// Two 3×3 convolutions.
    fn basic(&self, g: &mut Graph, x: NodeId) -> NodeId {
        let b = self.conv_bn(g, 1, conv(self.inputs, self.outputs, 3, self.stride), x);
        let b = g.push(format!("{}.relu", self.name), Relu, &[b]);
        let b = self.conv_bn(g, 2, conv(self.outputs, self.outputs, 3, 1), b);
        self.add_shortcut(g, x, b, "relu_1")
    }

    /// A 1×1 convolution to fewer channels, a 3×3 one, a 1×1 one to more channels.
    fn bottleneck(&self, g: &mut Graph, x: NodeId, stride_on_1x1: bool) -> NodeId {
        let (first, second) = if stride_on_1x1 {
            (self.stride, 1)
        } else {
            (1, self.stride)
        };
        let b = self.conv_bn(g, 1, conv(self.inputs, self.width, 1, first), x);
        let b = g.push(format!("{}.relu", self.name), Relu, &[b]);
        let grouped = ConvLayer {
            groups: self.groups,
            ..conv(self.width, self.width, 3, second)
        };
        let b = self.conv_bn(g, 2, grouped, b);
        let b = g.push(format!("{}.relu_1", self.name), Relu, &[b]);
        let b = self.conv_bn(g, 3, conv(self.width, self.outputs, 1, 1), b);
        self.add_shortcut(g, x, b, "relu_2")
    }

    /// Adds convolution and batch norm `number` of the block.
    fn conv_bn(&self, g: &mut Graph, number: i64, layer: ConvLayer, x: NodeId) -> NodeId {
        let x = layer.push(g, format!("{}.conv{number}", self.name), x);
        let name = format!("{}.bn{number}", self.name);
        batch_norm(g, name, layer.out_channels, self.eps, x)
    }

    /// Adds the sum with the shortcut, which is a projection where the shape changes.
    fn add_shortcut(&self, g: &mut Graph, x: NodeId, branch: NodeId, relu: &str) -> NodeId {
        let shortcut = match (
            self.stride != 1 || self.inputs != self.outputs,
            self.projection,
        ) {
            (false, _) => x,
            (true, true) => {
                let name = format!("{}.downsample.0", self.name);
                let x = conv(self.inputs, self.outputs, 1, self.stride).push(g, name, x);
                let name = format!("{}.downsample.1", self.name);
                batch_norm(g, name, self.outputs, self.eps, x)
            }
            (true, false) => self.zero_padded(g, x),
        };
        let sum = g.push(
            format!("{}.add", self.name),
            Add::PLAIN,
            &[shortcut, branch],
        );
        g.push(format!("{}.{relu}", self.name), Relu, &[sum])
    }

    /// Every position that the stride keeps, with as many channels of zeros before as after the others.
    fn zero_padded(&self, g: &mut Graph, x: NodeId) -> NodeId {
        let name = format!("{}.shortcut.subsample", self.name);
        // A window of one position has itself as its maximum.
        let x = g.push(name, max_pool(1, self.stride, 0), &[x]);
        let zeros = (self.outputs - self.inputs) / 2;
        let pad = Pad {
            pad: vec![0, 0, 0, 0, zeros, zeros],
            mode: PadMode::Constant(0.0),
        };
        g.push(format!("{}.shortcut.pad", self.name), pad, &[x])
    }
}
