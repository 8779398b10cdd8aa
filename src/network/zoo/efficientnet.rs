//! EfficientNet (Tan & Le 2019, <https://arxiv.org/abs/1905.11946>), B0 to B7, and its Lite variants: without
//! squeeze-and-excitation, with ReLU6 and TensorFlow's `SAME` padding.

use super::architecture::{Arch, ArchOptions, family};
use super::layers::{ConvLayer, average_pool, batch_norm, conv, linear};
use crate::network::graph::{Graph, NodeId};
use crate::network::op::{Add, Clamp, Flatten, Function, Mul, Op, Padding, Unary};

/// The architectures of the family, with the sides of their inputs in pixels.
pub(super) const ARCHITECTURES: [Arch; 13] = family(
    "EfficientNet",
    build,
    [
        ("efficientnet_b0", 224),
        ("efficientnet_b1", 240),
        ("efficientnet_b2", 260),
        ("efficientnet_b3", 300),
        ("efficientnet_b4", 380),
        ("efficientnet_b5", 456),
        ("efficientnet_b6", 528),
        ("efficientnet_b7", 600),
        ("efficientnet_lite0", 224),
        ("efficientnet_lite1", 240),
        ("efficientnet_lite2", 260),
        ("efficientnet_lite3", 280),
        ("efficientnet_lite4", 300),
    ],
);

/// x · sigmoid(x), also called swish.
const SILU: Unary = Unary {
    function: Function::Silu,
};

const SIGMOID: Unary = Unary {
    function: Function::Sigmoid,
};

/// Rows of the paper's table 1: expansion, kernel, stride, channels, repeats.
const STAGES: [(i64, i64, i64, i64, i64); 7] = [
    (1, 3, 1, 16, 1),
    (6, 3, 2, 24, 2),
    (6, 5, 2, 40, 2),
    (6, 3, 2, 80, 3),
    (6, 5, 1, 112, 3),
    (6, 5, 2, 192, 4),
    (6, 3, 1, 320, 1),
];

/// The scaling of one network, and the settings that all its layers share.
struct Scaling {
    /// The factor of the channel counts.
    width: f64,
    /// The factor of the repeat counts.
    depth: f64,
    lite: bool,
    same_padding: bool,
    /// Batch norm's ε.
    eps: f64,
}

impl Scaling {
    fn new(name: &str, options: &ArchOptions) -> Self {
        let lite = name.contains("lite");
        let (width, depth) = match name.trim_start_matches("efficientnet_") {
            "b0" | "lite0" => (1.0, 1.0),
            "b1" | "lite1" => (1.0, 1.1),
            "b2" | "lite2" => (1.1, 1.2),
            "b3" | "lite3" => (1.2, 1.4),
            "b4" | "lite4" => (1.4, 1.8),
            "b5" => (1.6, 2.2),
            "b6" => (1.8, 2.6),
            _ => (2.0, 3.1),
        };
        // torchvision has ε = 1e-3 from B5 on, and PyTorch's default below.
        let own = match name {
            "efficientnet_b5" | "efficientnet_b6" | "efficientnet_b7" => 1e-3,
            _ if lite => 1e-3,
            _ => 1e-5,
        };
        Scaling {
            width,
            depth,
            lite,
            same_padding: lite || options.same_padding,
            eps: options.bn_eps.unwrap_or(own),
        }
    }

    /// Channels after scaling: the nearest multiple of 8 that is at least nine tenths of the product.
    fn channels(&self, base: i64) -> i64 {
        let scaled = base as f64 * self.width;
        let near = ((scaled + 4.0) as i64 / 8 * 8).max(8);
        if (near as f64) < 0.9 * scaled {
            near + 8
        } else {
            near
        }
    }

    /// Repeats of a stage after scaling.
    fn repeats(&self, stage: usize, base: i64) -> i64 {
        // The Lite networks do not scale the first and the last stage.
        if self.lite && (stage == 0 || stage == STAGES.len() - 1) {
            return base;
        }
        (base as f64 * self.depth).ceil() as i64
    }

    fn activation(&self) -> Op {
        if self.lite {
            Clamp::RELU6.into()
        } else {
            SILU.into()
        }
    }

    /// A convolution with the network's padding.
    fn conv(&self, inputs: i64, outputs: i64, kernel: i64, stride: i64, groups: i64) -> ConvLayer {
        let base = conv(inputs, outputs, kernel, stride);
        ConvLayer {
            groups,
            padding: if self.same_padding {
                Padding::Same
            } else {
                base.padding
            },
            ..base
        }
    }

