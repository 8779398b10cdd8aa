//! Networks as graphs that can be looked into.

pub mod graph;
pub mod info;
pub mod weights;
pub mod zoo;
