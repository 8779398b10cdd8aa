//! Comparisons, logic, and values chosen by a condition.

use tch::Tensor;

use super::call::{Call, Number};
use super::shape::{Shape, broadcast};
use super::{Op, Operator, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// A comparison of two values, or of a value with a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Compare {
    /// Which one.
    pub comparison: Comparison,
    /// The number, in place of the second value.
    pub number: Option<f64>,
}

/// The functions of [`Compare`], by their aten names.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "aten's names")]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    LogicalAnd,
    LogicalOr,
    LogicalXor,
    BitwiseAnd,
    BitwiseOr,
}

impl Comparison {
    /// Whether it combines the bits of numbers, which then stay numbers.
    pub(in crate::network) fn is_bitwise(self) -> bool {
        matches!(self, Comparison::BitwiseAnd | Comparison::BitwiseOr)
    }
}

/// `bitwise_not(self)` and `logical_not(self)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Not {
    /// Whether numbers count as true or false, or each bit by itself.
    pub logical: bool,
}

/// `where(condition, self, other)`: a value where a condition is true, another one elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Where {
    /// The number where the condition is true, in place of a value.
    pub value: Option<Number>,
    /// The number elsewhere, in place of a value.
    pub other: Option<Number>,
}

/// `masked_fill(self, mask, value)`: a number where a condition is true.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskedFill {
    /// The number.
    pub number: f64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("eq", |call| compare(call, Comparison::Eq)),
    ("ne", |call| compare(call, Comparison::Ne)),
    ("lt", |call| compare(call, Comparison::Lt)),
    ("le", |call| compare(call, Comparison::Le)),
    ("gt", |call| compare(call, Comparison::Gt)),
    ("ge", |call| compare(call, Comparison::Ge)),
    ("logical_and", |call| compare(call, Comparison::LogicalAnd)),
    ("logical_or", |call| compare(call, Comparison::LogicalOr)),
    ("logical_xor", |call| compare(call, Comparison::LogicalXor)),
    ("__and__", |call| compare(call, Comparison::BitwiseAnd)),
    ("__or__", |call| compare(call, Comparison::BitwiseOr)),
    ("bitwise_and", |call| compare(call, Comparison::BitwiseAnd)),
    ("bitwise_or", |call| compare(call, Comparison::BitwiseOr)),
    ("bitwise_not", |call| {
        Ok((Not { logical: false }.into(), vec![call.tensor("self")?]))
    }),
    ("logical_not", |call| {
        Ok((Not { logical: true }.into(), vec![call.tensor("self")?]))
    }),
    ("where", |call| {
        let mut args = vec![call.tensor("condition")?];
        let mut numbers = [None; 2];
        for (number, name) in numbers.iter_mut().zip(["self", "other"]) {
            if call.is_tensor(name) {
                args.push(call.tensor(name)?);
            } else {
                let found = call.typed_number(name)?;
                *number = Some(found.ok_or_else(|| call.wrong(name, "a tensor or a number"))?);
            }
        }
        let [value, other] = numbers;
        Ok((Where { value, other }.into(), args))
    }),
    ("masked_fill", |call| {
        let args = vec![call.tensor("self")?, call.tensor("mask")?];
        if call.is_tensor("value") {
            let args = vec![args[1], call.tensor("value")?, args[0]];
            return Ok((Where::PLAIN.into(), args));
        }
        let number = call.number("value")?;
        let number = number.ok_or_else(|| call.wrong("value", "a number"))?;
        Ok((MaskedFill { number }.into(), args))
    }),
];

fn compare(call: &mut Call, comparison: Comparison) -> Result<(Op, Vec<Arg>)> {
    let mut args = vec![call.tensor("self")?];
    let number = if call.is_tensor("other") {
        args.push(call.tensor("other")?);
        None
    } else {
        let number = call.number("other")?;
        Some(number.ok_or_else(|| call.wrong("other", "a tensor or a number"))?)
    };
    Ok((Compare { comparison, number }.into(), args))
}

impl Compare {
    /// The number as a tensor, for a comparison with `x`.
    fn as_tensor(&self, number: f64, x: &Tensor) -> Result<Tensor> {
        let number = Tensor::from(number).f_to_device(x.device())?;
        Ok(if self.comparison.is_bitwise() {
            number.f_to_kind(x.kind())?
        } else {
            number
        })
    }
}

impl Operator for Compare {
    fn name(&self) -> &'static str {
        match self.comparison {
            Comparison::Eq => "eq",
            Comparison::Ne => "ne",
            Comparison::Lt => "lt",
            Comparison::Le => "le",
            Comparison::Gt => "gt",
            Comparison::Ge => "ge",
            Comparison::LogicalAnd => "logical_and",
            Comparison::LogicalOr => "logical_or",
            Comparison::LogicalXor => "logical_xor",
            Comparison::BitwiseAnd => "bitwise_and",
            Comparison::BitwiseOr => "bitwise_or",
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        match x {
            [a, b] => broadcast(a, b),
            _ => Ok(x[0].clone()),
        }
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let number;
        let (a, b) = match (self.number, x) {
            (None, [a, b, ..]) => (*a, *b),
            (found, _) => {
                number = self.as_tensor(found.unwrap_or(0.0), x[0])?;
                (x[0], &number)
            }
        };
        Ok(match self.comparison {
            Comparison::Eq => a.f_eq_tensor(b)?,
            Comparison::Ne => a.f_ne_tensor(b)?,
            Comparison::Lt => a.f_lt_tensor(b)?,
            Comparison::Le => a.f_le_tensor(b)?,
            Comparison::Gt => a.f_gt_tensor(b)?,
            Comparison::Ge => a.f_ge_tensor(b)?,
            Comparison::LogicalAnd => a.f_logical_and(b)?,
            Comparison::LogicalOr => a.f_logical_or(b)?,
            Comparison::LogicalXor => a.f_logical_xor(b)?,
            Comparison::BitwiseAnd => a.f_bitwise_and_tensor(b)?,
            Comparison::BitwiseOr => a.f_bitwise_or_tensor(b)?,
        })
    }
}

impl Operator for Not {
    fn name(&self) -> &'static str {
        if self.logical {
            "logical_not"
        } else {
            "bitwise_not"
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(if self.logical {
            x[0].f_logical_not()?
        } else {
            x[0].f_bitwise_not()?
        })
    }
}

impl Where {
    /// A choice between two values.
    pub const PLAIN: Where = Where {
        value: None,
        other: None,
    };
}

impl Operator for Where {
    fn name(&self) -> &'static str {
        "where"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut values = x[1..].iter().copied();
        values.try_fold(x[0].clone(), |shape, value| broadcast(&shape, value))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let device = x[0].device();
        let mut tensors = x[1..].iter();
        let mut next = |number: Option<Number>| -> Result<Tensor> {
            if let Some(number) = number {
                return Ok(number.tensor().f_to_device(device)?);
            }
            let missing = || Error::new(ErrorKind::Network, "a value is missing");
            Ok(tensors.next().ok_or_else(missing)?.shallow_clone())
        };
        let (value, other) = (next(self.value)?, next(self.other)?);
        Ok(value.f_where_self(x[0], &other)?)
    }
}

impl Operator for MaskedFill {
    fn name(&self) -> &'static str {
        "masked_fill"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        broadcast(x[0], x[1])
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_masked_fill(x[1], self.number)?)
    }
}