    /// Adds a convolution, its batch norm and, if `active`, the activation: `NAME.0` to `NAME.2`.
    fn conv_bn_act(
        &self,
        g: &mut Graph,
        name: &str,
        layer: ConvLayer,
        active: bool,
        x: NodeId,
    ) -> NodeId {
        let x = layer.push(g, format!("{name}.0"), x);
        let x = batch_norm(g, format!("{name}.1"), layer.out_channels, self.eps, x);
        if active {
            g.push(format!("{name}.2"), self.activation(), &[x])
        } else {
            x
        }
    }
}

/// The graph of the network called `name`.
fn build(name: &str, options: &ArchOptions) -> Graph {
    let scaling = Scaling::new(name, options);
    let mut g = options.input();
    // The Lite networks do not scale stem and head.
    let stem = if scaling.lite {
        32
    } else {
        scaling.channels(32)
    };
    let op = scaling.conv(options.channels, stem, 3, 2, 1);
    let mut x = g.input();
    x = scaling.conv_bn_act(&mut g, "features.0", op, true, x);
    let mut channels = stem;
    for (stage, &(expand, kernel, first_stride, base, repeats)) in STAGES.iter().enumerate() {
        let outputs = scaling.channels(base);
        for block in 0..scaling.repeats(stage, repeats) {
            let at = InvertedResidual {
                name: format!("features.{}.{block}", stage + 1),
                inputs: channels,
                outputs,
                expand,
                kernel,
                stride: if block == 0 { first_stride } else { 1 },
            };
            x = at.push(&mut g, &scaling, x);
            channels = outputs;
        }
    }
    let last = if scaling.lite { 1280 } else { 4 * channels };
    let op = scaling.conv(channels, last, 1, 1, 1);
    x = scaling.conv_bn_act(&mut g, "features.8", op, true, x);
    x = g.push("avgpool", average_pool(1), &[x]);
    x = g.push("flatten", Flatten::FEATURES, &[x]);
    // torchvision's classifier.0 is dropout, which is no node: it changes nothing in evaluation mode.
    options.head.push(&mut g, x, |g, x| {
        linear(g, "classifier.1", last, options.classes, x);
    });
    g
}

/// An inverted residual block: expansion, depthwise convolution, squeeze-and-excitation, projection.
struct InvertedResidual {
    name: String,
    inputs: i64,
    outputs: i64,
    expand: i64,
    kernel: i64,
    stride: i64,
}

impl InvertedResidual {
    /// Adds the block's nodes.
    fn push(&self, g: &mut Graph, scaling: &Scaling, input: NodeId) -> NodeId {
        let mut parts = 0;
        let mut next = || {
            parts += 1;
            format!("{}.block.{}", self.name, parts - 1)
        };
        let wide = self.inputs * self.expand;
        let mut x = input;
        if self.expand > 1 {
            let op = scaling.conv(self.inputs, wide, 1, 1, 1);
            x = scaling.conv_bn_act(g, &next(), op, true, x);
        }
        let op = scaling.conv(wide, wide, self.kernel, self.stride, wide);
        x = scaling.conv_bn_act(g, &next(), op, true, x);
        if !scaling.lite {
            x = self.squeeze_excite(g, &next(), wide, x);
        }
        let op = scaling.conv(wide, self.outputs, 1, 1, 1);
        x = scaling.conv_bn_act(g, &next(), op, false, x);
        if self.stride == 1 && self.inputs == self.outputs {
            x = g.push(format!("{}.add", self.name), Add::PLAIN, &[input, x]);
        }
        x
    }

    /// Multiplies the channels with a gate that is computed from their means (Hu et al. 2017).
    fn squeeze_excite(&self, g: &mut Graph, name: &str, wide: i64, x: NodeId) -> NodeId {
        let narrow = (self.inputs / 4).max(1);
        let biased = |inputs, outputs| ConvLayer {
            bias: true,
            ..conv(inputs, outputs, 1, 1)
        };
        let gate = g.push(format!("{name}.avgpool"), average_pool(1), &[x]);
        let gate = biased(wide, narrow).push(g, format!("{name}.fc1"), gate);
        let gate = g.push(format!("{name}.activation"), SILU, &[gate]);
        let gate = biased(narrow, wide).push(g, format!("{name}.fc2"), gate);
        let gate = g.push(format!("{name}.scale_activation"), SIGMOID, &[gate]);
        g.push(format!("{name}.mul"), Mul, &[x, gate])
    }
}
