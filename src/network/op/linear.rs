//! Linear layers.

use tch::Tensor;

use super::call::Call;
use super::shape::Shape;
use super::{Op, Operator, Read, ReducedPrecision};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `linear(input, weight, bias)`: `x · weightᵀ + bias` over the last axis, with a weight `[outputs, inputs]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear;

pub(super) const ATEN: &[(&str, Read)] = &[("linear", read)];

fn read(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let mut args = vec![call.tensor("input")?, call.tensor("weight")?];
    args.extend(call.optional_tensor("bias")?);
    Ok((Linear.into(), args))
}

impl Operator for Linear {
    fn name(&self) -> &'static str {
        "linear"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Rounds
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let [input, weight] = [x[0], x[1]];
        let (Some(last), 2) = (input.0.last(), weight.rank()) else {
            let message = format!("a linear layer of {input} with a weight {weight}");
            return Err(Error::new(ErrorKind::Network, message));
        };
        if *last != weight.0[1] {
            let message = format!("a linear layer of {input} with a weight {weight}");
            return Err(Error::new(ErrorKind::Network, message));
        }
        let mut value = input.clone();
        if let Some(last) = value.0.last_mut() {
            *last = weight.0[0];
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_linear(x[1], x.get(2).copied())?)
    }

    fn multiply_adds(&self, x: &[&Shape], value: &Shape) -> i64 {
        value.0.iter().map(|size| size.value).product::<i64>() * x[1].0[1].value
    }
}
