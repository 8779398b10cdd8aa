//! Where the channels and the spatial positions of a value are among its axes: a map `[N, C, H, W]`, a map with channels last,
//! tokens in a grid with others before or after them, or windows of a map in the batch axis. [`Layout::to_map`] gives the map
//! `[N, C, H, W]` of each.
//!
//! An axis is a row of factors: the rows and columns of the input's maps, the batch, and everything else, which counts as
//! channels. Operators that only move values split, join and move factors; so a window partition and its reverse need no rule
//! of their own.

mod rules;

use tch::Tensor;

pub(in crate::network) use rules::layout;

use super::op::shape::Shape;
use crate::error::{Error, ErrorKind, Result};

/// What a factor of an axis counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Batch,
    Channel,
    /// Rows of the map; neighbours are this many rows apart.
    Row(i64),
    /// Columns of the map; neighbours are this many columns apart.
    Column(i64),
}

/// A factor of an axis. That of the batch has size 1 for one image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Factor {
    kind: Kind,
    size: i64,
}

/// An axis: the factors of its length, the slowest first, between positions that are none of the map's (a class token).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Axis {
    before: i64,
    factors: Vec<Factor>,
    after: i64,
}

/// The axes of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    axes: Vec<Axis>,
    /// By how many rows and columns the map is rolled.
    roll: [i64; 2],
    /// Whether the values of several images follow each other in the first axis, whatever it is: then no axis has a batch.
    one_by_one: bool,
}

impl Axis {
    fn one(kind: Kind, size: i64) -> Axis {
        Axis {
            factors: if size == 1 && kind == Kind::Channel {
                Vec::new()
            } else {
                vec![Factor { kind, size }]
            },
            ..Axis::default()
        }
    }

    fn is_whole(&self) -> bool {
        self.before == 0 && self.after == 0
    }

    /// Whether all its positions are of this kind, in order.
    fn is_all(&self, row: bool) -> bool {
        let fits = |factor: &Factor| match factor.kind {
            Kind::Row(step) => row && step == 1,
            Kind::Column(step) => !row && step == 1,
            _ => false,
        };
        self.is_whole() && self.factors.len() == 1 && self.factors.iter().all(fits)
    }

    fn is_batch(&self) -> bool {
        self.factors
            .first()
            .is_some_and(|factor| factor.kind == Kind::Batch)
    }

    fn is_spatial(&self) -> bool {
        let spatial = |factor: &Factor| matches!(factor.kind, Kind::Row(_) | Kind::Column(_));
        self.factors.iter().any(spatial)
    }
}

impl Layout {
    /// Whether it is that of a map `[N, C, H, W]` with all positions in their order.
    pub(super) fn is_plain_map(&self) -> bool {
        let [batch, _, rows, columns] = &self.axes[..] else {
            return false;
        };
        let is_map = rows.is_all(true) && columns.is_all(false) && batch.factors.len() == 1;
        is_map && self.roll == [0, 0]
    }

    /// The layout `[N, C, height, width]`.
    pub fn of_map(shape: &Shape) -> Option<Layout> {
        let [_, channels, height, width] = shape.0[..] else {
            return None;
        };
        Some(Layout {
            axes: vec![
                Axis::one(Kind::Batch, 1),
                Axis::one(Kind::Channel, channels.value),
                Axis::one(Kind::Row(1), height.value),
                Axis::one(Kind::Column(1), width.value),
            ],
            roll: [0, 0],
            one_by_one: false,
        })
    }

    /// The layout of a coarser map, where the finer rows and columns became channels or are gone, as after merging patches.
    fn without_gaps(mut self) -> Layout {
        for row in [true, false] {
            let finest = self
                .spatial(row)
                .iter()
                .map(|(step, _)| *step)
                .min()
                .unwrap_or(1);
            let factors = self.axes.iter_mut().flat_map(|axis| &mut axis.factors);
            for factor in factors {
                match &mut factor.kind {
                    Kind::Row(step) if row => *step /= finest,
                    Kind::Column(step) if !row => *step /= finest,
                    _ => {}
                }
            }
        }
        self
    }

    /// Height and width of the map; `None` if the value is no map.
    pub fn grid(&self) -> Option<[i64; 2]> {
        let mut sides = [1, 1];
        for row in [true, false] {
            let mut factors = self.spatial(row);
            if factors.is_empty() {
                return None;
            }
            factors.sort_by_key(|(step, _)| *step);
            for (step, size) in factors {
                let side = &mut sides[usize::from(!row)];
                // Each factor has to continue where the finer ones end.
                if step != *side {
                    return None;
                }
                *side *= size;
            }
        }
        Some(sides)
    }

    fn spatial(&self, row: bool) -> Vec<(i64, i64)> {
        let factors = self.axes.iter().flat_map(|axis| &axis.factors);
        let steps = factors.filter_map(|factor| match factor.kind {
            Kind::Row(step) if row => Some((step, factor.size)),
            Kind::Column(step) if !row => Some((step, factor.size)),
            _ => None,
        });
        steps.collect()
    }

    /// How many channels the map has.
    pub fn channels(&self) -> i64 {
        let factors = self.axes.iter().flat_map(|axis| &axis.factors);
        let channels = factors.filter(|factor| factor.kind == Kind::Channel);
        channels.map(|factor| factor.size).product()
    }

