//! Other data types: of masks and indices. Networks are computed in float32, so that half precision is none here.

use tch::{Kind, Tensor};

use super::shape::Shape;
use super::{Operator, Read};
use crate::error::Result;

/// `to(self, dtype)`, from or to integers or booleans.
#[derive(Debug, Clone, PartialEq)]
pub struct Cast {
    /// The data type.
    pub kind: Kind,
}

/// No call: whether a call of `to` changes the data type depends on its input's, which the reader of the file knows.
pub(super) const ATEN: &[(&str, Read)] = &[];

impl Operator for Cast {
    fn name(&self) -> &'static str {
        "to"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_to_kind(self.kind)?)
    }
}
