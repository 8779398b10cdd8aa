//! Products of matrices whose factors are both computed, or of which one is a parameter.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, broadcast};
use super::{Op, Operator, Reach, Read, ReducedPrecision};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `matmul(self, other)`: the product of the last two axes; those before are broadcast.
#[derive(Debug, Clone, PartialEq)]
pub struct Matmul;

pub(super) const ATEN: &[(&str, Read)] = &[("matmul", read), ("bmm", read_bmm), ("mm", read_bmm)];

fn read(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    Ok((
        Matmul.into(),
        vec![call.tensor("self")?, call.tensor("other")?],
    ))
}

fn read_bmm(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    Ok((
        Matmul.into(),
        vec![call.tensor("self")?, call.tensor("mat2")?],
    ))
}

impl Operator for Matmul {
    fn name(&self) -> &'static str {
        "matmul"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Rounds
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let (a, b) = (x[0], x[1]);
        let fault = || {
            let message = format!("a product of {a} and {b}");
            Error::new(ErrorKind::Network, message)
        };
        let (a_rank, b_rank) = (a.rank(), b.rank());
        if a_rank < 2 || b_rank < 2 || a.0[a_rank - 1] != b.0[b_rank - 2] {
            return Err(fault());
        }
        let before = |shape: &Shape| Shape(shape.0[..shape.rank() - 2].to_vec());
        let mut value = broadcast(&before(a), &before(b))?;
        value.0.extend([a.0[a_rank - 2], b.0[b_rank - 1]]);
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_matmul(x[1])?)
    }

    fn multiply_adds(&self, x: &[&Shape], value: &Shape) -> i64 {
        let inner = x[0].0.last().map_or(0, |size| size.value);
        value.0.iter().map(|size| size.value).product::<i64>() * inner
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