    /// Whether it is the plain layout of a map, which needs no conversion.
    fn is_plain(&self) -> bool {
        let [batch, channels, rows, columns] = &self.axes[..] else {
            return false;
        };
        let is_one = |axis: &Axis, kind: Kind| {
            axis.is_whole() && axis.factors.iter().all(|factor| factor.kind == kind)
        };
        is_one(batch, Kind::Batch)
            && is_one(channels, Kind::Channel)
            && is_one(rows, Kind::Row(1))
            && is_one(columns, Kind::Column(1))
            && self.roll == [0, 0]
    }

    /// The order of the factors in a map: batch, channels, rows and columns from coarse to fine; and the shape of the map of
    /// `batch` images.
    fn map_order(&self, batch: i64) -> (Vec<i64>, Vec<i64>) {
        let factors: Vec<Factor> = self
            .axes
            .iter()
            .flat_map(|axis| axis.factors.clone())
            .collect();
        let mut order: Vec<usize> = (0..factors.len()).collect();
        order.sort_by_key(|&at| match factors[at].kind {
            Kind::Batch => (0, 0, at),
            Kind::Channel => (1, 0, at),
            Kind::Row(step) => (2, -step, at),
            Kind::Column(step) => (3, -step, at),
        });
        let [height, width] = self.grid().unwrap_or([1, 1]);
        let shape = vec![batch, self.channels(), height, width];
        (order.into_iter().map(|at| at as i64).collect(), shape)
    }

    /// The sizes of all factors, for a batch of `batch` images.
    fn factor_sizes(&self, batch: i64) -> Vec<i64> {
        let factors = self.axes.iter().flat_map(|axis| &axis.factors);
        let size = |factor: &Factor| match factor.kind {
            Kind::Batch => batch,
            _ => factor.size,
        };
        factors.map(size).collect()
    }

    /// The map `[N, C, H, W]` of a value for a batch of `batch` images.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn to_map(&self, value: &Tensor, batch: i64) -> Result<Tensor> {
        if self.is_plain() {
            return Ok(value.shallow_clone());
        }
        if self.one_by_one && batch > 1 {
            let parts = value.f_chunk(batch, 0)?;
            let maps: Result<Vec<Tensor>> = parts.iter().map(|part| self.to_map(part, 1)).collect();
            return Ok(Tensor::f_cat(&maps?, 0)?);
        }
        let mut inner = value.shallow_clone();
        for (at, axis) in self.axes.iter().enumerate() {
            if !axis.is_whole() {
                let length = inner.size()[at] - axis.before - axis.after;
                inner = inner.f_narrow(at as i64, axis.before, length)?;
            }
        }
        let (order, shape) = self.map_order(batch);
        let map = inner
            .f_reshape(self.factor_sizes(batch))?
            .f_permute(order)?
            .f_reshape(shape)?;
        let [down, across] = self.roll;
        if self.roll == [0, 0] {
            return Ok(map);
        }
        Ok(map.f_roll([-down, -across], [2i64, 3])?)
    }

    /// A value in this layout whose map is `map`; positions that are none of the map's are those of `value`, which may be of
    /// one image.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn from_map(&self, map: &Tensor, value: &Tensor) -> Result<Tensor> {
        if self.is_plain() {
            return Ok(map.shallow_clone());
        }
        let batch = map.size()[0];
        if self.one_by_one && batch > 1 {
            let parts = map.f_chunk(batch, 0)?;
            let values: Result<Vec<Tensor>> = parts
                .iter()
                .map(|part| self.from_map(part, value))
                .collect();
            return Ok(Tensor::f_cat(&values?, 0)?);
        }
        let rolled = match self.roll {
            [0, 0] => map.shallow_clone(),
            [down, across] => map.f_roll([down, across], [2i64, 3])?,
        };
        let (order, _) = self.map_order(batch);
        let sizes = self.factor_sizes(batch);
        let ordered: Vec<i64> = order.iter().map(|&at| sizes[at as usize]).collect();
        let mut back = vec![0i64; order.len()];
        for (to, &from) in order.iter().enumerate() {
            back[from as usize] = to as i64;
        }
        let mut shape = Vec::with_capacity(self.axes.len());
        for axis in &self.axes {
            let size = |factor: &Factor| {
                if factor.kind == Kind::Batch {
                    batch
                } else {
                    factor.size
                }
            };
            shape.push(axis.factors.iter().map(size).product::<i64>());
        }
        let mut result = rolled
            .f_reshape(ordered)?
            .f_permute(back)?
            .f_reshape(shape)?;
        for (at, axis) in self
            .axes
            .iter()
            .enumerate()
            .filter(|(_, axis)| !axis.is_whole())
        {
            let dim = at as i64;
            let length = value.size()[at];
            let mut wide = result.size();
            let mut part = |start: i64, count: i64| -> Result<Tensor> {
                wide[at] = count;
                Ok(value.f_narrow(dim, start, count)?.f_expand(&wide, false)?)
            };
            let (before, after) = (
                part(0, axis.before)?,
                part(length - axis.after, axis.after)?,
            );
            result = Tensor::f_cat(&[&before, &result, &after], dim)?;
        }
        Ok(result)
    }
}

/// The error about a node without a map.
pub fn no_map(name: &str, operator: &str) -> Error {
    let message =
        format!("`{name}` ({operator}) has no spatial positions that can be shown as a map");
    Error::new(ErrorKind::Network, message)
}
