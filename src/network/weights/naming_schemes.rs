//! The parameter names of other libraries, and torchvision's name for each: timm's, those of `efficientnet_pytorch`, those of the
//! common CIFAR repositories, and the numbers of a ResNet whose children were put into a `Sequential`.

use crate::network::graph::Graph;

/// The library whose parameter names a file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NamingScheme {
    /// torchvision's, which timm's ResNets share.
    Torchvision,
    /// timm's VGG: the first two linear layers are convolutions called `pre_logits`.
    TimmVgg,
    /// timm's EfficientNet: `blocks.STAGE.BLOCK.conv_dw`.
    TimmEfficientNet,
    /// `efficientnet_pytorch`: `_blocks.N._depthwise_conv`, blocks counted through all stages.
    EfficientNetPytorch,
    /// `Sequential(*resnet.children())`: `0` is the stem's convolution, `1` its batch norm, and the first stage has this
    /// number: 4 after a ReLU and max pooling, 3 after a ReLU.
    SequentialResnet(u8),
}

impl NamingScheme {
    /// The scheme of `names`: torchvision's, unless one of them is typical of another.
    pub fn detect<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        let mut stem = false;
        let mut first_stage = None;
        for name in names {
            if name.starts_with("_conv_stem.") || name.starts_with("_blocks.") {
                return NamingScheme::EfficientNetPytorch;
            }
            if name.starts_with("conv_stem.") || name.starts_with("blocks.") {
                return NamingScheme::TimmEfficientNet;
            }
            if name.starts_with("pre_logits.fc") {
                return NamingScheme::TimmVgg;
            }
            match name {
                "0.weight" => stem = true,
                "3.0.conv1.weight" => first_stage = Some(3),
                "4.0.conv1.weight" => first_stage = first_stage.or(Some(4)),
                _ => {}
            }
        }
        match first_stage {
            Some(number) if stem => NamingScheme::SequentialResnet(number),
            _ => NamingScheme::Torchvision,
        }
    }

    /// torchvision's name for `name`, in a network with these `blocks`; `name` itself where there is none.
    pub fn translate(self, name: &str, blocks: &EfficientNetBlocks) -> String {
        let found = match self {
            NamingScheme::Torchvision => cifar_shortcut(name),
            NamingScheme::TimmVgg => timm_vgg(name),
            NamingScheme::TimmEfficientNet => timm_efficientnet(name, blocks),
            NamingScheme::EfficientNetPytorch => efficientnet_pytorch(name, blocks),
            NamingScheme::SequentialResnet(first) => sequential_resnet(name, first),
        };
        found.unwrap_or_else(|| name.to_owned())
    }
}

/// The residual blocks of an EfficientNet, in order; empty for other networks.
#[derive(Debug)]
pub struct EfficientNetBlocks(Vec<BlockNames>);

/// A residual block, and its part names.
#[derive(Debug)]
struct BlockNames {
    /// torchvision's: `features.STAGE.BLOCK`, stages from 1.
    name: String,
    /// Whether it begins with an expansion, a 1×1 convolution to more channels.
    expands: bool,
    /// Whether it has a squeeze-and-excitation.
    gated: bool,
}

impl EfficientNetBlocks {
    /// The blocks of `graph`.
    pub fn from_graph(graph: &Graph) -> Self {
        let mut blocks = Vec::new();
        for (id, node) in graph.nodes().iter().enumerate() {
            let name = node.name.strip_suffix(".block.0.0");
            if let (Some(name), Some(first)) = (name, graph.convolution(id)) {
                blocks.push(BlockNames {
                    name: name.to_owned(),
                    expands: first.op.groups == 1,
                    gated: (1..3).any(|part| {
                        let gate = format!("{name}.block.{part}.fc1");
                        graph.find(&gate).is_some()
                    }),
                });
            }
        }
        EfficientNetBlocks(blocks)
    }
}

impl BlockNames {
    /// The index of the depthwise convolution in torchvision's `block`.
    fn depthwise(&self) -> usize {
        usize::from(self.expands)
    }

    /// torchvision's name for part 0 (convolution) or 1 (batch norm) of the expansion.
    fn expansion(&self, part: usize) -> Option<String> {
        self.expands
            .then(|| format!("{}.block.0.{part}", self.name))
    }

    /// As [`expansion`](Self::expansion), for the depthwise convolution.
    fn depthwise_part(&self, part: usize) -> Option<String> {
        Some(format!("{}.block.{}.{part}", self.name, self.depthwise()))
    }

    /// torchvision's name for `fc1` or `fc2` of the squeeze-and-excitation.
    fn gate(&self, layer: &str) -> Option<String> {
        self.gated
            .then(|| format!("{}.block.{}.{layer}", self.name, self.depthwise() + 1))
    }

