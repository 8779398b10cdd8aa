//! `filters`: the kernels of the first convolution as colour tiles.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many kernels to show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// At most so many, by falling norm.
    pub count: usize,
}

impl Default for Filters {
    fn default() -> Self {
        Filters { count: 64 }
    }
}
