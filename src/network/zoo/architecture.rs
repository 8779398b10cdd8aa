//! An architecture of the zoo, and the options of its graph.

use crate::network::graph::Graph;

/// The differences between networks of one architecture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ArchOptions {
    /// The number of classes of the head.
    pub classes: i64,
    /// ResNets with bottlenecks: whether the first 1×1 convolution of a block has the stride, as in He et al. 2015,
    /// instead of the 3×3 convolution, as in torchvision.
    pub stride_on_1x1: bool,
    /// Batch norm's ε, if it differs from the architecture's own.
    pub bn_eps: Option<f64>,
    /// VGG: global average pooling and one linear layer instead of the three.
    pub gap_head: bool,
    /// EfficientNet: TensorFlow's `SAME` padding, for weights trained there. The Lite networks always have it.
    pub same_padding: bool,
}

impl Default for ArchOptions {
    fn default() -> Self {
        ArchOptions {
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
    /// Its family: `ResNet`.
    pub family: &'static str,
    /// Side of the square input that it was designed for, in pixels.
    pub input: i64,
    /// Builds the graph of the architecture with that name.
    pub(super) build: fn(&str, ArchOptions) -> Graph,
}

impl Arch {
    /// The architecture's graph.
    pub fn graph(&self, options: ArchOptions) -> Graph {
        (self.build)(self.name, options)
    }
}

/// A family of architectures: a name and its members.
pub(super) const fn family<const N: usize>(
    family: &'static str,
    build: fn(&str, ArchOptions) -> Graph,
    members: [(&'static str, i64); N],
) -> [Arch; N] {
    let mut all = [Arch {
        name: "",
        family,
        input: 0,
        build,
    }; N];
    let mut at = 0;
    while at < N {
        (all[at].name, all[at].input) = members[at];
        at += 1;
    }
    all
}
