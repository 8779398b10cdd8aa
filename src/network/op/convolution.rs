//! Convolutions over height and width.

use tch::Tensor;

use super::call::{Argument, Call};
use super::shape::{Shape, Size};
use super::{Locality, Operator, Reach, Read, ReducedPrecision, SlidingWindow};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// How a convolution pads its input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// This many zeros on either side, of the height and of the width.
    Each([i64; 2]),
    /// TensorFlow's `SAME`: as many zeros as make the output `ceil(input / stride)`, an odd one at the bottom and the right.
    Same,
}

/// `conv2d(input, weight, bias)`: a convolution of `[N, C, H, W]` with a weight `[outputs, C / groups, height, width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Conv2d {
    /// Stride, down and across.
    pub stride: [i64; 2],
    /// Padding.
    pub padding: Padding,
    /// Positions between neighbouring weights, down and across.
    pub dilation: [i64; 2],
    /// Groups of channels: 1, or as many as channels for a depthwise convolution.
    pub groups: i64,
}

pub(super) const ATEN: &[(&str, Read)] = &[("conv2d", read), ("convolution", read)];

fn read(call: &mut Call) -> Result<(super::Op, Vec<Arg>)> {
    let mut args = vec![call.tensor("input")?, call.tensor("weight")?];
    args.extend(call.optional_tensor("bias")?);
    let unsupported = call.bool("transposed", false)?;
    let output_padding = call.ints("output_padding")?.unwrap_or_default();
    if unsupported || output_padding.iter().any(|&padding| padding != 0) {
        return Err(Error::new(
            ErrorKind::Network,
            "transposed convolutions are not supported",
        ));
    }
    let stride = call.pair("stride", [1, 1])?;
    let padding = match call.peek("padding") {
        Some(Argument::Text(text)) if text == "same" => {
            if stride != [1, 1] {
                return Err(Error::new(
                    ErrorKind::Network,
                    "padding `same` needs stride 1",
                ));
            }
            call.ignore("padding");
            Padding::Same
        }
        Some(Argument::Text(_)) => {
            call.ignore("padding");
            Padding::Each([0, 0])
        }
        _ => Padding::Each(call.pair("padding", [0, 0])?),
    };
    let op = Conv2d {
        stride,
        padding,
        dilation: call.pair("dilation", [1, 1])?,
        groups: call.int("groups", 1)?,
    };
    Ok((op.into(), args))
}

impl Conv2d {
    /// A convolution with stride 1 and no padding.
    pub const PLAIN: Conv2d = Conv2d {
        stride: [1, 1],
        padding: Padding::Each([0, 0]),
        dilation: [1, 1],
        groups: 1,
    };

    /// The value for `x`, computed with `weight` and `bias`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn apply(&self, x: &Tensor, weight: &Tensor, bias: Option<&Tensor>) -> Result<Tensor> {
        let kernel = weight.size();
        let (padded, padding) = match self.padding {
            Padding::Each(padding) => (x.shallow_clone(), padding),
            Padding::Same => (self.pad_same(x, [kernel[2], kernel[3]])?, [0, 0]),
        };
        Ok(padded.f_conv2d(
            weight,
            bias,
            self.stride,
            padding,
            self.dilation,
            self.groups,
        )?)
    }

    /// `x` padded with zeros as TensorFlow's `SAME` does it: the odd one goes to the right and the bottom.
    fn pad_same(&self, x: &Tensor, kernel: [i64; 2]) -> Result<Tensor> {
        let size = x.size();
        let total = [0, 1].map(|axis| {
            let extent = self.dilation[axis] * (kernel[axis] - 1) + 1;
            same_padding(size[2 + axis], extent, self.stride[axis])
        });
        if total == [0, 0] {
            return Ok(x.shallow_clone());
        }
        let [top, left] = total.map(|zeros| zeros / 2);
        let sides = [left, total[1] - left, top, total[0] - top];
        Ok(x.f_constant_pad_nd(sides)?)
    }

    /// The window that slides over an input `[N, C, H, W]`, for a weight of this shape.
    fn window(&self, input: &Shape, weight: &Shape) -> SlidingWindow {
        let size = [0, 1].map(|axis| self.dilation[axis] * (weight.0[2 + axis].value - 1) + 1);
        let padding = [0, 1].map(|axis| match self.padding {
            Padding::Each(padding) => padding[axis],
            Padding::Same => {
                same_padding(input.0[2 + axis].value, size[axis], self.stride[axis]) / 2
            }
        });
        SlidingWindow {
            size,
            stride: self.stride,
            padding,
        }
    }
}

impl Operator for Conv2d {
    fn name(&self) -> &'static str {
        "conv2d"
    }

    fn locality(&self) -> Locality {
        let padded = Conv2d {
            padding: Padding::Each([0, 0]),
            ..self.clone()
        };
        Locality::Windows {
            padded: padded.into(),
            fill: 0.0,
        }
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Rounds
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let [input, weight] = [x[0], x[1]];
        if input.rank() != 4 || weight.rank() != 4 || self.groups < 1 || self.stride.contains(&0) {
            let message = format!("a convolution of {input} with a weight {weight}");
            return Err(Error::new(ErrorKind::Network, message));
        }
        let window = self.window(input, weight);
        let side = |axis: usize| match self.padding {
            Padding::Each(_) => slid(input.0[2 + axis].value, &window, axis),
            Padding::Same => (input.0[2 + axis].value + self.stride[axis] - 1) / self.stride[axis],
        };
        Ok(Shape(vec![
            input.0[0],
            weight.0[0],
            Size::fixed(side(0)),
            Size::fixed(side(1)),
        ]))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        self.apply(x[0], x[1], x.get(2).copied())
    }

    fn multiply_adds(&self, x: &[&Shape], value: &Shape) -> i64 {
        let products: i64 = x[1].0[1..].iter().map(|size| size.value).product();
        value.0.iter().map(|size| size.value).product::<i64>() * products
    }

    fn reach(&self, x: &[&Shape]) -> Reach {
        Reach::Window(self.window(x[0], x[1]))
    }
}

/// How many positions a window has that slides over a side of `input` positions.
pub(super) fn slid(input: i64, window: &SlidingWindow, axis: usize) -> i64 {
    (input + 2 * window.padding[axis] - window.size[axis]).div_euclid(window.stride[axis]) + 1
}

/// How many zeros TensorFlow's `SAME` adds along one axis, on both sides together, for a kernel of `extent` positions.
fn same_padding(size: i64, extent: i64, stride: i64) -> i64 {
    let outputs = (size + stride - 1) / stride;
    ((outputs - 1) * stride + extent - size).max(0)
}
