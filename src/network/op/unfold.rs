//! Windows of a map as columns, and columns as windows of a map.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, Size};
use super::{Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};

/// The windows of [`Im2col`] and [`Col2im`], down and across.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Windows {
    /// Height and width.
    pub kernel: [i64; 2],
    /// Positions between neighbours of a window.
    pub dilation: [i64; 2],
    /// Padding on either side.
    pub padding: [i64; 2],
    /// Positions between neighbouring windows.
    pub stride: [i64; 2],
}

/// `im2col(self)`, `torch.nn.functional.unfold`: `[N, C, H, W]` to `[N, C · kernel, windows]`.
#[derive(Debug, Clone, PartialEq)]
pub struct Im2col {
    /// The windows.
    pub windows: Windows,
}

/// `col2im(self, output_size)`, `torch.nn.functional.fold`: the sum of all windows at their places in a map.
#[derive(Debug, Clone, PartialEq)]
pub struct Col2im {
    /// Height and width of the map.
    pub size: [i64; 2],
    /// The windows.
    pub windows: Windows,
}

/// `unfold(self, dimension, size, step)`: the windows of one axis, as a further axis at the end.
#[derive(Debug, Clone, PartialEq)]
pub struct Unfold {
    /// The axis.
    pub dim: i64,
    /// Positions of a window.
    pub size: i64,
    /// Positions between neighbouring windows.
    pub step: i64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("im2col", |call| {
        let windows = windows(call)?;
        Ok((Im2col { windows }.into(), vec![call.tensor("self")?]))
    }),
    ("col2im", |call| {
        let size = call.pair("output_size", [1, 1])?;
        let windows = windows(call)?;
        Ok((Col2im { size, windows }.into(), vec![call.tensor("self")?]))
    }),
    ("unfold", |call| {
        let op = Unfold {
            dim: call.int("dimension", 0)?,
            size: call.int("size", 1)?,
            step: call.int("step", 1)?,
        };
        Ok((op.into(), vec![call.tensor("self")?]))
    }),
];

fn windows(call: &mut Call) -> Result<Windows> {
    Ok(Windows {
        kernel: call.pair("kernel_size", [1, 1])?,
        dilation: call.pair("dilation", [1, 1])?,
        padding: call.pair("padding", [0, 0])?,
        stride: call.pair("stride", [1, 1])?,
    })
}

impl Windows {
    /// How many windows a map of this height and width has, down and across.
    fn counts(&self, size: [i64; 2]) -> Option<[i64; 2]> {
        let mut counts = [0; 2];
        for axis in 0..2 {
            let extent = self.dilation[axis] * (self.kernel[axis] - 1) + 1;
            let room = size[axis] + 2 * self.padding[axis] - extent;
            if self.stride[axis] < 1 || self.dilation[axis] < 1 || self.kernel[axis] < 1 || room < 0
            {
                return None;
            }
            counts[axis] = room / self.stride[axis] + 1;
        }
        Some(counts)
    }

    fn values(&self) -> i64 {
        self.kernel[0].saturating_mul(self.kernel[1])
    }
}

fn fault(x: &Shape) -> Error {
    Error::new(
        ErrorKind::Network,
        format!("windows of a value of shape {x}"),
    )
}

impl Operator for Im2col {
    fn name(&self) -> &'static str {
        "im2col"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let [batch, channels, height, width] = x[0].0[..] else {
            return Err(fault(x[0]));
        };
        let counts = self.windows.counts([height.value, width.value]);
        let [down, across] = counts.ok_or_else(|| fault(x[0]))?;
        let rows = channels.value.saturating_mul(self.windows.values());
        Ok(Shape(vec![
            batch,
            Size::fixed(rows),
            Size::fixed(down * across),
        ]))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let Windows {
            kernel,
            dilation,
            padding,
            stride,
        } = self.windows;
        Ok(x[0].f_im2col(kernel, dilation, padding, stride)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

impl Operator for Col2im {
    fn name(&self) -> &'static str {
        "col2im"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let [batch, rows, columns] = x[0].0[..] else {
            return Err(fault(x[0]));
        };
        let counts = self.windows.counts(self.size);
        let [down, across] = counts.ok_or_else(|| fault(x[0]))?;
        let values = self.windows.values();
        if down * across != columns.value || rows.value % values != 0 {
            return Err(fault(x[0]));
        }
        let [height, width] = self.size.map(Size::fixed);
        Ok(Shape(vec![
            batch,
            Size::fixed(rows.value / values),
            height,
            width,
        ]))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let Windows {
            kernel,
            dilation,
            padding,
            stride,
        } = self.windows;
        Ok(x[0].f_col2im(self.size, kernel, dilation, padding, stride)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

impl Operator for Unfold {
    fn name(&self) -> &'static str {
        "unfold"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        let length = x[0].0[axis];
        if length.batched || self.step < 1 || self.size < 0 || self.size > length.value {
            return Err(fault(x[0]));
        }
        let mut value = x[0].clone();
        value.0[axis] = Size::fixed((length.value - self.size) / self.step + 1);
        value.0.push(Size::fixed(self.size));
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_unfold(self.dim, self.size, self.step)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
