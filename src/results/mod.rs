//! The record of a run, in memory and on disk: what was run, every scalar, every tensor.
//!
//! Runs write it, the report reads it, and nothing else passes between the two. `format` of `results.json` is 1 as long
//! as every file of an earlier version with that number can still be read: keys are added, and none is renamed or removed.

pub mod lock;
mod network_note;
mod record;
pub mod store;

pub use network_note::NetworkNote;
pub use record::{
    ClassScore, CollectionInfo, Environment, ExplainedValue, Failure, ImageInfo, LayerInfo,
    ModelInfo, Prediction, Results, SelectedLayers, UnreadableImage, ViewInfo, WeightsInfo,
};
