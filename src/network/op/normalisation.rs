//! Normalisation layers.

use tch::Tensor;

use super::call::Call;
use super::shape::Shape;
use super::{Locality, Op, Operator, Reach, Read, ReducedPrecision};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `batch_norm(input, weight, bias, running_mean, running_var)` in evaluation mode: normalised per channel with the running
/// statistics.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// Added to the variance.
    pub eps: f64,
    /// Whether there is a weight.
    pub weight: bool,
    /// Whether there is a bias.
    pub bias: bool,
    /// Whether it normalises with the statistics of its own input, and has no others. Only weights are standardised so.
    pub own_statistics: bool,
}

/// `layer_norm(input, weight, bias)`: normalised over the last axes.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// The sides of the axes.
    pub normalized_shape: Vec<i64>,
    /// Whether there is a weight.
    pub weight: bool,
    /// Whether there is a bias.
    pub bias: bool,
    /// Added to the variance.
    pub eps: f64,
}

/// `group_norm(input, weight, bias)`: normalised over groups of channels and all positions.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupNorm {
    /// Number of groups.
    pub groups: i64,
    /// Whether there is a weight.
    pub weight: bool,
    /// Whether there is a bias.
    pub bias: bool,
    /// Added to the variance.
    pub eps: f64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("batch_norm", read_batch_norm),
    ("layer_norm", read_layer_norm),
    ("group_norm", read_group_norm),
];

fn read_batch_norm(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let own_statistics = call.bool("training", false)?;
    call.ignore("momentum");
    call.ignore("cudnn_enabled");
    let mut args = vec![call.tensor("input")?];
    let (weight, bias) = (
        call.optional_tensor("weight")?,
        call.optional_tensor("bias")?,
    );
    let (has_weight, has_bias) = (weight.is_some(), bias.is_some());
    args.extend(weight.into_iter().chain(bias));
    if own_statistics {
        call.optional_tensor("running_mean")?;
        call.optional_tensor("running_var")?;
    } else {
        args.extend([call.tensor("running_mean")?, call.tensor("running_var")?]);
    }
    let eps = call.number("eps")?.unwrap_or(1e-5);
    let op = BatchNorm {
        eps,
        weight: has_weight,
        bias: has_bias,
        own_statistics,
    };
    Ok((op.into(), args))
}

fn read_layer_norm(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    call.ignore("cudnn_enable");
    let mut args = vec![call.tensor("input")?];
    let (weight, bias) = (
        call.optional_tensor("weight")?,
        call.optional_tensor("bias")?,
    );
    let op = LayerNorm {
        normalized_shape: call.ints("normalized_shape")?.unwrap_or_default(),
        weight: weight.is_some(),
        bias: bias.is_some(),
        eps: call.number("eps")?.unwrap_or(1e-5),
    };
    args.extend(weight.into_iter().chain(bias));
    Ok((op.into(), args))
}

fn read_group_norm(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    call.ignore("cudnn_enabled");
    let mut args = vec![call.tensor("input")?];
    let (weight, bias) = (
        call.optional_tensor("weight")?,
        call.optional_tensor("bias")?,
    );
    let op = GroupNorm {
        groups: call.int("num_groups", 1)?,
        weight: weight.is_some(),
        bias: bias.is_some(),
        eps: call.number("eps")?.unwrap_or(1e-5),
    };
    args.extend(weight.into_iter().chain(bias));
    Ok((op.into(), args))
}

impl Operator for BatchNorm {
    fn name(&self) -> &'static str {
        "batch_norm"
    }

    fn locality(&self) -> Locality {
        if self.own_statistics {
            Locality::Whole
        } else {
            Locality::Positions
        }
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        if self.own_statistics && x[0].batch_axis().is_some() {
            return Err(BatchNorm::in_training_mode());
        }
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let mut rest = x[1..].iter().copied();
        let mut next = |is_there: bool| if is_there { rest.next() } else { None };
        let (weight, bias) = (next(self.weight), next(self.bias));
        let (mean, variance) = (next(!self.own_statistics), next(!self.own_statistics));
        let own = self.own_statistics;
        let value = x[0].f_batch_norm(weight, bias, mean, variance, own, 0.0, self.eps, false)?;
        // libtorch's batch norm (2.13, on CPUs) has a wrong gradient for one image where the gradient of its value has the
        // strides of channels last and its input has not, as before a transposed product: it reads one as the other. The
        // gradient of this view is copied to the strides of the value.
        if x[0].requires_grad() && x[0].size().first() == Some(&1) {
            return Ok(value.f_as_strided(value.size(), value.stride(), None)?);
        }
        Ok(value)
    }
}

impl BatchNorm {
    /// An error: the statistics of images are not those of other images.
    pub(in crate::network) fn in_training_mode() -> Error {
        let message =
            "the network was exported in training mode: its batch norm uses the batch's statistics";
        Error::new(ErrorKind::Network, message)
            .help("call `net.eval()` before `torch.export.export`")
    }
}

/// The weight and the bias among the inputs after the first, where an operator has them.
fn weight_and_bias<'a>(
    x: &[&'a Tensor],
    weight: bool,
    bias: bool,
) -> (Option<&'a Tensor>, Option<&'a Tensor>) {
    let mut rest = x.iter().skip(1).copied();
    let weight = if weight { rest.next() } else { None };
    (weight, if bias { rest.next() } else { None })
}

impl Operator for LayerNorm {
    fn name(&self) -> &'static str {
        "layer_norm"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (weight, bias) = weight_and_bias(x, self.weight, self.bias);
        Ok(x[0].f_layer_norm(&self.normalized_shape, weight, bias, self.eps, false)?)
    }
}

impl Operator for GroupNorm {
    fn name(&self) -> &'static str {
        "group_norm"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (weight, bias) = weight_and_bias(x, self.weight, self.bias);
        Ok(x[0].f_group_norm(self.groups, weight, bias, self.eps, false)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
