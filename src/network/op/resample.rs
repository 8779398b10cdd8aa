//! Maps with more or fewer positions.

use tch::Tensor;

use super::call::Call;
use super::shape::{Shape, Size};
use super::{Op, Operator, Reach, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `upsample_nearest2d` and `upsample_bilinear2d(input, output_size)`: a map of another height and width.
#[derive(Debug, Clone, PartialEq)]
pub struct Upsample {
    /// How values between positions are computed.
    pub interpolation: Interpolation,
    /// Height and width of the value.
    pub size: [i64; 2],
    /// The factors of height and width, where the call gives them.
    pub scale: Option<[f64; 2]>,
}

/// How [`Upsample`] computes values between positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interpolation {
    /// The nearest position; `exact` from the centres of the positions.
    Nearest {
        /// Whether from the centres.
        exact: bool,
    },
    /// Bilinear or bicubic.
    Smooth {
        /// Whether bicubic.
        cubic: bool,
        /// Whether the corner positions keep their values.
        align_corners: bool,
        /// Whether smaller maps are averages, without aliasing.
        antialias: bool,
    },
}

/// `pixel_unshuffle(self, downscale_factor)`: positions as channels.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelUnshuffle {
    /// The factor of height and width.
    pub factor: i64,
}

/// `pixel_shuffle(self, upscale_factor)`: channels as positions.
#[derive(Debug, Clone, PartialEq)]
pub struct PixelShuffle {
    /// The factor of height and width.
    pub factor: i64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("upsample_nearest2d", |call| nearest(call, false)),
    ("_upsample_nearest_exact2d", |call| nearest(call, true)),
    ("upsample_bilinear2d", |call| smooth(call, false, false)),
    ("upsample_bicubic2d", |call| smooth(call, true, false)),
    ("_upsample_bilinear2d_aa", |call| smooth(call, false, true)),
    ("_upsample_bicubic2d_aa", |call| smooth(call, true, true)),
    ("pixel_unshuffle", |call| {
        let factor = call.int("downscale_factor", 1)?;
        Ok((PixelUnshuffle { factor }.into(), vec![call.tensor("self")?]))
    }),
    ("pixel_shuffle", |call| {
        let factor = call.int("upscale_factor", 1)?;
        Ok((PixelShuffle { factor }.into(), vec![call.tensor("self")?]))
    }),
];

fn nearest(call: &mut Call, exact: bool) -> Result<(Op, Vec<Arg>)> {
    upsample(call, Interpolation::Nearest { exact })
}

fn smooth(call: &mut Call, cubic: bool, antialias: bool) -> Result<(Op, Vec<Arg>)> {
    let align_corners = call.bool("align_corners", false)?;
    let interpolation = Interpolation::Smooth {
        cubic,
        align_corners,
        antialias,
    };
    upsample(call, interpolation)
}

fn upsample(call: &mut Call, interpolation: Interpolation) -> Result<(Op, Vec<Arg>)> {
    let arg = call.tensor(if call.is_tensor("input") {
        "input"
    } else {
        "self"
    })?;
    let factors = call.numbers("scale_factors")?;
    let mut scale = factors.and_then(|list| <[f64; 2]>::try_from(list).ok());
    let (down, across) = (call.number("scales_h")?, call.number("scales_w")?);
    scale = scale.or(down.zip(across).map(|(down, across)| [down, across]));
    let size = call.pair("output_size", [0, 0])?;
    if size == [0, 0] && scale.is_none() {
        return Err(call.wrong("output_size", "two integers"));
    }
    let op = Upsample {
        interpolation,
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
        match self.interpolation {
            Interpolation::Nearest { exact: false } => "upsample_nearest2d",
            Interpolation::Nearest { exact: true } => "_upsample_nearest_exact2d",
            Interpolation::Smooth {
                cubic, antialias, ..
            } => match (cubic, antialias) {
                (false, false) => "upsample_bilinear2d",
                (true, false) => "upsample_bicubic2d",
                (false, true) => "_upsample_bilinear2d_aa",
                (true, true) => "_upsample_bicubic2d_aa",
            },
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
        let x = x[0];
        Ok(match self.interpolation {
            Interpolation::Nearest { exact: false } => {
                x.f_upsample_nearest2d(sides, down, across)?
            }
            Interpolation::Nearest { exact: true } => {
                x.f_internal_upsample_nearest_exact2d(sides, down, across)?
            }
            Interpolation::Smooth {
                cubic,
                align_corners: corners,
                antialias,
            } => match (cubic, antialias) {
                (false, false) => x.f_upsample_bilinear2d(sides, corners, down, across)?,
                (true, false) => x.f_upsample_bicubic2d(sides, corners, down, across)?,
                (false, true) => {
                    x.f_internal_upsample_bilinear2d_aa(sides, corners, down, across)?
                }
                (true, true) => x.f_internal_upsample_bicubic2d_aa(sides, corners, down, across)?,
            },
        })
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
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

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}

impl Operator for PixelUnshuffle {
    fn name(&self) -> &'static str {
        "pixel_unshuffle"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let ([batch, channels, height, width], true) = (&x[0].0[..], self.factor > 0) else {
            let message = format!("{} is no map of channels", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        };
        if height.value % self.factor != 0 || width.value % self.factor != 0 {
            let message = format!("the sides of {} are no multiples of {}", x[0], self.factor);
            return Err(Error::new(ErrorKind::Network, message));
        }
        let square = self.factor.saturating_mul(self.factor);
        Ok(Shape(vec![
            *batch,
            Size::fixed(channels.value.saturating_mul(square)),
            Size::fixed(height.value / self.factor),
            Size::fixed(width.value / self.factor),
        ]))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_pixel_unshuffle(self.factor)?)
    }

    fn reach(&self, _x: &[&Shape]) -> Reach {
        Reach::Whole
    }
}
