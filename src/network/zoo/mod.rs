//! The architectures: one readable file a family, and the list of their names.

mod efficientnet;
mod resnet;
mod vgg;

use super::graph::{Conv, Graph, NodeId, Op, Padding, nearest};
use crate::error::{Error, ErrorKind, Result};

/// What two networks of one architecture may differ in.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// How many classes the head tells apart.
    pub classes: i64,
    /// ResNets with bottlenecks: the stride on the 1×1 convolution, as in the original (He et al.
    /// 2015), not on the 3×3, as torchvision has it.
    pub stride_on_1x1: bool,
    /// Batch norm's ε where it is not the architecture's own.
    pub bn_eps: Option<f64>,
    /// VGG: global average pooling and one linear layer in place of the three.
    pub gap_head: bool,
    /// EfficientNet: TensorFlow's `SAME` padding, for weights trained there. The Lite networks have
    /// it in any case.
    pub same_padding: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            classes: 1000,
            stride_on_1x1: false,
            bn_eps: None,
            gap_head: false,
            same_padding: false,
        }
    }
}

/// One architecture of the zoo.
#[derive(Debug, Clone, Copy)]
pub struct Arch {
    /// Its name in an experiment: `resnet50`.
    pub name: &'static str,
    /// `ResNet`, `VGG` or `EfficientNet`.
    pub family: &'static str,
    /// Side of the picture it was made for, in pixels.
    pub input: i64,
    build: fn(&str, Options) -> Graph,
}

impl Arch {
    /// The architecture's graph.
    pub fn graph(&self, options: Options) -> Graph {
        (self.build)(self.name, options)
    }
}

const fn arch(
    name: &'static str,
    family: &'static str,
    input: i64,
    build: fn(&str, Options) -> Graph,
) -> Arch {
    Arch {
        name,
        family,
        input,
        build,
    }
}

/// Every architecture, family by family, small to large.
pub const ARCHITECTURES: &[Arch] = &[
    arch("resnet18", "ResNet", 224, resnet::build),
    arch("resnet34", "ResNet", 224, resnet::build),
    arch("resnet50", "ResNet", 224, resnet::build),
    arch("resnet101", "ResNet", 224, resnet::build),
    arch("resnet152", "ResNet", 224, resnet::build),
    arch("vgg11", "VGG", 224, vgg::build),
    arch("vgg11_bn", "VGG", 224, vgg::build),
    arch("vgg13", "VGG", 224, vgg::build),
    arch("vgg13_bn", "VGG", 224, vgg::build),
    arch("vgg16", "VGG", 224, vgg::build),
    arch("vgg16_bn", "VGG", 224, vgg::build),
    arch("vgg19", "VGG", 224, vgg::build),
    arch("vgg19_bn", "VGG", 224, vgg::build),
    arch("efficientnet_b0", "EfficientNet", 224, efficientnet::build),
    arch("efficientnet_b1", "EfficientNet", 240, efficientnet::build),
    arch("efficientnet_b2", "EfficientNet", 260, efficientnet::build),
    arch("efficientnet_b3", "EfficientNet", 300, efficientnet::build),
    arch("efficientnet_b4", "EfficientNet", 380, efficientnet::build),
    arch("efficientnet_b5", "EfficientNet", 456, efficientnet::build),
    arch("efficientnet_b6", "EfficientNet", 528, efficientnet::build),
    arch("efficientnet_b7", "EfficientNet", 600, efficientnet::build),
    arch(
        "efficientnet_lite0",
        "EfficientNet",
        224,
        efficientnet::build,
    ),
    arch(
        "efficientnet_lite1",
        "EfficientNet",
        240,
        efficientnet::build,
    ),
    arch(
        "efficientnet_lite2",
        "EfficientNet",
        260,
        efficientnet::build,
    ),
    arch(
        "efficientnet_lite3",
        "EfficientNet",
        280,
        efficientnet::build,
    ),
    arch(
        "efficientnet_lite4",
        "EfficientNet",
        300,
        efficientnet::build,
    ),
];

/// The architecture of that name.
///
/// # Errors
/// If there is none, with the nearest name.
pub fn find(name: &str) -> Result<&'static Arch> {
    ARCHITECTURES
        .iter()
        .find(|arch| arch.name == name)
        .ok_or_else(|| {
            let error = Error::new(
                ErrorKind::Usage,
                format!("there is no architecture `{name}`"),
            );
            match nearest(name, ARCHITECTURES.iter().map(|arch| arch.name)) {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error.help("`convscope models` lists them"),
            }
        })
}

/// A convolution without bias, as those that batch norm follows.
fn conv(in_channels: i64, out_channels: i64, kernel: i64, stride: i64) -> Conv {
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

/// Batch norm under its own name.
fn batch_norm(graph: &mut Graph, name: String, channels: i64, eps: f64, input: NodeId) -> NodeId {
    graph.push(name, Op::BatchNorm { channels, eps }, &[input])
}
