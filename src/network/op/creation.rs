//! Values that depend on sizes alone: zeros, ranges, masks of triangles. In most networks they are computed when the file is
//! read, and are no nodes.

use tch::{Device, Kind, Tensor};

use super::call::{Call, Number};
use super::shape::{Shape, Size};
use super::{Op, Operator, Read};
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// `full(size, fill_value)`, also `zeros` and `ones`: the same number everywhere.
#[derive(Debug, Clone, PartialEq)]
pub struct Full {
    /// The sides.
    pub size: Vec<Size>,
    /// The number.
    pub number: f64,
    /// The data type.
    pub kind: Kind,
}

/// `full_like(self, fill_value)` and `fill(self, value)`: the same number everywhere, in the shape of another value.
#[derive(Debug, Clone, PartialEq)]
pub struct Fill {
    /// The number.
    pub number: f64,
    /// The data type; that of the other value if it is absent.
    pub kind: Option<Kind>,
}

/// `arange(start, end, step)`: evenly spaced numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Arange {
    /// The first number.
    pub start: f64,
    /// The end, which is left out.
    pub end: f64,
    /// The distance of neighbours.
    pub step: f64,
    /// The data type.
    pub kind: Kind,
}

/// `linspace(start, end, steps)`: evenly spaced numbers, both ends among them.
#[derive(Debug, Clone, PartialEq)]
pub struct Linspace {
    /// The first number.
    pub start: f64,
    /// The last number.
    pub end: f64,
    /// How many.
    pub steps: i64,
    /// The data type.
    pub kind: Kind,
}

/// `triu` and `tril(self, diagonal)`: zeros below or above a diagonal of the last two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Triangle {
    /// Whether the upper triangle stays, or the lower one.
    pub upper: bool,
    /// Which diagonal; positive ones are above the main one.
    pub diagonal: i64,
}

/// One of the values of `meshgrid(tensors)`: numbers of one axis repeated along the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Meshgrid {
    /// Which of the tensors.
    pub index: i64,
    /// Whether the first two axes are exchanged: `indexing="xy"`.
    pub exchange: bool,
}

/// `one_hot(self, num_classes)`: 1 at the position of each integer, 0 elsewhere.
#[derive(Debug, Clone, PartialEq)]
pub struct OneHot {
    /// How many positions.
    pub classes: i64,
}

pub(super) const ATEN: &[(&str, Read)] = &[
    ("zeros", |call| full(call, Some(0.0))),
    ("ones", |call| full(call, Some(1.0))),
    // Values that are not set yet: whatever the program reads of them, it writes before.
    ("empty", |call| full(call, Some(0.0))),
    ("full", |call| full(call, None)),
    ("new_zeros", |call| new_full(call, Some(0.0))),
    ("new_ones", |call| new_full(call, Some(1.0))),
    ("new_empty", |call| new_full(call, Some(0.0))),
    ("new_full", |call| new_full(call, None)),
    ("zeros_like", |call| like(call, Some(0.0))),
    ("ones_like", |call| like(call, Some(1.0))),
    ("empty_like", |call| like(call, Some(0.0))),
    ("full_like", |call| like(call, None)),
    ("zero", |call| like(call, Some(0.0))),
    ("scalar_tensor", |call| {
        let number = call.number("s")?.unwrap_or(0.0);
        let kind = call.kind("dtype")?.unwrap_or(Kind::Float);
        let size = Vec::new();
        Ok((Full { size, number, kind }.into(), Vec::new()))
    }),
    ("arange", |call| {
        let (start, end) = (call.typed_number("start")?, call.typed_number("end")?);
        let step = call.typed_number("step")?;
        let are_integers = [start, end, step]
            .iter()
            .flatten()
            .all(|number| matches!(number, Number::Int(_)));
        let default = if are_integers {
            Kind::Int64
        } else {
            Kind::Float
        };
        let value = |number: Option<Number>, default: f64| number.map_or(default, Number::value);
        let op = Arange {
            start: value(start, 0.0),
            end: value(end, 0.0),
            step: value(step, 1.0),
            kind: call.kind("dtype")?.unwrap_or(default),
        };
        Ok((op.into(), Vec::new()))
    }),
    ("linspace", |call| {
        let op = Linspace {
            kind: call.kind("dtype")?.unwrap_or(Kind::Float),
            start: call.number("start")?.unwrap_or(0.0),
            end: call.number("end")?.unwrap_or(0.0),
            steps: call.int("steps", 0)?,
        };
        Ok((op.into(), Vec::new()))
    }),
    ("triu", |call| triangle(call, true)),
    ("tril", |call| triangle(call, false)),
    ("one_hot", |call| {
        let classes = call.int("num_classes", -1)?;
        if classes < 1 {
            return Err(call.wrong("num_classes", "1 or more"));
        }
        Ok((OneHot { classes }.into(), vec![call.tensor("self")?]))
    }),
];

fn full(call: &mut Call, number: Option<f64>) -> Result<(Op, Vec<Arg>)> {
    let (number, default) = fill_value(call, number)?;
    let op = Full {
        size: call.sizes("size")?.unwrap_or_default(),
        number,
        kind: call.kind("dtype")?.unwrap_or(default),
    };
    Ok((op.into(), Vec::new()))
}

