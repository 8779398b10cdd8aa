//! Pooling over height and width.

use tch::Tensor;

use super::call::Call;
use super::convolution::slid;
use super::shape::{Shape, Size};
use super::{Locality, Op, Operator, Reach, Read, ReducedPrecision, SlidingWindow};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `max_pool2d(self)`: the largest value of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct MaxPool2d {
    /// Height and width of the window.
    pub kernel: [i64; 2],
    /// Stride, down and across.
    pub stride: [i64; 2],
    /// Padding on either side.
    pub padding: [i64; 2],
    /// Positions between neighbours of a window.
    pub dilation: [i64; 2],
    /// Whether a window that reaches beyond the last position counts.
    pub ceil_mode: bool,
}

/// `avg_pool2d(self)`: the mean of a window.
#[derive(Debug, Clone, PartialEq)]
pub struct AvgPool2d {
    /// Height and width of the window.
    pub kernel: [i64; 2],
    /// Stride, down and across.
    pub stride: [i64; 2],
    /// Padding on either side.
    pub padding: [i64; 2],
    /// Whether a window that reaches beyond the last position counts.
    pub ceil_mode: bool,
    /// Whether the zeros of the padding count in the mean.
    pub count_include_pad: bool,
}

/// `adaptive_avg_pool2d(self)`: means over as many windows as give `size` positions.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveAvgPool2d {
    /// Height and width of the value.
    pub size: [i64; 2],
}

/// `adaptive_max_pool2d(self)`: maxima over as many windows as give `size` positions.
#[derive(Debug, Clone, PartialEq)]
pub struct AdaptiveMaxPool2d {
    /// Height and width of the value.
    pub size: [i64; 2],
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("max_pool2d_with_indices", read_max_pool),
    ("_adaptive_avg_pool2d", read_adaptive_avg_pool),
    ("adaptive_max_pool2d", |call| {
        let size = call.pair("output_size", [1, 1])?;
        Ok((
            AdaptiveMaxPool2d { size }.into(),
            vec![call.tensor("self")?],
        ))
    }),
    ("max_pool2d", read_max_pool),
    ("avg_pool2d", read_avg_pool),
    ("adaptive_avg_pool2d", read_adaptive_avg_pool),
];

fn read_adaptive_avg_pool(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let size = call.pair("output_size", [1, 1])?;
    Ok((
        AdaptiveAvgPool2d { size }.into(),
        vec![call.tensor("self")?],
    ))
}

fn read_max_pool(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let kernel = call.pair("kernel_size", [1, 1])?;
    let op = MaxPool2d {
        kernel,
        stride: call.pair("stride", kernel)?,
        padding: call.pair("padding", [0, 0])?,
        dilation: call.pair("dilation", [1, 1])?,
        ceil_mode: call.bool("ceil_mode", false)?,
    };
    Ok((op.into(), vec![call.tensor("self")?]))
}

fn read_avg_pool(call: &mut Call) -> Result<(Op, Vec<Arg>)> {
    let kernel = call.pair("kernel_size", [1, 1])?;
    let op = AvgPool2d {
        kernel,
        stride: call.pair("stride", kernel)?,
        padding: call.pair("padding", [0, 0])?,
        ceil_mode: call.bool("ceil_mode", false)?,
        count_include_pad: call.bool("count_include_pad", true)?,
    };
    Ok((op.into(), vec![call.tensor("self")?]))
}

/// The shape of a value with a position per window.
fn pooled(x: &Shape, window: &SlidingWindow, ceil_mode: bool) -> Result<Shape> {
    let rank = x.rank();
    if rank < 3 || window.stride.iter().any(|&stride| stride < 1) {
        let message = format!("pooling of a value of shape {x}");
        return Err(Error::new(ErrorKind::Network, message));
    }
    let mut value = x.clone();
    for axis in 0..2 {
        let input = x.0[rank - 2 + axis].value;
        let mut outputs = slid(input, window, axis);
        let stride = window.stride[axis];
        let covered = (outputs - 1) * stride + window.size[axis];
        // A further window has to begin within the input or the padding before it.
        if ceil_mode
            && covered < input + 2 * window.padding[axis]
            && outputs * stride < input + window.padding[axis]
        {
            outputs += 1;
        }
        value.0[rank - 2 + axis] = Size::fixed(outputs);
    }
    Ok(value)
}

impl MaxPool2d {
    fn window(&self) -> SlidingWindow {
        SlidingWindow {
            size: [0, 1].map(|axis| self.dilation[axis] * (self.kernel[axis] - 1) + 1),
            stride: self.stride,
            padding: self.padding,
        }
    }
}

impl Operator for MaxPool2d {
    fn name(&self) -> &'static str {
        "max_pool2d"
    }

    fn locality(&self) -> Locality {
        let padded = MaxPool2d {
            padding: [0, 0],
            ceil_mode: false,
            ..self.clone()
        };
        Locality::Windows {
            padded: padded.into(),
            fill: f64::NEG_INFINITY,
        }
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        pooled(x[0], &self.window(), self.ceil_mode)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (kernel, stride) = (self.kernel, self.stride);
        Ok(x[0].f_max_pool2d(kernel, stride, self.padding, self.dilation, self.ceil_mode)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Window(self.window())
    }
}

impl AvgPool2d {
    fn window(&self) -> SlidingWindow {
        SlidingWindow {
            size: self.kernel,
            stride: self.stride,
            padding: self.padding,
        }
    }
}

impl Operator for AvgPool2d {
    fn name(&self) -> &'static str {
        "avg_pool2d"
    }

    fn locality(&self) -> Locality {
        // Means over fewer positions at the borders are another operator there.
        if self.ceil_mode || (self.padding != [0, 0] && !self.count_include_pad) {
            return Locality::Whole;
        }
        let padded = AvgPool2d {
            padding: [0, 0],
            ..self.clone()
        };
        Locality::Windows {
            padded: padded.into(),
            fill: 0.0,
        }
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        pooled(x[0], &self.window(), self.ceil_mode)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_avg_pool2d(
            self.kernel,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            None,
        )?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Window(self.window())
    }
}

impl Operator for AdaptiveAvgPool2d {
    fn name(&self) -> &'static str {
        "adaptive_avg_pool2d"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        adaptively_pooled(x[0], self.size)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_adaptive_avg_pool2d(self.size)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

/// The shape of a value with this many positions.
fn adaptively_pooled(x: &Shape, size: [i64; 2]) -> Result<Shape> {
    let mut value = x.clone();
    let rank = value.rank();
    if rank < 3 || size.iter().any(|&side| side < 1) {
        let message = format!("pooling of a value of shape {value}");
        return Err(Error::new(ErrorKind::Network, message));
    }
    for (side, size) in value.0[rank - 2..].iter_mut().zip(size) {
        *side = Size::fixed(size);
    }
    Ok(value)
}

impl Operator for AdaptiveMaxPool2d {
    fn name(&self) -> &'static str {
        "adaptive_max_pool2d"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        adaptively_pooled(x[0], self.size)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let (value, _) = x[0].f_adaptive_max_pool2d(self.size)?;
        Ok(value)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
