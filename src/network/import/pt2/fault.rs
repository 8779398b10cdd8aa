//! The error about a program that can't be used.

use crate::error::{Error, ErrorKind};

/// An error about what the program has.
pub(super) fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Weights, message.into())
}
