//! Which value of a class is explained: its logit or its probability.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which value of a class is explained. Networks without probabilities are explained by their outputs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TargetValue {
    /// The value before softmax or sigmoid.
    #[default]
    Logit,
    /// The softmax or the sigmoid of it, 0 to 1.
    Probability,
}

impl TargetValue {
    /// Whether it is the default, which experiments leave out.
    pub fn is_logit(&self) -> bool {
        *self == TargetValue::Logit
    }
}
