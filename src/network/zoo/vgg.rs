//! VGG (Simonyan & Zisserman 2014, <https://arxiv.org/abs/1409.1556>), configurations A, B, D and E, with and without batch norm.

use super::architecture::{Arch, ArchOptions, family};
use super::layers::{ConvLayer, average_pool, batch_norm, conv, linear, max_pool};
use crate::network::graph::{Graph, NodeId};
use crate::network::op::{Flatten, Relu};

/// The architectures of the family, with the sides of their inputs in pixels.
pub(super) const ARCHITECTURES: [Arch; 8] = family(
    "VGG",
    build,
    [
        ("vgg11", 224),
        ("vgg11_bn", 224),
        ("vgg13", 224),
        ("vgg13_bn", 224),
        ("vgg16", 224),
        ("vgg16_bn", 224),
        ("vgg19", 224),
        ("vgg19_bn", 224),
    ],
);

/// The number of convolutions before each of the five max poolings.
fn blocks(name: &str) -> [usize; 5] {
    match name.trim_end_matches("_bn") {
        "vgg11" => [1, 1, 2, 2, 2],
        "vgg13" => [2, 2, 2, 2, 2],
        "vgg16" => [2, 2, 3, 3, 3],
        _ => [2, 2, 4, 4, 4],
    }
}

/// The graph of the network called `name`.
fn build(name: &str, options: &ArchOptions) -> Graph {
    let with_bn = name.ends_with("_bn");
    let mut g = options.input();
    let (mut x, mut channels, mut number) = (g.input(), options.channels, 0);
    // torchvision numbers all layers of `features` consecutively.
    let mut next = || {
        number += 1;
        format!("features.{}", number - 1)
    };
    for (block, &count) in blocks(name).iter().enumerate() {
        let width = (64 << block).min(512);
        for _ in 0..count {
            let layer = ConvLayer {
                bias: true,
                ..conv(channels, width, 3, 1)
            };
            x = layer.push(&mut g, next(), x);
            if with_bn {
                x = batch_norm(&mut g, next(), width, options.bn_eps.unwrap_or(1e-5), x);
            }
            x = g.push(next(), Relu, &[x]);
            channels = width;
        }
        // The short head averages the last feature map before the last max pooling.
        if !(options.gap_head && block == 4) {
            x = g.push(next(), max_pool(2, 2, 0), &[x]);
        }
    }
    let size = if options.gap_head { 1 } else { options.pooled };
    let x = g.push("avgpool", average_pool(size), &[x]);
    let x = g.push("flatten", Flatten::FEATURES, &[x]);
    let inputs = channels * size * size;
    options.head.push(&mut g, x, |g, x| {
        if options.gap_head {
            linear(g, "head", inputs, options.classes, x);
        } else {
            three_layers(g, inputs, options.classes, x);
        }
    });
    g
}

/// Adds the head of the paper: three linear layers.
fn three_layers(g: &mut Graph, mut inputs: i64, classes: i64, mut x: NodeId) {
    for (index, outputs) in [(0, 4096), (3, 4096), (6, classes)] {
        x = linear(g, format!("classifier.{index}"), inputs, outputs, x);
        if index < 6 {
            x = g.push(format!("classifier.{}", index + 1), Relu, &[x]);
            // The module after it is dropout, which is no node: it changes nothing in evaluation mode.
        }
        inputs = outputs;
    }
}
