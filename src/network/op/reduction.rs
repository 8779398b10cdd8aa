//! Means, sums and other figures along axes.

use tch::{Kind, Tensor};

use super::call::Call;
use super::shape::{Shape, Size};
use super::{Op, Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// A figure along axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Reduce {
    /// Which one.
    pub figure: ReducedFigure,
    /// The axes; all of them if there are none.
    pub dim: Vec<i64>,
    /// Whether the axes stay, with one position.
    pub keepdim: bool,
    /// The data type in which it is computed; that of the value if it is absent.
    pub kind: Option<Kind>,
}

/// The figures of [`Reduce`], by their aten names.
#[derive(Debug, Clone, Copy, PartialEq)]
#[allow(missing_docs, reason = "aten's names")]
pub enum ReducedFigure {
    Mean,
    Sum,
    Amax,
    Amin,
    /// The largest along one axis: of equal values, one alone has the gradient.
    Max,
    /// The smallest along one axis.
    Min,
    /// The variance, over `count − correction`.
    Var {
        correction: f64,
    },
    /// The standard deviation, over `count − correction`.
    Std {
        correction: f64,
    },
    /// The norm of this order.
    Norm {
        order: f64,
    },
    Logsumexp,
    Prod,
    All,
    Any,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("mean", |call| reduce(call, ReducedFigure::Mean)),
    ("sum", |call| reduce(call, ReducedFigure::Sum)),
    ("amax", |call| reduce(call, ReducedFigure::Amax)),
    ("amin", |call| reduce(call, ReducedFigure::Amin)),
    ("logsumexp", |call| reduce(call, ReducedFigure::Logsumexp)),
    ("prod", |call| reduce(call, ReducedFigure::Prod)),
    ("all", |call| reduce(call, ReducedFigure::All)),
    ("any", |call| reduce(call, ReducedFigure::Any)),
    ("var", |call| {
        let correction = correction(call)?;
        reduce(call, ReducedFigure::Var { correction })
    }),
    ("std", |call| {
        let correction = correction(call)?;
        reduce(call, ReducedFigure::Std { correction })
    }),
    ("linalg_vector_norm", |call| {
        let order = call.number("ord")?.unwrap_or(2.0);
        reduce(call, ReducedFigure::Norm { order })
    }),
    ("norm", |call| {
        let order = call.number("p")?.unwrap_or(2.0);
        reduce(call, ReducedFigure::Norm { order })
    }),
];

fn correction(call: &mut Call) -> Result<f64> {
    let unbiased = call.bool("unbiased", true)?;
    let default = if unbiased { 1.0 } else { 0.0 };
    Ok(call.number("correction")?.unwrap_or(default))
}

fn reduce(call: &mut Call, figure: ReducedFigure) -> Result<(Op, Vec<Arg>)> {
    let op = Reduce {
        figure,
        dim: call.ints("dim")?.unwrap_or_default(),
        keepdim: call.bool("keepdim", false)?,
        kind: call.kind("dtype")?,
    };
    Ok((
        op.into(),
        vec![call.tensor(if call.is_tensor("self") { "self" } else { "x" })?],
    ))
}

/// A figure along one axis after the other, which all stay until the end.
fn each_axis(
    x: &Tensor,
    dim: &[i64],
    keep: bool,
    along: impl Fn(&Tensor, i64) -> std::result::Result<Tensor, tch::TchError>,
) -> Result<Tensor> {
    let rank = x.dim() as i64;
    let mut axes: Vec<i64> = dim
        .iter()
        .map(|&axis| if axis < 0 { axis + rank } else { axis })
        .collect();
    axes.sort_unstable();
    let mut value = x.shallow_clone();
    for &axis in &axes {
        value = along(&value, axis)?;
    }
    if !keep {
        for &axis in axes.iter().rev() {
            value = value.f_squeeze_dim(axis)?;
        }
    }
    Ok(value)
}

impl Operator for Reduce {
    fn name(&self) -> &'static str {
        match self.figure {
            ReducedFigure::Mean => "mean",
            ReducedFigure::Sum => "sum",
            ReducedFigure::Amax => "amax",
            ReducedFigure::Amin => "amin",
            ReducedFigure::Max => "max",
            ReducedFigure::Min => "min",
            ReducedFigure::Var { .. } => "var",
            ReducedFigure::Std { .. } => "std",
            ReducedFigure::Norm { .. } => "linalg_vector_norm",
            ReducedFigure::Logsumexp => "logsumexp",
            ReducedFigure::Prod => "prod",
            ReducedFigure::All => "all",
            ReducedFigure::Any => "any",
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut reduced = vec![self.dim.is_empty(); x[0].rank()];
        for &dim in &self.dim {
            reduced[x[0].axis(dim)?] = true;
        }
        if x[0].batch_axis().is_some_and(|axis| reduced[axis]) {
            let message = format!("`{}` over the batch axis of {}", self.name(), x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        let sides = x[0].0.iter().zip(reduced);
        let sides = sides.filter_map(|(size, reduced)| match (reduced, self.keepdim) {
            (false, _) => Some(*size),
            (true, true) => Some(Size::fixed(1)),
            (true, false) => None,
        });
        Ok(Shape(sides.collect()))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let x = &match self.kind {
            Some(kind) => x[0].f_to_kind(kind)?,
            None => x[0].shallow_clone(),
        };
        let all: Vec<i64> = (0..x.dim() as i64).collect();
        let dim = if self.dim.is_empty() { &all } else { &self.dim };
        let (dim, keep) = (dim.as_slice(), self.keepdim);
        Ok(match self.figure {
            ReducedFigure::Mean => x.f_mean_dim(dim, keep, None::<Kind>)?,
            ReducedFigure::Sum => x.f_sum_dim_intlist(dim, keep, None::<Kind>)?,
            ReducedFigure::Amax => x.f_amax(dim, keep)?,
            ReducedFigure::Amin => x.f_amin(dim, keep)?,
            ReducedFigure::Max => {
                each_axis(x, dim, keep, |x, axis| Ok(x.f_max_dim(axis, true)?.0))?
            }
            ReducedFigure::Min => {
                each_axis(x, dim, keep, |x, axis| Ok(x.f_min_dim(axis, true)?.0))?
            }
            ReducedFigure::Var { correction } => x.f_var_correction(dim, correction, keep)?,
            ReducedFigure::Std { correction } => x.f_std_correction(dim, correction, keep)?,
            ReducedFigure::Norm { order } => x.f_norm_scalaropt_dim(order, dim, keep)?,
            ReducedFigure::Logsumexp => x.f_logsumexp(dim, keep)?,
            ReducedFigure::Prod => each_axis(x, dim, keep, |x, axis| {
                x.f_prod_dim_int(axis, true, None::<Kind>)
            })?,
            ReducedFigure::All => each_axis(x, dim, keep, |x, axis| x.f_all_dim(axis, true))?,
            ReducedFigure::Any => each_axis(x, dim, keep, |x, axis| x.f_any_dim(axis, true))?,
        })
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
