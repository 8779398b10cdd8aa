//! Networks as graphs that can be looked into.

mod backward;
mod exec;
pub mod graph;
pub mod info;
pub mod labels;
pub mod random;
pub mod weights;
pub mod zoo;

pub use backward::{Rule, Tape};
pub use exec::{Kept, Network, gradients};