/// As `full`, with the data type of another value, which is all that is read of it.
fn new_full(call: &mut Call, number: Option<f64>) -> Result<(Op, Vec<Arg>)> {
    call.tensor("self")?;
    full(call, number)
}

fn like(call: &mut Call, number: Option<f64>) -> Result<(Op, Vec<Arg>)> {
    let (number, _) = fill_value(call, number)?;
    let kind = call.kind("dtype")?;
    Ok((Fill { number, kind }.into(), vec![call.tensor("self")?]))
}

/// The number that fills a value, and its data type if none is given.
fn fill_value(call: &mut Call, number: Option<f64>) -> Result<(f64, Kind)> {
    match number {
        Some(number) => Ok((number, Kind::Float)),
        None => match call.typed_number("fill_value")? {
            Some(Number::Int(value)) => Ok((value as f64, Kind::Int64)),
            Some(Number::Bool(value)) => Ok((f64::from(u8::from(value)), Kind::Bool)),
            Some(Number::Float(value)) => Ok((value, Kind::Float)),
            None => Err(call.wrong("fill_value", "a number")),
        },
    }
}

fn triangle(call: &mut Call, upper: bool) -> Result<(Op, Vec<Arg>)> {
    let diagonal = call.int("diagonal", 0)?;
    Ok((
        Triangle { upper, diagonal }.into(),
        vec![call.tensor("self")?],
    ))
}

impl Operator for Full {
    fn name(&self) -> &'static str {
        "full"
    }

    fn shape(&self, _x: &[&Shape]) -> Result<Shape> {
        if self.size.iter().any(|size| size.value < 0) {
            let message = format!("a value of shape {}", Shape(self.size.clone()));
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(Shape(self.size.clone()))
    }

    fn evaluate(&self, x: &[&Tensor], batch: i64) -> Result<Tensor> {
        let size = Shape(self.size.clone()).at(batch)?;
        // Of a batch: on the device of the network's input, which is then an input of this node.
        let device = x.first().map_or(Device::Cpu, |x| x.device());
        let full = Tensor::f_full(size, self.number, (Kind::Double, device))?;
        Ok(full.f_to_kind(self.kind)?)
    }
}

impl Operator for Fill {
    fn name(&self) -> &'static str {
        "full_like"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let full = x[0].f_full_like(self.number)?;
        Ok(match self.kind {
            Some(kind) => full.f_to_kind(kind)?,
            None => full,
        })
    }
}

impl Arange {
    fn count(&self) -> Option<i64> {
        let count = ((self.end - self.start) / self.step).ceil();
        let is_allowed = count.is_finite() && (0.0..=(1u32 << 28) as f64).contains(&count);
        is_allowed.then_some(count as i64)
    }
}

impl Operator for Arange {
    fn name(&self) -> &'static str {
        "arange"
    }

    fn shape(&self, _x: &[&Shape]) -> Result<Shape> {
        let count = self.count().ok_or_else(|| {
            let message = format!(
                "numbers from {} to {} in steps of {}",
                self.start, self.end, self.step
            );
            Error::new(ErrorKind::Network, message)
        })?;
        Ok(Shape::fixed(&[count]))
    }

    fn evaluate(&self, _x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let options = (Kind::Double, Device::Cpu);
        let range = Tensor::f_arange_start_step(self.start, self.end, self.step, options)?;
        Ok(range.f_to_kind(self.kind)?)
    }
}

impl Operator for Linspace {
    fn name(&self) -> &'static str {
        "linspace"
    }

    fn shape(&self, _x: &[&Shape]) -> Result<Shape> {
        if self.steps < 0 {
            let message = format!("{} evenly spaced numbers", self.steps);
            return Err(Error::new(ErrorKind::Network, message));
        }
        Ok(Shape::fixed(&[self.steps]))
    }

    fn evaluate(&self, _x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let options = (self.kind, Device::Cpu);
        Ok(Tensor::f_linspace(
            self.start, self.end, self.steps, options,
        )?)
    }
}

impl Operator for Triangle {
    fn name(&self) -> &'static str {
        if self.upper { "triu" } else { "tril" }
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        Ok(x[0].clone())
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(if self.upper {
            x[0].f_triu(self.diagonal)?
        } else {
            x[0].f_tril(self.diagonal)?
        })
    }
}

impl Operator for Meshgrid {
    fn name(&self) -> &'static str {
        "meshgrid"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let side = |shape: &&Shape| shape.0.first().copied().unwrap_or(Size::fixed(1));
        let mut sides: Vec<Size> = x.iter().map(side).collect();
        if self.exchange && sides.len() > 1 {
            sides.swap(0, 1);
        }
        Ok(Shape(sides))
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        let indexing = if self.exchange { "xy" } else { "ij" };
        let grids = Tensor::f_meshgrid_indexing(x, indexing)?;
        let grid = grids.into_iter().nth(self.index as usize);
        grid.ok_or_else(|| Error::new(ErrorKind::Network, "a grid has fewer axes"))
    }
}

impl Operator for OneHot {
    fn name(&self) -> &'static str {
        "one_hot"
    }

    fn shape(&self, x: &[&Shape]) -> Result<Shape> {
        let mut value = x[0].clone();
        value.0.push(Size::fixed(self.classes));
        Ok(value)
    }

    fn evaluate(&self, x: &[&Tensor], _batch: i64) -> Result<Tensor> {
        Ok(x[0].f_one_hot(self.classes)?)
    }
}
