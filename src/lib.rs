//! convscope shows what convolutional networks see, and compares networks side by side.
//!
//! A network is a graph of named nodes ([`network::graph`]); [`network::zoo`] builds the known
//! architectures, [`network::info`] derives shapes, costs and receptive fields from the graph, and
//! [`network::Network`] runs it with any nodes kept.

pub mod error;
pub mod fetch;
pub mod methods;
pub mod network;
pub mod picture;
pub mod progress;
pub mod report;
pub mod results;
pub mod run;
pub mod spec;

pub use error::{Error, ErrorKind, Result};
