//! Maps with more or fewer positions.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, Size};
use super::{Op, Operator, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `upsample_nearest2d` and `upsample_bilinear2d(input, output_size)`: a map of another height and width.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsample {
    /// Bilinear interpolation, with `align_corners`; nearest neighbour without.
    pub bilinear: Option<bool>,
    /// Height and width of the value.
    pub size: [i64; 2],
    /// The factors of height and width, where the call gives them.
    pub scale: Option<[f64; 2]>,
}

/// `pixel_shuffle(self, upscale_factor)`: channels as positions.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelShuffle {
    /// The factor of height and width.
    pub factor: i64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("upsample_nearest2d", |call| upsample(call, false)),
    ("upsample_bilinear2d", |call| upsample(call, true)),
    ("pixel_shuffle", |call| {
        let factor = call.int("upscale_factor", 1)?;
        Ok((PixelShuffle { factor }.into(), vec![call.tensor("self")?]))
    }),
];

fn upsample(call: &mut Call, bilinear: bool) -> Result<(Op, Vec<Arg>)> {
    let arg = call.tensor(if call.is_tensor("input") {
        "input"
    } else {
        "self"
    })?;
    let corners = call.bool("align_corners", false)?;
    let factors = call.numbers("scale_factors")?;
    let scale = factors.and_then(|list| <[f64; 2]>::try_from(list).ok());
    let size = call.pair("output_size", [0, 0])?;
    if size == [0, 0] && scale.is_none() {
        return Err(call.wrong("output_size", "two integers"));
    }
    let op = Upsample {
        bilinear: bilinear.then_some(corners),
        size,
        scale,
    };
    Ok((op.into(), vec![arg]))
}

impl Upsample {
    fn sides(&self, height: i64, width: i64) -> [i64; 2] {
        match self.scale {
            Some([down, across]) if self.size == [0, 0] => [
                (height as f64 * down) as i64,
                (width as f64 * across) as i64,
            ],
            _ => self.size,
        }
    }
}

impl Operator for Upsample {
    fn name(&self) -> &'static str {
        if self.bilinear.is_some() {
            "upsample_bilinear2d"
        } else {
            "upsample_nearest2d"
        }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        if x[0].rank() != 4 {
            let message = format!("{} is no map of channels", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        let mut value = x[0].clone();
        let [height, width] = self.sides(x[0].0[2].value, x[0].0[3].value);
        value.0[2] = Size::fixed(height);
        value.0[3] = Size::fixed(width);
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let input = x[0].size();
        let sides = self.sides(input[2], input[3]);
        let [down, across] = match self.scale {
            Some([down, across]) => [Some(down), Some(across)],
            None => [None, None],
        };
        Ok(match self.bilinear {
            Some(corners) => x[0].f_upsample_bilinear2d(sides, corners, down, across)?,
            None => x[0].f_upsample_nearest2d(sides, down, across)?,
        })
    }
}

impl Operator for PixelShuffle {
    fn name(&self) -> &'static str {
        "pixel_shuffle"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let square = self.factor * self.factor;
        let [batch, channels, height, width] = x[0].0[..] else {
            let message = format!("{} is no map of channels", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        };
        if square < 1 || channels.value % square != 0 {
            let message = format!("the channels of {} are no multiple of {square}", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(Shape(vec![
            batch,
            Size::fixed(channels.value / square),
            Size::fixed(height.value * self.factor),
            Size::fixed(width.value * self.factor),
        ]))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_pixel_shuffle(self.factor)?)
    }
}
