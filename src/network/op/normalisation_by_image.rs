//! Normalisation by the statistics of each image or token, without a mean, or by channel.

use tch::Tensor;

use super::shape::Shape;
use super::{Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};

/// `rms_norm(input, weight)`: divided by the root of the mean square over the last axes.
#[derive(Debug, Clone, PartialEq)]
pub struct RmsNorm {
    /// The sides of the axes.
    pub normalized_shape: Vec<i64>,
    /// Added to the mean square; `None` is the smallest step of float32 at 1.
    pub eps: Option<f64>,
}

/// `instance_norm(input, weight, bias)`: normalised per image and channel over all positions.
#[derive(Debug, Clone, PartialEq)]
pub struct InstanceNorm {
    /// Whether it has a weight and a bias.
    pub affine: bool,
    /// Added to the variance.
    pub eps: f64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("rms_norm", |call| {
        let mut args = vec![call.tensor("input")?];
        args.extend(call.optional_tensor("weight")?);
        let op = RmsNorm {
            normalized_shape: call.ints("normalized_shape")?.unwrap_or_default(),
            eps: call.number("eps")?,
        };
        Ok((op.into(), args))
    }),
    ("instance_norm", |call| {
        if !call.bool("use_input_stats", true)? {
            return Err(call.wrong(
                "use_input_stats",
                "true: running statistics are not supported",
            ));
        }
        call.ignore("momentum");
        call.ignore("cudnn_enabled");
        call.optional_tensor("running_mean")?;
        call.optional_tensor("running_var")?;
        let mut args = vec![call.tensor("input")?];
        let parts = [
            call.optional_tensor("weight")?,
            call.optional_tensor("bias")?,
        ];
        let affine = match parts {
            [Some(weight), Some(bias)] => {
                args.extend([weight, bias]);
                true
            }
            [None, None] => false,
            _ => {
                let message = "an instance norm with a weight or a bias alone is not supported";
                return Err(Error::new(ErrorKind::Network, message));
            }
        };
        let eps = call.number("eps")?.unwrap_or(1e-5);
        Ok((InstanceNorm { affine, eps }.into(), args))
    }),
];

impl Operator for RmsNorm {
    fn name(&self) -> &'static str {
        "rms_norm"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_rms_norm(&self.normalized_shape, x.get(1).copied(), self.eps)?)
    }
}

impl Operator for InstanceNorm {
    fn name(&self) -> &'static str {
        "instance_norm"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (weight, bias) = if self.affine {
            (Some(x[1]), Some(x[2]))
        } else {
            (None, None)
        };
        let none = None::<&Tensor>;
        Ok(x[0].f_instance_norm(weight, bias, none, none, true, 0.0, self.eps, false)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
