//! Where the weights of a planned network come from.

use std::path::PathBuf;

use crate::fetch::{CachedFile, WeightSet};
use crate::spec::LibraryNetwork;

/// Where a network's weights come from.
#[derive(Debug, Clone)]
pub enum WeightsSource {
    /// A weight set of the catalogue.
    Set(&'static WeightSet),
    /// A weight file of the user.
    File(PathBuf),
    /// A network of a Python library, in a `.pt2` file of the cache.
    Library(LibraryNetwork, CachedFile),
    /// Untrained: pseudo-random weights, the same on every machine.
    Random,
}
