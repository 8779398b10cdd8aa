//! An architecture of the zoo, and the options of its graph.

use super::head::Head;
use crate::network::graph::Graph;

/// The differences between networks of one architecture.
#[derive(Debug, Clone, PartialEq)]
pub struct ArchOptions {
    /// The number of classes of the architecture's own head.
    pub classes: i64,
    /// Channels of the input: 3 for colours.
    pub channels: i64,
    /// ResNet: the layers before the first block.
    pub stem: Stem,
    /// The layers after the pooled features.
    pub head: Head,
    /// CIFAR's ResNets: whether shortcuts that change the shape have a 1×1 convolution (option B of He et al. 2015) instead
    /// of every second position and channels of zeros (option A).
    pub projections: bool,
    /// ResNets with bottlenecks: whether the first 1×1 convolution of a block has the stride, as in He et al. 2015,
    /// instead of the 3×3 convolution, as in torchvision.
    pub stride_on_1x1: bool,
    /// Batch norm's ε, if it differs from the architecture's own.
    pub bn_eps: Option<f64>,
    /// VGG: global average pooling and one linear layer instead of the three.
    pub gap_head: bool,
    /// VGG: the side of the feature map after average pooling.
    pub pooled: i64,
    /// EfficientNet: TensorFlow's `SAME` padding, for weights trained there. The Lite networks always have it.
    pub same_padding: bool,
}

/// The layers of a ResNet before its first block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stem {
    /// Those of the architecture: for ImageNet a 7×7 convolution with stride 2 and max pooling.
    #[default]
    Own,
    /// A 3×3 convolution with stride 1, without pooling: for images of 32 × 32 pixels.
    Small,
}

impl Default for ArchOptions {
    fn default() -> Self {
        ArchOptions {
            classes: 1000,
            channels: 3,
            stem: Stem::Own,
            head: Head::Own,
            projections: false,
            stride_on_1x1: false,
            bn_eps: None,
            gap_head: false,
            pooled: 7,
            same_padding: false,
        }
    }
}

impl ArchOptions {
    /// The graph's input, with its channels.
    pub(super) fn input(&self) -> Graph {
        Graph::with_channels(self.channels)
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
    pub(super) build: fn(&str, &ArchOptions) -> Graph,
}

impl Arch {
    /// The architecture's graph.
    pub fn graph(&self, options: ArchOptions) -> Graph {
        (self.build)(self.name, &options)
    }

    /// Side of the square input that the variant with these options was made for, in pixels: 32 for a ResNet with the small
    /// stem, and as many as give the feature map of a VGG's head without pooling.
    pub fn side(&self, options: &ArchOptions) -> i64 {
        match (self.family, options.stem) {
            ("ResNet", Stem::Small) => 32,
            ("VGG", _) if !options.gap_head => 32 * options.pooled,
            _ => self.input,
        }
    }
}

/// A family of architectures: a name and its members.
pub(super) const fn family<const N: usize>(
    family: &'static str,
    build: fn(&str, &ArchOptions) -> Graph,
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
