//! A class of a network, with its name.

use serde::{Deserialize, Serialize};

/// A class of a network.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct ClassInfo {
    /// Its index among the logits.
    pub index: usize,
    /// `bull mastiff`; the index as a text where the network has no class names.
    pub name: String,
}