    /// As [`expansion`](Self::expansion), for the projection.
    fn projection(&self, part: usize) -> Option<String> {
        let position = self.depthwise() + 1 + usize::from(self.gated);
        Some(format!("{}.block.{position}.{part}", self.name))
    }
}

/// torchvision's name for `name` of a shortcut, as CIFAR's repositories have it: `layer2.0.shortcut.0.weight`.
fn cifar_shortcut(name: &str) -> Option<String> {
    let (block, part) = name.split_once(".shortcut.")?;
    block
        .starts_with("layer")
        .then(|| format!("{block}.downsample.{part}"))
}

/// torchvision's name for `name` in a `Sequential` of a ResNet's children, whose first stage has the number `first`.
fn sequential_resnet(name: &str, first: u8) -> Option<String> {
    let (number, rest) = name.split_once('.')?;
    let number: u8 = number.parse().ok()?;
    match (number, number.checked_sub(first)) {
        (0, _) => Some(format!("conv1.{rest}")),
        (1, _) => Some(format!("bn1.{rest}")),
        (_, Some(stage @ 0..4)) => {
            let ours = format!("layer{}.{rest}", stage + 1);
            Some(cifar_shortcut(&ours).unwrap_or(ours))
        }
        _ => None,
    }
}

/// torchvision's name for timm's `name` in a VGG.
fn timm_vgg(name: &str) -> Option<String> {
    let (layer, part) = name.rsplit_once('.')?;
    let ours = match layer {
        "pre_logits.fc1" => "classifier.0",
        "pre_logits.fc2" => "classifier.3",
        "head.fc" => "classifier.6",
        _ => return None,
    };
    Some(format!("{ours}.{part}"))
}

/// torchvision's name for timm's `name` in an EfficientNet.
fn timm_efficientnet(name: &str, blocks: &EfficientNetBlocks) -> Option<String> {
    let (layer, part) = name.rsplit_once('.')?;
    let ours = match layer {
        "conv_stem" => "features.0.0".to_owned(),
        "bn1" => "features.0.1".to_owned(),
        "conv_head" => "features.8.0".to_owned(),
        "bn2" => "features.8.1".to_owned(),
        "classifier" => "classifier.1".to_owned(),
        _ => {
            let mut pieces = layer.strip_prefix("blocks.")?.splitn(3, '.');
            let stage: usize = pieces.next()?.parse().ok()?;
            let block: usize = pieces.next()?.parse().ok()?;
            let ours = format!("features.{}.{block}", stage.checked_add(1)?);
            let block = blocks.0.iter().find(|block| block.name == ours)?;
            // Without an expansion, the projection is `conv_pw` and the numbers are one lower.
            match (pieces.next()?, block.expands) {
                ("conv_pw", true) => block.expansion(0),
                ("bn1", true) => block.expansion(1),
                ("conv_dw", _) => block.depthwise_part(0),
                ("bn2", true) | ("bn1", false) => block.depthwise_part(1),
                ("se.conv_reduce", _) => block.gate("fc1"),
                ("se.conv_expand", _) => block.gate("fc2"),
                ("conv_pwl", true) | ("conv_pw", false) => block.projection(0),
                ("bn3", true) | ("bn2", false) => block.projection(1),
                _ => None,
            }?
        }
    };
    Some(format!("{ours}.{part}"))
}

/// torchvision's name for `name` of `efficientnet_pytorch`.
fn efficientnet_pytorch(name: &str, blocks: &EfficientNetBlocks) -> Option<String> {
    let (layer, part) = name.rsplit_once('.')?;
    let ours = match layer {
        "_conv_stem" => "features.0.0".to_owned(),
        "_bn0" => "features.0.1".to_owned(),
        "_conv_head" => "features.8.0".to_owned(),
        "_bn1" => "features.8.1".to_owned(),
        "_fc" => "classifier.1".to_owned(),
        _ => {
            let (number, inside) = layer.strip_prefix("_blocks.")?.split_once('.')?;
            let block = blocks.0.get(number.parse::<usize>().ok()?)?;
            match inside {
                "_expand_conv" => block.expansion(0),
                "_bn0" => block.expansion(1),
                "_depthwise_conv" => block.depthwise_part(0),
                "_bn1" => block.depthwise_part(1),
                "_se_reduce" => block.gate("fc1"),
                "_se_expand" => block.gate("fc2"),
                "_project_conv" => block.projection(0),
                "_bn2" => block.projection(1),
                _ => None,
            }?
        }
    };
    Some(format!("{ours}.{part}"))
}
