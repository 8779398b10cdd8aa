//! Convolutions and pooling over one axis, such as the channels of an attention over channels.

use tch::Tensor;

use super::call::{Argument, Call};
use super::shape::{Shape, Size};
use super::{Op, Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `conv1d(input, weight, bias)`: a convolution of `[N, C, L]` with a weight `[outputs, C / groups, length]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv1d {
    /// Stride.
    pub stride: i64,
    /// Zeros on either side.
    pub padding: i64,
    /// Whether the zeros are as many as keep the length instead.
    pub same: bool,
    /// Positions between neighbouring weights.
    pub dilation: i64,
    /// Groups of channels.
    pub groups: i64,
}

/// `adaptive_avg_pool1d(self, output_size)`: means over as many windows as give `size` positions.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveAvgPool1d {
    /// Positions of the value.
    pub size: i64,
}

/// `max_pool1d` and `avg_pool1d(self)`: the largest value or the mean of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Pool1d {
    /// Whether the mean, or the largest value.
    pub average: bool,
    /// Positions of the window.
    pub kernel: i64,
    /// Stride.
    pub stride: i64,
    /// Padding on either side.
    pub padding: i64,
}

/// `upsample_linear1d(self, output_size)`: a sequence of another length.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsample1d {
    /// Positions of the value; 0 if they follow from the factor.
    pub size: i64,
    /// Whether the first and the last position keep their values.
    pub align_corners: bool,
    /// The factor of the length, where the call gives it.
    pub scale: Option<f64>,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("upsample_linear1d", |call| {
        let name = if call.is_tensor("input") {
            "input"
        } else {
            "self"
        };
        let arg = call.tensor(name)?;
        let factors = call.numbers("scale_factors")?;
        let factor = factors.as_deref().and_then(|list| list.first().copied());
        let op = Upsample1d {
            size: single(call, "output_size", 0)?,
            align_corners: call.bool("align_corners", false)?,
            scale: call.number("scales")?.or(factor),
        };
        if op.size < 1 && op.scale.is_none() {
            return Err(call.wrong("output_size", "an integer"));
        }
        Ok((op.into(), vec![arg]))
    }),
    ("conv1d", |call| {
        let mut args = vec![call.tensor("input")?, call.tensor("weight")?];
        args.extend(call.optional_tensor("bias")?);
        let text = match call.peek("padding") {
            Some(Argument::Text(text)) => Some(text.clone()),
            _ => None,
        };
        if text.is_some() {
            call.ignore("padding");
        }
        let op = Conv1d {
            stride: single(call, "stride", 1)?,
            padding: single(call, "padding", 0)?,
            same: text.as_deref() == Some("same"),
            dilation: single(call, "dilation", 1)?,
            groups: call.int("groups", 1)?,
        };
        Ok((op.into(), args))
    }),
    ("adaptive_avg_pool1d", |call| {
        let size = single(call, "output_size", 1)?;
        Ok((
            AdaptiveAvgPool1d { size }.into(),
            vec![call.tensor("self")?],
        ))
    }),
    ("max_pool1d", |call| pool(call, false)),
    ("avg_pool1d", |call| pool(call, true)),
];

fn pool(call: &mut Call, average: bool) -> Result<(Op, Vec<Arg>)> {
    let kernel = single(call, "kernel_size", 1)?;
    let op = Pool1d {
        average,
        kernel,
        stride: single(call, "stride", kernel)?,
        padding: single(call, "padding", 0)?,
    };
    let is_plain = !call.bool("ceil_mode", false)?
        && call.bool("count_include_pad", true)?
        && single(call, "dilation", 1)? == 1;
    if !is_plain {
        return Err(call.wrong(
            "ceil_mode",
            "false, with all positions counted and no dilation",
        ));
    }
    Ok((op.into(), vec![call.tensor("self")?]))
}

/// An integer that may be a list of one; `default` if it is absent or empty.
fn single(call: &mut Call, name: &str, default: i64) -> Result<i64> {
    match call.ints(name)?.as_deref() {
        None | Some([]) => Ok(default),
        Some([only]) => Ok(*only),
        Some(_) => Err(call.wrong(name, "one integer")),
    }
}

/// How many positions a window has that slides over `input` positions.
fn slid(input: i64, extent: i64, padding: i64, stride: i64) -> Option<i64> {
    let room = input + 2 * padding - extent;
    (stride > 0 && extent > 0 && room >= 0).then(|| room / stride + 1)
}

fn fault(what: &str, x: &Shape) -> Error {
    Error::new(
        ErrorKind::Network,
        format!("{what} of a value of shape {x}"),
    )
}

impl Operator for Conv1d {
    fn name(&self) -> &'static str {
        "conv1d"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let ([batch, channels, length], [outputs, per_group, kernel]) = (&x[0].0[..], &x[1].0[..])
        else {
            return Err(fault("a convolution", x[0]));
        };
        let extent = self.dilation * (kernel.value - 1) + 1;
        let side = if self.same {
            Some(length.value).filter(|_| self.stride == 1)
        } else {
            slid(length.value, extent, self.padding, self.stride)
        };
        match side {
            Some(side) if per_group.value.checked_mul(self.groups) == Some(channels.value) => {
                Ok(Shape(vec![*batch, *outputs, Size::fixed(side)]))
            }
            _ => Err(fault("a convolution", x[0])),
        }
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let bias = x.get(2).copied();
        if self.same {
            let (dilation, groups) = (self.dilation, self.groups);
            return Ok(x[0].f_conv1d_padding(x[1], bias, self.stride, "same", dilation, groups)?);
        }
        Ok(x[0].f_conv1d(
            x[1],
            bias,
            self.stride,
            self.padding,
            self.dilation,
            self.groups,
        )?)
    }

    fn multiply_adds(&self, x: &[&Shape], value: &Shape) -> i64 {
        let products: i64 = x[1].0[1..].iter().map(|size| size.value).product();
        value.0.iter().map(|size| size.value).product::<i64>() * products
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

impl Operator for AdaptiveAvgPool1d {
    fn name(&self) -> &'static str {
        "adaptive_avg_pool1d"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut value = x[0].clone();
        match value.0.last_mut() {
            Some(last) if !last.batched && self.size > 0 => *last = Size::fixed(self.size),
            _ => return Err(fault("pooling", x[0])),
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_adaptive_avg_pool1d(self.size)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

impl Operator for Pool1d {
    fn name(&self) -> &'static str {
        if self.average {
            "avg_pool1d"
        } else {
            "max_pool1d"
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut value = x[0].clone();
        let last = value.0.last_mut().filter(|last| !last.batched);
        let last = last.ok_or_else(|| fault("pooling", x[0]))?;
        let side = slid(last.value, self.kernel, self.padding, self.stride);
        *last = Size::fixed(side.ok_or_else(|| fault("pooling", x[0]))?);
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (kernel, stride, padding) = (self.kernel, self.stride, self.padding);
        Ok(if self.average {
            x[0].f_avg_pool1d(kernel, stride, padding, false, true)?
        } else {
            x[0].f_max_pool1d(kernel, stride, padding, 1, false)?
        })
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

impl Upsample1d {
    /// Positions of the value, for an input with `length` positions.
    fn length(&self, length: i64) -> i64 {
        match self.scale {
            Some(scale) if self.size < 1 => (length as f64 * scale) as i64,
            _ => self.size,
        }
    }
}

impl Operator for Upsample1d {
    fn name(&self) -> &'static str {
        "upsample_linear1d"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let [batch, channels, length] = x[0].0[..] else {
            return Err(fault("a longer sequence", x[0]));
        };
        let size = Size::fixed(self.length(length.value));
        Ok(Shape(vec![batch, channels, size]))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let size = self.length(x[0].size().last().copied().unwrap_or(0));
        Ok(x[0].f_upsample_linear1d(size, self.align_corners, self.scale)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
