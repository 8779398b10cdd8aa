//! Sums, products and other functions of two values, of which one may be a number.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, broadcast};
use super::{Op, Operator, Read};
use crate::error::Result;
use crate::network::arg::Arg;

/// `add(self, other)`: the sum of two tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Add {
    /// The factor of the second one.
    pub alpha: f64,
}

impl Add {
    /// The sum of two values as they are, such as a shortcut and a branch.
    pub const PLAIN: Add = Add { alpha: 1.0 };
}

/// `mul(self, other)`: the product of two tensors, value by value.
#[derive(Debug, Clone, PartialEq)]
pub struct Mul;

/// Another function of two tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct Binary {
    /// Which one.
    pub function: BinaryFunction,
}

/// The functions of [`Binary`], by their aten names.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "aten's names")]
pub enum BinaryFunction {
    Sub,
    Div,
    Pow,
    Maximum,
    Minimum,
}

/// A function of a tensor and a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// Which one.
    pub function: ScalarFunction,
    /// The number.
    pub number: f64,
}

/// The functions of [`Scalar`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ScalarFunction {
    /// x + number.
    Add,
    /// x · number.
    Mul,
    /// x / number.
    Div,
    /// number − x.
    Rsub,
    /// number / x.
    Rdiv,
    /// x to the power of the number.
    Pow,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("add", |call| {
        let alpha = call.number("alpha")?.unwrap_or(1.0);
        match other(call)? {
            Other::Tensor(args) => Ok((Add { alpha }.into(), args)),
            Other::Number(arg, number) => scalar(ScalarFunction::Add, arg, alpha * number),
        }
    }),
    ("sub", |call| {
        let alpha = call.number("alpha")?.unwrap_or(1.0);
        match other(call)? {
            Other::Tensor(args) if alpha == 1.0 => binary(BinaryFunction::Sub, args),
            Other::Tensor(args) => Ok((Add { alpha: -alpha }.into(), args)),
            Other::Number(arg, number) => scalar(ScalarFunction::Add, arg, -alpha * number),
        }
    }),
    ("rsub", |call| match other(call)? {
        Other::Tensor(mut args) => {
            args.reverse();
            binary(BinaryFunction::Sub, args)
        }
        Other::Number(arg, number) => scalar(ScalarFunction::Rsub, arg, number),
    }),
    ("mul", |call| match other(call)? {
        Other::Tensor(args) => Ok((Mul.into(), args)),
        Other::Number(arg, number) => scalar(ScalarFunction::Mul, arg, number),
    }),
    ("div", |call| match other(call)? {
        Other::Tensor(args) => binary(BinaryFunction::Div, args),
        Other::Number(arg, number) => scalar(ScalarFunction::Div, arg, number),
    }),
    ("pow", |call| {
        if call.is_tensor("exponent") {
            let args = vec![call.tensor("self")?, call.tensor("exponent")?];
            return binary(BinaryFunction::Pow, args);
        }
        let number = call.number("exponent")?.unwrap_or(1.0);
        let arg = call.tensor("self")?;
        scalar(ScalarFunction::Pow, arg, number)
    }),
    ("maximum", |call| binary_of(call, BinaryFunction::Maximum)),
    ("minimum", |call| binary_of(call, BinaryFunction::Minimum)),
];

/// The operands of a call: two tensors, or a tensor and a number.
enum Other {
    Tensor(Vec<Arg>),
    Number(Arg, f64),
}

fn other(call: &mut Call) -> Result<Other> {
    let arg = call.tensor("self")?;
    if call.is_tensor("other") {
        return Ok(Other::Tensor(vec![arg, call.tensor("other")?]));
    }
    let number = call.number("other")?;
    number
        .map(|number| Other::Number(arg, number))
        .ok_or_else(|| call.wrong("other", "a tensor or a number"))
}

fn scalar(function: ScalarFunction, arg: Arg, number: f64) -> Result<(Op, Vec<Arg>)> {
    Ok((Scalar { function, number }.into(), vec![arg]))
}

fn binary(function: BinaryFunction, args: Vec<Arg>) -> Result<(Op, Vec<Arg>)> {
    Ok((Binary { function }.into(), args))
}

fn binary_of(call: &mut Call, function: BinaryFunction) -> Result<(Op, Vec<Arg>)> {
    let args = vec![call.tensor("self")?, call.tensor("other")?];
    binary(function, args)
}

impl Operator for Add {
    fn name(&self) -> &'static str {
        "add"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        broadcast(x[0], x[1])
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        if self.alpha == 1.0 {
            return Ok(x[0].f_add(x[1])?);
        }
        Ok(x[0].f_add(&x[1].f_mul_scalar(self.alpha)?)?)
    }
}

impl Operator for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        broadcast(x[0], x[1])
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_mul(x[1])?)
    }
}

impl Operator for Binary {
    fn name(&self) -> &'static str {
        match self.function {
            BinaryFunction::Sub => "sub",
            BinaryFunction::Div => "div",
            BinaryFunction::Pow => "pow",
            BinaryFunction::Maximum => "maximum",
            BinaryFunction::Minimum => "minimum",
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        broadcast(x[0], x[1])
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (a, b) = (x[0], x[1]);
        Ok(match self.function {
            BinaryFunction::Sub => a.f_sub(b)?,
            BinaryFunction::Div => a.f_div(b)?,
            BinaryFunction::Pow => a.f_pow(b)?,
            BinaryFunction::Maximum => a.f_maximum(b)?,
            BinaryFunction::Minimum => a.f_minimum(b)?,
        })
    }
}

impl Operator for Scalar {
    fn name(&self) -> &'static str {
        match self.function {
            ScalarFunction::Add => "add",
            ScalarFunction::Mul => "mul",
            ScalarFunction::Div | ScalarFunction::Rdiv => "div",
            ScalarFunction::Rsub => "rsub",
            ScalarFunction::Pow => "pow",
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (x, number) = (x[0], self.number);
        Ok(match self.function {
            ScalarFunction::Add => x.f_add_scalar(number)?,
            ScalarFunction::Mul => x.f_mul_scalar(number)?,
            ScalarFunction::Div => x.f_div_scalar(number)?,
            ScalarFunction::Rsub => x.f_neg()?.f_add_scalar(number)?,
            ScalarFunction::Rdiv => x.f_reciprocal()?.f_mul_scalar(number)?,
            ScalarFunction::Pow => x.f_pow_tensor_scalar(number)?,
        })
    }
}
