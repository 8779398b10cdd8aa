//! What the values of a layer are like over a collection.

use serde::{Deserialize, Serialize};

/// One layer's values over a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LayerStatistics {
    /// The layer's full name.
    pub layer: String,
    /// The layer's place in the network, from 0 (input) to 1 (output).
    pub depth: f64,
    /// The number of units.
    pub units: usize,
    /// Whether a unit has a value at several positions of an image.
    pub spatial: bool,
    /// The units whose value is nowhere above 0, in no image.
    pub dead: usize,
    /// The share of all values that are not above 0, from 0 to 1.
    pub sparsity: f64,
    /// The effective rank of the codes, from 1 to the number of units; absent if all codes are equal or one is not finite.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub effective_rank: Option<f64>,
}
