//! Other libraries' names for the same tensors: timm's and lukemelas' (`efficientnet_pytorch`)
//! become torchvision's.

use crate::network::graph::{Graph, Op};

/// Whose names a file uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Naming {
    /// torchvision's, which timm's ResNets share.
    Torchvision,
    /// timm's VGG: the first two linear layers are convolutions called `pre_logits`.
    TimmVgg,
    /// timm's EfficientNet: `blocks.STAGE.BLOCK.conv_dw`.
    TimmEfficientNet,
    /// `efficientnet_pytorch`: `_blocks.N._depthwise_conv`, one row of blocks.
    Lukemelas,
}

impl Naming {
    /// Whose names these are; torchvision's where nothing speaks for another.
    pub fn of<'a>(names: impl IntoIterator<Item = &'a str>) -> Self {
        for name in names {
            if name.starts_with("_conv_stem.") || name.starts_with("_blocks.") {
                return Naming::Lukemelas;
            }
            if name.starts_with("conv_stem.") || name.starts_with("blocks.") {
                return Naming::TimmEfficientNet;
            }
            if name.starts_with("pre_logits.fc") {
                return Naming::TimmVgg;
            }
        }
        Naming::Torchvision
    }

    /// torchvision's name for `name`, in the network of `graph`; `name` itself where there is none.
    pub fn translated(self, name: &str, graph: &Blocks) -> String {
        let found = match self {
            Naming::Torchvision => None,
            Naming::TimmVgg => timm_vgg(name),
            Naming::TimmEfficientNet => timm_efficientnet(name, graph),
            Naming::Lukemelas => lukemelas(name, graph),
        };
        found.unwrap_or_else(|| name.to_owned())
    }
}

/// What wrapping a network puts before every name: data parallelism, compilation, a model held in
/// another. Taken off as long as all names have it; `""` if none has.
pub fn common_prefix<'a>(names: impl IntoIterator<Item = &'a str> + Clone) -> String {
    let mut prefix = String::new();
    'longer: loop {
        for wrapper in ["module.", "_orig_mod.", "model.", "net.", "backbone."] {
            let longer = format!("{prefix}{wrapper}");
            let mut names = names.clone().into_iter().peekable();
            if names.peek().is_some() && names.all(|name| name.starts_with(&longer)) {
                prefix = longer;
                continue 'longer;
            }
        }
        return prefix;
    }
}

/// The residual blocks of an EfficientNet, in order; empty for other networks.
#[derive(Debug)]
pub struct Blocks(Vec<Block>);

#[derive(Debug)]
struct Block {
    /// torchvision's: `features.STAGE.BLOCK`, stages from 1.
    name: String,
    /// Whether it widens its input first.
    expands: bool,
    /// Whether it has a squeeze-and-excitation.
    gated: bool,
}

impl Blocks {
    /// Those of `graph`.
    pub fn of(graph: &Graph) -> Self {
        let mut blocks = Vec::new();
        for node in graph.nodes() {
            if let (Some(name), Op::Conv(first)) = (node.name.strip_suffix(".block.0.0"), &node.op)
            {
                blocks.push(Block {
                    name: name.to_owned(),
                    expands: first.groups == 1,
                    gated: (1..3).any(|place| {
                        let gate = format!("{name}.block.{place}.fc1");
                        graph.find(&gate).is_some()
                    }),
                });
            }
        }
        Blocks(blocks)
    }
}

impl Block {
    fn depthwise(&self) -> usize {
        usize::from(self.expands)
    }

    fn expansion(&self, part: usize) -> Option<String> {
        self.expands
            .then(|| format!("{}.block.0.{part}", self.name))
    }

    fn depthwise_part(&self, part: usize) -> Option<String> {
        Some(format!("{}.block.{}.{part}", self.name, self.depthwise()))
    }

    fn gate(&self, layer: &str) -> Option<String> {
        self.gated
            .then(|| format!("{}.block.{}.{layer}", self.name, self.depthwise() + 1))
    }

    fn projection(&self, part: usize) -> Option<String> {
        let place = self.depthwise() + 1 + usize::from(self.gated);
        Some(format!("{}.block.{place}.{part}", self.name))
    }
}

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

fn timm_efficientnet(name: &str, blocks: &Blocks) -> Option<String> {
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
            let place: usize = pieces.next()?.parse().ok()?;
            let ours = format!("features.{}.{place}", stage.checked_add(1)?);
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

fn lukemelas(name: &str, blocks: &Blocks) -> Option<String> {
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
