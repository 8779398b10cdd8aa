//! The head of a network of the zoo: the architecture's own, none, or a chain of layers that a weight file describes.

use super::layers::batch_norm_of;
use crate::network::graph::{Graph, NodeId};
use crate::network::op::{Linear, Relu};

/// The layers after the pooled and flattened features.
#[derive(Debug, Clone, Default, PartialEq)]
pub enum Head {
    /// Those of the architecture, with as many outputs as there are classes.
    #[default]
    Own,
    /// None: the output is the vector of features, and there are no classes.
    None,
    /// These, one after another. Dropout is none of them: it changes nothing in evaluation mode.
    Layers(Vec<HeadLayer>),
}

/// A layer of a head.
#[derive(Debug, Clone, PartialEq)]
pub struct HeadLayer {
    /// Its name in the graph: `fc.3`.
    pub name: String,
    /// What it computes.
    pub op: HeadOp,
}

/// What a layer of a head computes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum HeadOp {
    /// `torch.nn.Linear`.
    Linear {
        /// Values of its input.
        inputs: i64,
        /// Values of its output.
        outputs: i64,
        /// Whether it has a bias.
        bias: bool,
    },
    /// `torch.nn.BatchNorm1d`.
    BatchNorm {
        /// Values of its input, and of its output.
        width: i64,
        /// Whether it has a weight and a bias.
        affine: bool,
    },
    /// `torch.nn.ReLU`.
    Relu,
}

impl HeadOp {
    /// How many values it takes; `None`: any number.
    pub fn inputs(self) -> Option<i64> {
        match self {
            HeadOp::Linear { inputs, .. } => Some(inputs),
            HeadOp::BatchNorm { width, .. } => Some(width),
            HeadOp::Relu => None,
        }
    }

    /// How many values it gives; `None`: as many as it takes.
    pub fn outputs(self) -> Option<i64> {
        match self {
            HeadOp::Linear { outputs, .. } => Some(outputs),
            HeadOp::BatchNorm { width, .. } => Some(width),
            HeadOp::Relu => None,
        }
    }
}

impl Head {
    /// How many features its first layer takes, where the layers are known.
    pub fn inputs(&self) -> Option<i64> {
        match self {
            Head::Own | Head::None => None,
            Head::Layers(layers) => layers.iter().find_map(|layer| layer.op.inputs()),
        }
    }

    /// How many values its last layer gives, where the layers are known.
    pub fn outputs(&self) -> Option<i64> {
        match self {
            Head::Own | Head::None => None,
            Head::Layers(layers) => layers.iter().rev().find_map(|layer| layer.op.outputs()),
        }
    }

    /// Adds its layers after `x`, or those that `own` adds.
    pub(super) fn push(&self, g: &mut Graph, x: NodeId, own: impl FnOnce(&mut Graph, NodeId)) {
        match self {
            Head::Own => own(g, x),
            Head::None => {}
            Head::Layers(layers) => {
                let mut x = x;
                for layer in layers {
                    x = layer.push(g, x);
                }
            }
        }
    }
}

impl HeadLayer {
    fn push(&self, g: &mut Graph, x: NodeId) -> NodeId {
        match self.op {
            HeadOp::Relu => g.push(&self.name, Relu, &[x]),
            HeadOp::BatchNorm { width, affine } => {
                batch_norm_of(g, self.name.clone(), width, 1e-5, affine, x)
            }
            HeadOp::Linear {
                inputs,
                outputs,
                bias,
            } => {
                let parameters: [(&str, &[i64]); 2] =
                    [("weight", &[outputs, inputs]), ("bias", &[outputs])];
                let count = if bias { 2 } else { 1 };
                g.push_layer(&self.name, Linear, x, &parameters[..count])
            }
        }
    }
}
