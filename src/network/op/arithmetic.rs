//! Sums, products and other functions of two values, of which one may be a number.

use tch::{Scalar as TchScalar, Tensor};

use super::call::{Call, Number};
use super::shape::{Shape, broadcast};
use super::{Locality, Op, Operator, Read, ReducedPrecision};
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
    FloorDivide,
    TruncDivide,
    Remainder,
    Atan2,
}

/// A function of a tensor and a number.
#[derive(Debug, Clone, PartialEq)]
pub struct Scalar {
    /// Which one.
    pub function: ScalarFunction,
    /// The number.
    pub number: f64,
    /// Whether the number is an integer, so that the result of integers is one.
    pub is_integer: bool,
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
    /// The number to the power of x.
    PowOf,
    /// x / number, rounded down.
    FloorDivide,
    /// x / number, rounded towards 0.
    TruncDivide,
    /// What is left of x / number, rounded down.
    Remainder,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("add", |call| {
        let alpha = call.number("alpha")?.unwrap_or(1.0);
        match other(call)? {
            Other::Tensor(args) => Ok((Add { alpha }.into(), args)),
            Other::Number(arg, number) => scalar(ScalarFunction::Add, arg, scaled(number, alpha)),
        }
    }),
    ("sub", |call| {
        let alpha = call.number("alpha")?.unwrap_or(1.0);
        match other(call)? {
            Other::Tensor(args) if alpha == 1.0 => binary(BinaryFunction::Sub, args),
            Other::Tensor(args) => Ok((Add { alpha: -alpha }.into(), args)),
            Other::Number(arg, number) => scalar(ScalarFunction::Add, arg, scaled(number, -alpha)),
        }
    }),
    ("rsub", |call| {
        if call.number("alpha")?.unwrap_or(1.0) != 1.0 {
            return Err(call.wrong("alpha", "1"));
        }
        match other(call)? {
            Other::Tensor(mut args) => {
                args.reverse();
                binary(BinaryFunction::Sub, args)
            }
            Other::Number(arg, number) => scalar(ScalarFunction::Rsub, arg, number),
        }
    }),
    ("mul", |call| match other(call)? {
        Other::Tensor(args) => Ok((Mul.into(), args)),
        Other::Number(arg, number) => scalar(ScalarFunction::Mul, arg, number),
    }),
    ("div", |call| {
        let (tensors, number) = match call.text("rounding_mode", "")?.as_str() {
            "" => (BinaryFunction::Div, ScalarFunction::Div),
            "floor" => (BinaryFunction::FloorDivide, ScalarFunction::FloorDivide),
            "trunc" => (BinaryFunction::TruncDivide, ScalarFunction::TruncDivide),
            _ => return Err(call.wrong("rounding_mode", "`floor` or `trunc`")),
        };
        either(call, tensors, number)
    }),
    ("floor_divide", |call| {
        either(
            call,
            BinaryFunction::FloorDivide,
            ScalarFunction::FloorDivide,
        )
    }),
    ("remainder", |call| {
        either(call, BinaryFunction::Remainder, ScalarFunction::Remainder)
    }),
    ("pow", |call| {
        match (call.is_tensor("self"), call.is_tensor("exponent")) {
            (true, true) => {
                let args = vec![call.tensor("self")?, call.tensor("exponent")?];
                binary(BinaryFunction::Pow, args)
            }
            (false, _) => {
                let base = call.typed_number("self")?;
                let base = base.ok_or_else(|| call.wrong("self", "a tensor or a number"))?;
                scalar(ScalarFunction::PowOf, call.tensor("exponent")?, base)
            }
            (true, false) => {
                let number = call.typed_number("exponent")?;
                let number =
                    number.ok_or_else(|| call.wrong("exponent", "a tensor or a number"))?;
                scalar(ScalarFunction::Pow, call.tensor("self")?, number)
            }
        }
    }),
    ("maximum", |call| binary_of(call, BinaryFunction::Maximum)),
    ("minimum", |call| binary_of(call, BinaryFunction::Minimum)),
    ("atan2", |call| binary_of(call, BinaryFunction::Atan2)),
];

/// The operands of a call: two tensors, or a tensor and a number.
enum Other {
    Tensor(Vec<Arg>),
    Number(Arg, Number),
}

