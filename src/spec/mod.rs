//! YAML in, typed experiment out; every error with file, line and column.

mod experiment;

pub use experiment::*;
