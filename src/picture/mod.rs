//! Pictures: from a file to what a network is fed, and from numbers to what a reader sees.

mod preprocess;

pub use preprocess::{Interpolation, Preprocess};
