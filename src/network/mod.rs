//! Networks as graphs that can be looked into.

mod backward;
mod exec;
mod fold;
pub mod graph;
pub mod info;
pub mod labels;
pub mod random;
mod relevance;
pub mod weights;
pub mod zoo;

pub use backward::{Rule, Tape};
pub use exec::{Kept, Network, gradients};
pub use relevance::{Relevance, Rules, Share};