fn other(call: &mut Call) -> Result<Other> {
    let arg = call.tensor("self")?;
    if call.is_tensor("other") {
        return Ok(Other::Tensor(vec![arg, call.tensor("other")?]));
    }
    let number = call.typed_number("other")?;
    number
        .map(|number| Other::Number(arg, number))
        .ok_or_else(|| call.wrong("other", "a tensor or a number"))
}

fn either(
    call: &mut Call,
    tensors: BinaryFunction,
    number: ScalarFunction,
) -> Result<(Op, Vec<Arg>)> {
    match other(call)? {
        Other::Tensor(args) => binary(tensors, args),
        Other::Number(arg, found) => scalar(number, arg, found),
    }
}

fn scaled(number: Number, factor: f64) -> Number {
    match number {
        Number::Int(value) if factor.fract() == 0.0 => {
            Number::Int(value.saturating_mul(factor as i64))
        }
        number => Number::Float(factor * number.value()),
    }
}

fn scalar(function: ScalarFunction, arg: Arg, number: Number) -> Result<(Op, Vec<Arg>)> {
    let op = Scalar {
        function,
        number: number.value(),
        is_integer: !matches!(number, Number::Float(_)),
    };
    Ok((op.into(), vec![arg]))
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

    fn locality(&self) -> Locality {
        Locality::Positions
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        broadcast(x[0], x[1])
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        if self.alpha == 1.0 {
            return Ok(x[0].f_add(x[1])?);
        }
        // A factor with decimals would make integers numbers with decimals.
        let alpha: TchScalar = if self.alpha.fract() == 0.0 {
            (self.alpha as i64).into()
        } else {
            self.alpha.into()
        };
        Ok(x[0].f_add(&x[1].f_mul_scalar(alpha)?)?)
    }
}

impl Operator for Mul {
    fn name(&self) -> &'static str {
        "mul"
    }

    fn locality(&self) -> Locality {
        Locality::Positions
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
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
            BinaryFunction::FloorDivide => "floor_divide",
            BinaryFunction::TruncDivide => "div",
            BinaryFunction::Remainder => "remainder",
            BinaryFunction::Atan2 => "atan2",
        }
    }

    fn locality(&self) -> Locality {
        Locality::Positions
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
            BinaryFunction::FloorDivide => a.f_div_tensor_mode(b, "floor")?,
            BinaryFunction::TruncDivide => a.f_div_tensor_mode(b, "trunc")?,
            BinaryFunction::Remainder => a.f_remainder_tensor(b)?,
            BinaryFunction::Atan2 => a.f_atan2(b)?,
        })
    }
}

impl Scalar {
    /// The number in libtorch's type: that of an integer keeps integers.
    fn tch_number(&self) -> TchScalar {
        if self.is_integer {
            (self.number as i64).into()
        } else {
            self.number.into()
        }
    }
}

impl Operator for Scalar {
    fn name(&self) -> &'static str {
        match self.function {
            ScalarFunction::Add => "add",
            ScalarFunction::Mul => "mul",
            ScalarFunction::Div | ScalarFunction::Rdiv | ScalarFunction::TruncDivide => "div",
            ScalarFunction::Rsub => "rsub",
            ScalarFunction::Pow | ScalarFunction::PowOf => "pow",
            ScalarFunction::FloorDivide => "floor_divide",
            ScalarFunction::Remainder => "remainder",
        }
    }

    fn locality(&self) -> Locality {
        Locality::Positions
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (x, number) = (x[0], self.tch_number());
        Ok(match self.function {
            ScalarFunction::Add => x.f_add_scalar(number)?,
            ScalarFunction::Mul => x.f_mul_scalar(number)?,
            ScalarFunction::Div => x.f_div_scalar(number)?,
            ScalarFunction::Rsub => x.f_neg()?.f_add_scalar(number)?,
            ScalarFunction::Rdiv => x.f_reciprocal()?.f_mul_scalar(number)?,
            ScalarFunction::Pow => x.f_pow_tensor_scalar(number)?,
            ScalarFunction::PowOf => Tensor::f_pow_scalar(number, x)?,
            ScalarFunction::FloorDivide => x.f_div_scalar_mode(number, "floor")?,
            ScalarFunction::TruncDivide => x.f_div_scalar_mode(number, "trunc")?,
            ScalarFunction::Remainder => x.f_remainder(number)?,
        })
    }
}
