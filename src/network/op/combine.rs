//! Several values as one, and padding.

use tch::Tensor;

use super::shape::{Shape, Size, wrap_axis};
use super::{Locality, Operator, Reach, Read, ReducedPrecision, SlidingWindow};
use crate::error::{Error, ErrorKind, Result};

/// `cat(tensors, dim)`: one after the other along an axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Cat {
    /// The axis.
    pub dim: i64,
}

/// `stack(tensors, dim)`: along a further axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Stack {
    /// Its position among the value's axes.
    pub dim: i64,
}

/// `pad(self, pad, mode, value)`: further positions around the last axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Pad {
    /// Positions before and after the last axis, then of the axis before it, and so on; negative ones are cut off.
    pub pad: Vec<i64>,
    /// How they are filled.
    pub mode: PadMode,
}

/// How the positions of a padding are filled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PadMode {
    /// With this value.
    Constant(f64),
    /// With the values of the positions mirrored at the border.
    Reflect,
    /// With the values at the border.
    Replicate,
    /// With the values of the opposite border.
    Circular,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("cat", |call| {
        let dim = call.int("dim", 0)?;
        Ok((Cat { dim }.into(), call.tensors("tensors")?))
    }),
    ("concat", |call| {
        let dim = call.int("dim", 0)?;
        Ok((Cat { dim }.into(), call.tensors("tensors")?))
    }),
    ("stack", |call| {
        let dim = call.int("dim", 0)?;
        Ok((Stack { dim }.into(), call.tensors("tensors")?))
    }),
    ("pad", |call| {
        let value = call.number("value")?.unwrap_or(0.0);
        let mode = match call.text("mode", "constant")?.as_str() {
            "constant" => PadMode::Constant(value),
            "reflect" => PadMode::Reflect,
            "replicate" => PadMode::Replicate,
            "circular" => PadMode::Circular,
            other => {
                let message = format!("padding `{other}` is not supported");
                return Err(Error::new(ErrorKind::Network, message));
            }
        };
        let pad = call.ints("pad")?.unwrap_or_default();
        Ok((Pad { pad, mode }.into(), vec![call.tensor("self")?]))
    }),
    ("constant_pad_nd", |call| {
        let mode = PadMode::Constant(call.number("value")?.unwrap_or(0.0));
        let pad = call.ints("pad")?.unwrap_or_default();
        Ok((Pad { pad, mode }.into(), vec![call.tensor("self")?]))
    }),
];

impl Operator for Cat {
    fn name(&self) -> &'static str {
        "cat"
    }

    fn locality(&self) -> Locality {
        // Along the channels.
        match self.dim {
            1 | -3 => Locality::Positions,
            _ => Locality::Whole,
        }
    }

    fn reduced_precision(&self) -> ReducedPrecision {
        ReducedPrecision::Follows
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let axis = x[0].axis(self.dim)?;
        let mut value = x[0].clone();
        for other in &x[1..] {
            let fits = other.rank() == value.rank() && {
                let mut sides = value.0.iter().zip(&other.0).enumerate();
                sides.all(|(at, (a, b))| at == axis || a == b)
            };
            let (own, more) = (value.0[axis], other.0.get(axis).copied());
            match more {
                Some(more) if fits && own.batched == more.batched => {
                    value.0[axis].value = own.value.saturating_add(more.value);
                }
                _ => {
                    let message = format!("{} and {other} can't be joined along axis {axis}", x[0]);
                    return Err(Error::new(ErrorKind::Network, message));
                }
            }
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(Tensor::f_cat(x, self.dim)?)
    }
}

impl Operator for Stack {
    fn name(&self) -> &'static str {
        "stack"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        if x.iter().any(|other| *other != x[0]) {
            let message = format!("values of other shapes than {} can't be stacked", x[0]);
            return Err(Error::new(ErrorKind::Network, message));
        }
        let mut value = x[0].clone();
        let axis = wrap_axis(self.dim, value.rank() + 1)?;
        value.0.insert(axis, Size::fixed(x.len() as i64));
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(Tensor::f_stack(x, self.dim)?)
    }
}

impl Pad {
    /// Whether it pads height, width or both, and nothing else.
    pub fn is_spatial(&self) -> bool {
        let [spatial, others] = match self.pad.len() {
            0..=4 => [&self.pad[..], &[]],
            _ => [&self.pad[..4], &self.pad[4..]],
        };
        spatial.iter().any(|&side| side != 0) && others.iter().all(|&side| side == 0)
    }
}

impl Operator for Pad {
    fn name(&self) -> &'static str {
        "pad"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut value = x[0].clone();
        for (from_back, sides) in self.pad.chunks(2).enumerate() {
            let axis = x[0].axis(-1 - from_back as i64)?;
            let more: i64 = sides.iter().sum();
            if more != 0 && value.0[axis].batched {
                let message = format!("the batch axis of {} can't be padded", x[0]);
                return Err(Error::new(ErrorKind::Network, message));
            }
            value.0[axis].value += more;
        }
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(match self.mode {
            PadMode::Constant(value) => x[0].f_pad(&self.pad, "constant", value)?,
            PadMode::Reflect => x[0].f_pad(&self.pad, "reflect", None::<f64>)?,
            PadMode::Replicate => x[0].f_pad(&self.pad, "replicate", None::<f64>)?,
            PadMode::Circular => x[0].f_pad(&self.pad, "circular", None::<f64>)?,
        })
    }

    fn reach(&self, x: &[&Shape]) -> Reach {
        // Wrapped around, a position may depend on the other side.
        let is_circular = self.mode == PadMode::Circular;
        if !self.is_spatial() || x[0].rank() != 4 || is_circular {
            return Reach::Position;
        }
        let before = |axis: usize| self.pad.get(axis).copied().unwrap_or(0);
        Reach::Window(SlidingWindow {
            size: [1, 1],
            stride: [1, 1],
            padding: [before(2), before(0)],
        })
    }
}
