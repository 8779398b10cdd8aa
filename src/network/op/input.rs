//! The input of a network.

use tch::Tensor;

use super::shape::Shape;
use super::{Operator, Read};
use crate::error::{Error, ErrorKind, Result};

/// The input, `[N, channels, height, width]`, preprocessed.
#[derive(Debug, Clone, PartialEq)]
pub struct Input {
    /// Channels: 3 for colours.
    pub channels: i64,
}

/// No call: the signature of a program names its input.
pub(super) const ATEN: &[(&str, Read)] = &[];

impl Operator for Input {
    fn name(&self) -> &'static str {
        "input"
    }

    fn shape(&self, _x: &[&Shape]) -> Result<Shape> {
        Err(Error::new(
            ErrorKind::Network,
            "the input's size is given, not computed",
        ))
    }

    fn evaluate(&self, _x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Err(Error::new(ErrorKind::Network, "the input is not computed"))
    }
}
