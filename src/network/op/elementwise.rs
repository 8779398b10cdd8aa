//! Functions of single values.

use tch::Tensor;

use super::call::Call;
use super::shape::Shape;
use super::{Locality, Op, Operator, Read, Rectifier, ReducedPrecision};
use crate::error::Result;
use crate::network::arg::Arg;

/// A function of each value by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Unary {
    /// Which one.
    pub function: Function,
}

/// The functions of [`Unary`], by their aten names.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "aten's names")]
pub enum Function {
    Silu,
    Sigmoid,
    Gelu {
        tanh: bool,
    },
    Hardswish,
    Hardsigmoid,
    Tanh,
    Mish,
    Softplus {
        beta: f64,
        threshold: f64,
    },
    LeakyRelu {
        negative_slope: f64,
    },
    Elu {
        alpha: f64,
    },
    Exp,
    Log,
    Sqrt,
    Rsqrt,
    Neg,
    Abs,
    Square,
    Sin,
    Cos,
    Reciprocal,
    Erf,
    LogSigmoid,
    Tan,
    Atan,
    Expm1,
    Log1p,
    Log2,
    Exp2,
    Floor,
    Ceil,
    Round,
    Sign,
    Selu,
    Softsign,
    Celu {
        alpha: f64,
    },
    Threshold {
        threshold: f64,
        value: f64,
    },
    NanToNum {
        nan: f64,
        largest: Option<f64>,
        smallest: Option<f64>,
    },
}

/// How a function without attributes is read.
macro_rules! plain {
    ($function:ident) => {
        |call| unary(call, Function::$function)
    };
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("silu", plain!(Silu)),
    ("sigmoid", plain!(Sigmoid)),
    ("hardswish", plain!(Hardswish)),
    ("hardsigmoid", plain!(Hardsigmoid)),
    ("tanh", plain!(Tanh)),
    ("mish", plain!(Mish)),
    ("exp", plain!(Exp)),
    ("log", plain!(Log)),
    ("sqrt", plain!(Sqrt)),
    ("rsqrt", plain!(Rsqrt)),
    ("neg", plain!(Neg)),
    ("abs", plain!(Abs)),
    ("square", plain!(Square)),
    ("sin", plain!(Sin)),
    ("cos", plain!(Cos)),
    ("reciprocal", plain!(Reciprocal)),
    ("erf", plain!(Erf)),
    ("log_sigmoid", plain!(LogSigmoid)),
    ("tan", plain!(Tan)),
    ("atan", plain!(Atan)),
    ("expm1", plain!(Expm1)),
    ("log1p", plain!(Log1p)),
    ("log2", plain!(Log2)),
    ("exp2", plain!(Exp2)),
    ("floor", plain!(Floor)),
    ("ceil", plain!(Ceil)),
    ("sign", plain!(Sign)),
    ("selu", plain!(Selu)),
    ("softsign", plain!(Softsign)),
    ("round", |call| {
        if call.int("decimals", 0)? != 0 {
            return Err(call.wrong("decimals", "0"));
        }
        unary(call, Function::Round)
    }),
    ("celu", |call| {
        let alpha = call.number("alpha")?.unwrap_or(1.0);
        unary(call, Function::Celu { alpha })
    }),
    ("threshold", |call| {
        let threshold = call.number("threshold")?.unwrap_or(0.0);
        let value = call.number("value")?.unwrap_or(0.0);
        unary(call, Function::Threshold { threshold, value })
    }),
    ("nan_to_num", |call| {
        let nan = call.number("nan")?.unwrap_or(0.0);
        let (largest, smallest) = (call.number("posinf")?, call.number("neginf")?);
        unary(
            call,
            Function::NanToNum {
                nan,
                largest,
                smallest,
            },
        )
    }),
    ("gelu", |call| {
        let tanh = call.text("approximate", "none")? == "tanh";
        unary(call, Function::Gelu { tanh })
    }),
    ("softplus", |call| {
        let beta = call.number("beta")?.unwrap_or(1.0);
        let threshold = call.number("threshold")?.unwrap_or(20.0);
        unary(call, Function::Softplus { beta, threshold })
    }),
    ("leaky_relu", |call| {
        let negative_slope = call.number("negative_slope")?.unwrap_or(0.01);
        unary(call, Function::LeakyRelu { negative_slope })
    }),
    ("elu", |call| {
        let alpha = call.number("alpha")?.unwrap_or(1.0);
        unary(call, Function::Elu { alpha })
    }),
];

fn unary(call: &mut Call, function: Function) -> Result<(Op, Vec<Arg>)> {
    Ok((Unary { function }.into(), vec![call.tensor("self")?]))
}

