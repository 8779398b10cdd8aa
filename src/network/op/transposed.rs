//! Transposed convolutions, which make maps larger.

use tch::Tensor;

use super::shape::{Shape, Size};
use super::{Operator, Reach, Read, ReducedPrecision};
use crate::error::{Error, ErrorKind, Result};

/// `conv_transpose2d(input, weight, bias)`: the backward pass of a convolution over height and width, with a weight
/// `[C, outputs / groups, height, width]`.
#[derive(Debug, Clone, PartialEq)]
pub struct ConvTranspose2d {
    /// Stride, down and across.
    pub stride: [i64; 2],
    /// Positions that are left out on either side.
    pub padding: [i64; 2],
    /// Further positions at the bottom and the right.
    pub output_padding: [i64; 2],
    /// Groups of channels.
    pub groups: i64,
    /// Positions between neighbouring weights.
    pub dilation: [i64; 2],
}

pub(super) const ATEN: &[(&str, Read)] = &[("conv_transpose2d", |call| {
    let mut args = vec![call.tensor("input")?, call.tensor("weight")?];
    args.extend(call.optional_tensor("bias")?);
    let op = ConvTranspose2d {
        stride: call.pair("stride", [1, 1])?,
        padding: call.pair("padding", [0, 0])?,
        output_padding: call.pair("output_padding", [0, 0])?,
        groups: call.int("groups", 1)?,
        dilation: call.pair("dilation", [1, 1])?,
    };
    Ok((op.into(), args))
})];

impl Operator for ConvTranspose2d {
    fn name(&self) -> &'static str {
        "conv_transpose2d"
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Rounds
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let ([batch, channels, height, width], [inputs, per_group, down, across]) =
            (&x[0].0[..], &x[1].0[..])
        else {
            let message = format!(
                "a transposed convolution of {} with a weight {}",
                x[0], x[1]
            );
            return Err(Error::new(ErrorKind::Network, message));
        };
        let side = |axis: usize, input: i64, kernel: i64| {
            (input - 1)
                .saturating_mul(self.stride[axis])
                .saturating_sub(2 * self.padding[axis])
                .saturating_add(self.dilation[axis].saturating_mul(kernel - 1))
                .saturating_add(self.output_padding[axis] + 1)
        };
        let sides = [
            side(0, height.value, down.value),
            side(1, width.value, across.value),
        ];
        let outputs = per_group.value.saturating_mul(self.groups);
        if channels != inputs || sides.iter().any(|&side| side < 1) || self.groups < 1 {
            let message = format!(
                "a transposed convolution of {} with a weight {}",
                x[0], x[1]
            );
            return Err(Error::new(ErrorKind::Network, message));
        }
        let [height, width] = sides.map(Size::fixed);
        Ok(Shape(vec![*batch, Size::fixed(outputs), height, width]))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_conv_transpose2d(
            x[1],
            x.get(2).copied(),
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )?)
    }

    fn multiply_adds(&self, x: &[&Shape], _value: &Shape) -> i64 {
        let values: i64 = x[0].0.iter().map(|size| size.value).product();
        let products: i64 = x[1].0[1..].iter().map(|size| size.value).product();
        values.saturating_mul(products)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
