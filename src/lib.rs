//! convscope shows what convolutional networks see, and compares networks side by side.

pub mod error;
pub mod methods;
pub mod network;
pub mod picture;
pub mod report;
pub mod results;
pub mod run;
pub mod spec;

pub use error::{Error, ErrorKind, Result};
