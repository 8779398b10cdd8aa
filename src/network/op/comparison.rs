//! Comparisons, logic, and values chosen by a condition.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, broadcast};
use super::{Op, Operator, Read};
use crate::error::Result;
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
}

/// `bitwise_not(self)` and `logical_not(self)`.
#[derive(Debug, Clone, PartialEq)]
pub struct Not {
    /// Whether numbers count as true or false, or each bit by itself.
    pub logical: bool,
}

/// `where(condition, self, other)`: a value where a condition is true, another one elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Where;

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
    ("__and__", |call| compare(call, Comparison::LogicalAnd)),
    ("__or__", |call| compare(call, Comparison::LogicalOr)),
    ("bitwise_and", |call| compare(call, Comparison::LogicalAnd)),
    ("bitwise_or", |call| compare(call, Comparison::LogicalOr)),
    ("bitwise_not", |call| {
        Ok((Not { logical: false }.into(), vec![call.tensor("self")?]))
    }),
    ("logical_not", |call| {
        Ok((Not { logical: true }.into(), vec![call.tensor("self")?]))
    }),
    ("where", |call| {
        let args = ["condition", "self", "other"];
        let args: Result<Vec<Arg>> = args.into_iter().map(|name| call.tensor(name)).collect();
        Ok((Where.into(), args?))
    }),
    ("masked_fill", |call| {
        let args = vec![call.tensor("self")?, call.tensor("mask")?];
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
                number = Tensor::from(found.unwrap_or(0.0)).f_to_device(x[0].device())?;
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

impl Operator for Where {
    fn name(&self) -> &'static str {
        "where"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        broadcast(&broadcast(x[0], x[1])?, x[2])
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[1].f_where_self(x[0], x[2])?)
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