impl Operator for Unary {
    fn name(&self) -> &'static str {
        match self.function {
            Function::Silu => "silu",
            Function::Sigmoid => "sigmoid",
            Function::Gelu { .. } => "gelu",
            Function::Hardswish => "hardswish",
            Function::Hardsigmoid => "hardsigmoid",
            Function::Tanh => "tanh",
            Function::Mish => "mish",
            Function::Softplus { .. } => "softplus",
            Function::LeakyRelu { .. } => "leaky_relu",
            Function::Elu { .. } => "elu",
            Function::Exp => "exp",
            Function::Log => "log",
            Function::Sqrt => "sqrt",
            Function::Rsqrt => "rsqrt",
            Function::Neg => "neg",
            Function::Abs => "abs",
            Function::Square => "square",
            Function::Sin => "sin",
            Function::Cos => "cos",
            Function::Reciprocal => "reciprocal",
            Function::Erf => "erf",
            Function::LogSigmoid => "log_sigmoid",
            Function::Tan => "tan",
            Function::Atan => "atan",
            Function::Expm1 => "expm1",
            Function::Log1p => "log1p",
            Function::Log2 => "log2",
            Function::Exp2 => "exp2",
            Function::Floor => "floor",
            Function::Ceil => "ceil",
            Function::Round => "round",
            Function::Sign => "sign",
            Function::Selu => "selu",
            Function::Softsign => "softsign",
            Function::Celu { .. } => "celu",
            Function::Threshold { .. } => "threshold",
            Function::NanToNum { .. } => "nan_to_num",
        }
    }

    fn locality(&self) -> Locality {
        Locality::Positions
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        match self.function {
            Function::Silu | Function::Sigmoid | Function::Gelu { .. } => ReducedPrecision::Follows,
            Function::Hardswish | Function::Hardsigmoid => ReducedPrecision::Follows,
            _ => ReducedPrecision::Full,
        }
    }

    fn can_overwrite(&self) -> bool {
        matches!(self.function, Function::Silu | Function::Hardswish)
    }

    fn overwrite(&self, mut x: Tensor) -> Result<Tensor> {
        match self.function {
            Function::Silu => Ok(x.f_silu_()?),
            Function::Hardswish => Ok(x.f_hardswish_()?),
            _ => self.evaluate(&[&x], 1),
        }
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let x = x[0];
        Ok(match self.function {
            Function::Silu => x.f_silu()?,
            Function::Sigmoid => x.f_sigmoid()?,
            Function::Gelu { tanh: true } => x.f_gelu("tanh")?,
            Function::Gelu { tanh: false } => x.f_gelu("none")?,
            Function::Hardswish => x.f_hardswish()?,
            Function::Hardsigmoid => x.f_hardsigmoid()?,
            Function::Tanh => x.f_tanh()?,
            Function::Mish => x.f_mish()?,
            // libtorch's own function has beta 1: softplus(x, b) = softplus(b · x) / b.
            Function::Softplus { beta, threshold } => {
                let scaled = x.f_mul_scalar(beta)?;
                let soft = scaled.f_clamp_max(threshold)?.f_exp()?.f_log1p()?;
                let soft = soft.f_div_scalar(beta)?;
                soft.f_where_self(&scaled.f_le(threshold)?, x)?
            }
            Function::LeakyRelu { negative_slope } => {
                let above = x.f_relu()?;
                let below = x.f_clamp_max(0.0)?.f_mul_scalar(negative_slope)?;
                above.f_add(&below)?
            }
            Function::Elu { alpha } => {
                let below = x.f_clamp_max(0.0)?.f_expm1()?.f_mul_scalar(alpha)?;
                x.f_relu()?.f_add(&below)?
            }
            Function::Exp => x.f_exp()?,
            Function::Log => x.f_log()?,
            Function::Sqrt => x.f_sqrt()?,
            Function::Rsqrt => x.f_rsqrt()?,
            Function::Neg => x.f_neg()?,
            Function::Abs => x.f_abs()?,
            Function::Square => x.f_square()?,
            Function::Sin => x.f_sin()?,
            Function::Cos => x.f_cos()?,
            Function::Reciprocal => x.f_reciprocal()?,
            Function::Erf => x.f_erf()?,
            Function::LogSigmoid => x.f_log_sigmoid()?,
            Function::Tan => x.f_tan()?,
            Function::Atan => x.f_atan()?,
            Function::Expm1 => x.f_expm1()?,
            Function::Log1p => x.f_log1p()?,
            Function::Log2 => x.f_log2()?,
            Function::Exp2 => x.f_exp2()?,
            Function::Floor => x.f_floor()?,
            Function::Ceil => x.f_ceil()?,
            Function::Round => x.f_round()?,
            Function::Sign => x.f_sign()?,
            Function::Selu => x.f_selu()?,
            Function::Softsign => x.f_div(&x.f_abs()?.f_add_scalar(1.0)?)?,
            Function::Celu { alpha } => {
                let below = x.f_clamp_max(0.0)?.f_div_scalar(alpha)?.f_expm1()?;
                x.f_relu()?.f_add(&below.f_mul_scalar(alpha)?)?
            }
            Function::Threshold { threshold, value } => x.f_threshold(threshold, value)?,
            Function::NanToNum {
                nan,
                largest,
                smallest,
            } => x.f_nan_to_num(nan, largest, smallest)?,
        })
    }

    fn rectifier(&self) -> Option<Rectifier> {
        let is_relu = matches!(self.function, Function::Threshold { threshold, value } if (threshold, value) == (0.0, 0.0));
        is_relu.then_some(Rectifier { ceiling: None })
    }
}
