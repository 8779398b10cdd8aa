//! In which precision a network computes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Kind;

/// A precision.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 24 bits of a number: exact to rounding.
    #[default]
    Float32,
    /// bfloat16, 8 bits of a number: sums of products and what follows them. Normalisations but batch norm, softmax and everything
    /// else stay in float32, as do the values that a pass returns.
    Bf16,
}

impl Precision {
    /// libtorch's kind of number.
    pub fn kind(self) -> Kind {
        match self {
            Precision::Float32 => Kind::Float,
            Precision::Bf16 => Kind::BFloat16,
        }
    }

    /// The name in an experiment.
    pub fn name(self) -> &'static str {
        match self {
            Precision::Float32 => "float32",
            Precision::Bf16 => "bf16",
        }
    }
}

/// The precisions of the passes of an experiment: `bf16`, or a map with `passes` and `gradients`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Precisions {
    /// Of passes without gradients over many inputs: changed copies of an image, the images of a collection.
    pub passes: Precision,
    /// Of gradients with respect to many copies of an image (SmoothGrad, VarGrad, integrated gradients). The gradients of the image
    /// itself, its predictions and its activations are always computed in float32.
    pub gradients: Precision,
}

impl Precisions {
    /// Whether everything is computed in float32.
    pub fn is_float32(&self) -> bool {
        *self == Precisions::default()
    }
}
