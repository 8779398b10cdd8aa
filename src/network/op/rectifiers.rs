//! ReLU, and what bounds values in the same way: an operator is a [`Rectifier`] by what it computes, not by its name.

use tch::{Kind, Scalar, Tensor};

use super::call::Call;
use super::shape::Shape;
use super::{Locality, Op, Operator, Read, Rectifier, ReducedPrecision};
use crate::error::Result;
use crate::network::arg::Arg;

/// `relu(self)`: max(x, 0).
#[derive(Debug, Clone, PartialEq)]
pub struct Relu;

/// `clamp(self, min, max)`, also `relu6` and `hardtanh`: values bounded below, above, or on both sides.
#[derive(Debug, Clone, PartialEq)]
pub struct Clamp {
    /// aten's name: `relu6`, `hardtanh`, `clamp`.
    pub name: &'static str,
    /// The lower bound.
    pub min: Option<f64>,
    /// The upper bound.
    pub max: Option<f64>,
}

impl Clamp {
    /// ReLU6: min(max(x, 0), 6).
    pub const RELU6: Clamp = Clamp {
        name: "relu6",
        min: Some(0.0),
        max: Some(6.0),
    };
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("relu", |call| Ok((Relu.into(), vec![call.tensor("self")?]))),
    ("relu6", |call| {
        Ok((Clamp::RELU6.into(), vec![call.tensor("self")?]))
    }),
    ("hardtanh", |call| {
        let min = Some(call.number("min_val")?.unwrap_or(-1.0));
        let max = Some(call.number("max_val")?.unwrap_or(1.0));
        clamp(call, "hardtanh", min, max)
    }),
    ("clamp", |call| {
        if call.is_tensor("min") || call.is_tensor("max") {
            return super::several_inputs::clamp_tensor(call);
        }
        let (min, max) = (call.number("min")?, call.number("max")?);
        clamp(call, "clamp", min, max)
    }),
    ("clamp_min", |call| {
        if call.is_tensor("min") {
            return super::several_inputs::clamp_tensor(call);
        }
        let min = call.number("min")?;
        clamp(call, "clamp_min", min, None)
    }),
    ("clamp_max", |call| {
        if call.is_tensor("max") {
            return super::several_inputs::clamp_tensor(call);
        }
        let max = call.number("max")?;
        clamp(call, "clamp_max", None, max)
    }),
];

fn clamp(
    call: &mut Call,
    name: &'static str,
    min: Option<f64>,
    max: Option<f64>,
) -> Result<(Op, Vec<Arg>)> {
    Ok((Clamp { name, min, max }.into(), vec![call.tensor("self")?]))
}

impl Operator for Relu {
    fn name(&self) -> &'static str {
        "relu"
    }

    fn locality(&self) -> Locality {
        Locality::Positions
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_relu()?)
    }

    fn can_overwrite(&self) -> bool {
        true
    }

    fn overwrite(&self, mut x: Tensor) -> Result<Tensor> {
        Ok(x.f_relu_()?)
    }

    fn rectifier(&self) -> Option<Rectifier> {
        Some(Rectifier { ceiling: None })
    }
}

impl Clamp {
    /// The same value with the gradient of `relu6` and `hardtanh`, which is 0 at the bounds; that of `clamp` is 1 there.
    fn without_gradient_at_bounds(&self, x: &Tensor) -> Result<Tensor> {
        let min = self.min.unwrap_or(f64::NEG_INFINITY);
        let max = self.max.unwrap_or(f64::INFINITY);
        let inside = x.f_gt(min)?.f_logical_and(&x.f_lt(max)?)?;
        Ok(x.f_where_self(&inside, &x.f_detach()?.f_clamp(min, max)?)?)
    }
}

impl Operator for Clamp {
    fn name(&self) -> &'static str {
        self.name
    }

    fn locality(&self) -> Locality {
        Locality::Positions
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        // Bounds with decimals would make integers numbers with decimals.
        let is_integer = matches!(x[0].kind(), Kind::Int64 | Kind::Int | Kind::Uint8);
        let bound = |value: f64| -> Scalar {
            if is_integer && value.fract() == 0.0 {
                (value as i64).into()
            } else {
                value.into()
            }
        };
        if ["relu6", "hardtanh"].contains(&self.name) && x[0].requires_grad() {
            return self.without_gradient_at_bounds(x[0]);
        }
        Ok(match (self.min.map(bound), self.max.map(bound)) {
            (Some(min), Some(max)) => x[0].f_clamp(min, max)?,
            (Some(min), None) => x[0].f_clamp_min(min)?,
            (None, Some(max)) => x[0].f_clamp_max(max)?,
            (None, None) => x[0].shallow_clone(),
        })
    }

    fn can_overwrite(&self) -> bool {
        *self == Clamp::RELU6
    }

    fn overwrite(&self, mut x: Tensor) -> Result<Tensor> {
        Ok(x.f_clamp_(0.0, 6.0)?)
    }

    fn rectifier(&self) -> Option<Rectifier> {
        let ceiling = self.max.filter(|max| max.is_finite());
        let bounds_at_0 = self.min == Some(0.0) && ceiling.is_none_or(|max| max > 0.0);
        bounds_at_0.then_some(Rectifier { ceiling })
    }
}
