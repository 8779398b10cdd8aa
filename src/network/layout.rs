//! Where the channels and the spatial positions of a value are among its axes: a map `[N, C, H, W]`, a map with channels last,
//! tokens in a grid with others before or after them, or windows of a map in the batch axis. [`Layout::to_map`] gives the map
//! `[N, C, H, W]` of each.
//!
//! An axis is a row of factors: the rows and columns of the input's maps, the batch, and everything else, which counts as
//! channels. Operators that only move values split, join and move factors; so a window partition and its reverse need no rule
//! of their own.

use tch::Tensor;

use super::op::shape::Shape;
use super::op::{Op, Permute, Slice};
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

    fn is_spatial(&self) -> bool {
        let spatial = |factor: &Factor| matches!(factor.kind, Kind::Row(_) | Kind::Column(_));
        self.factors.iter().any(spatial)
    }
}

impl Layout {
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

/// The layout of the value of `op`, whose shape is `shape`, from the layouts and shapes of its inputs (`None` for a
/// parameter or an unknown layout). `None` if it is not known where the spatial positions are.
pub(super) fn layout(
    op: &Op,
    inputs: &[(Option<&Layout>, &Shape)],
    shape: &Shape,
) -> Option<Layout> {
    let is_whole = |layout: &Layout| layout.axes.len() == shape.rank();
    propagated(op, inputs, shape)
        .filter(is_whole)
        .map(Layout::without_gaps)
}

fn propagated(op: &Op, inputs: &[(Option<&Layout>, &Shape)], shape: &Shape) -> Option<Layout> {
    let first = || inputs.first().and_then(|(layout, _)| *layout).cloned();
    match op {
        Op::Input(_) => Layout::of_map(shape),
        Op::Conv2d(_)
        | Op::MaxPool2d(_)
        | Op::AvgPool2d(_)
        | Op::Upsample(_)
        | Op::PixelShuffle(_) => {
            let before = first()?;
            let [batch, _, rows, columns] = &before.axes[..] else {
                return None;
            };
            let is_map = rows.is_all(true) && columns.is_all(false) && batch.factors.len() == 1;
            let mut map = Layout::of_map(shape)?;
            map.roll = before.roll;
            (is_map && before.roll == [0, 0]).then_some(map)
        }
        Op::Relu(_)
        | Op::Clamp(_)
        | Op::Unary(_)
        | Op::Scalar(_)
        | Op::Identity(_)
        | Op::Softmax(_)
        | Op::BatchNorm(_)
        | Op::LayerNorm(_)
        | Op::GroupNorm(_) => first(),
        Op::Add(_) | Op::Mul(_) | Op::Binary(_) => {
            let same = |(_, own): &&(Option<&Layout>, &Shape)| *own == shape;
            let known = inputs.iter().filter(same).filter_map(|(layout, _)| *layout);
            let spatial = known.clone().find(|layout| layout.grid().is_some());
            spatial
                .or_else(|| inputs.iter().filter(same).find_map(|(layout, _)| *layout))
                .cloned()
        }
        Op::Linear(_) => {
            let mut value = first()?;
            *value.axes.last_mut()? = Axis::one(Kind::Channel, shape.0.last()?.value);
            Some(value)
        }
        Op::Matmul(_) => {
            let mut value = first()?;
            let right = inputs.get(1)?.0;
            let last = right.and_then(|right| right.axes.last().cloned());
            let last = last.filter(|axis| !axis.is_spatial());
            let channels = Axis::one(Kind::Channel, shape.0.last()?.value);
            (value.axes.len() == shape.rank()).then_some(())?;
            *value.axes.last_mut()? = last.unwrap_or(channels);
            Some(value)
        }
        Op::ScaledDotProductAttention(_) => {
            let mut value = first()?;
            let wide = inputs.get(2)?.0?.axes.last()?.clone();
            *value.axes.last_mut()? = wide;
            Some(value)
        }
        _ => moved(op, inputs, shape),
    }
}

/// The layout of the value of an operator that moves, selects or joins values.
fn moved(op: &Op, inputs: &[(Option<&Layout>, &Shape)], shape: &Shape) -> Option<Layout> {
    let first = || inputs.first().and_then(|(layout, _)| *layout).cloned();
    match op {
        Op::Permute(permute) => permuted(first()?, permute),
        Op::Reshape(_) | Op::Flatten(_) | Op::Unsqueeze(_) | Op::Squeeze(_) => {
            reshaped(&first()?, shape)
        }
        Op::Expand(_) => expanded(&first()?, inputs[0].1, shape),
        Op::Cat(cat) => joined(inputs, shape.axis(cat.dim).ok()?, shape),
        Op::Slice(slice) => sliced(first()?, slice, inputs[0].1, shape),
        Op::Select(select) => {
            let mut value = first()?;
            value.axes.remove(inputs[0].1.axis(select.dim).ok()?);
            Some(value)
        }
        Op::Reduce(reduce) => {
            let mut value = first()?;
            let shape = inputs[0].1;
            let mut axes: Vec<usize> = reduce
                .dim
                .iter()
                .map(|&dim| shape.axis(dim).ok())
                .collect::<Option<_>>()?;
            axes.sort_unstable();
            axes.dedup();
            for axis in axes.into_iter().rev() {
                if reduce.keepdim {
                    value.axes[axis] = Axis::default();
                } else {
                    value.axes.remove(axis);
                }
            }
            Some(value)
        }
        Op::Roll(roll) => {
            let mut value = first()?;
            for (&shift, &dim) in roll.shifts.iter().zip(&roll.dims) {
                let axis = &value.axes[inputs[0].1.axis(dim).ok()?];
                let side = [true, false].into_iter().position(|row| axis.is_all(row))?;
                value.roll[side] += shift;
            }
            Some(value)
        }
        Op::Pad(pad) => pad.pad.iter().all(|&more| more == 0).then(first)?,
        Op::Stack(stack) => {
            let mut value = first()?;
            let axis = shape.axis(stack.dim).ok()?;
            value
                .axes
                .insert(axis, Axis::one(Kind::Channel, shape.0[axis].value));
            Some(value)
        }
        _ => None,
    }
}

fn permuted(value: Layout, permute: &Permute) -> Option<Layout> {
    let order = permute.order(value.axes.len()).ok()?;
    Some(Layout {
        axes: order
            .into_iter()
            .map(|axis| value.axes[axis].clone())
            .collect(),
        roll: value.roll,
    })
}

/// The factors of `value` distributed over the axes of `shape`, split where an axis ends inside one.
fn reshaped(value: &Layout, shape: &Shape) -> Option<Layout> {
    // Axes with other positions before or after the map's stay whole.
    let mut rest: std::collections::VecDeque<Axis> = value
        .axes
        .iter()
        .flat_map(|axis| {
            if axis.is_whole() {
                let single = |factor: &Factor| Axis {
                    factors: vec![*factor],
                    ..Axis::default()
                };
                let kept = axis
                    .factors
                    .iter()
                    .filter(|factor| factor.size > 1 || factor.kind == Kind::Batch);
                kept.map(single).collect()
            } else {
                vec![axis.clone()]
            }
        })
        .collect();
    let length = |axis: &Axis| {
        axis.before
            + axis.after
            + axis
                .factors
                .iter()
                .map(|factor| factor.size)
                .product::<i64>()
    };
    let mut axes = Vec::with_capacity(shape.rank());
    for size in &shape.0 {
        let mut axis = Axis::default();
        let mut missing = size.value;
        let mut needs_batch = size.batched;
        while missing > 1 || needs_batch {
            let next = rest.pop_front()?;
            let is_batch = next
                .factors
                .first()
                .is_some_and(|factor| factor.kind == Kind::Batch);
            if !next.is_whole() {
                if missing != length(&next) || !axis.factors.is_empty() {
                    return None;
                }
                axis = next;
                missing = 1;
                continue;
            }
            let factor = *next.factors.first()?;
            if is_batch {
                if !needs_batch {
                    return None;
                }
                needs_batch = false;
                axis.factors.push(factor);
            } else if missing % factor.size == 0 {
                missing /= factor.size;
                axis.factors.push(factor);
            } else if factor.size % missing == 0 {
                let inner = factor.size / missing;
                let (outer, rest_of) = split(factor, missing, inner);
                axis.factors.push(outer);
                rest.push_front(Axis {
                    factors: vec![rest_of],
                    ..Axis::default()
                });
                missing = 1;
            } else {
                return None;
            }
        }
        axis.factors = merged(axis.factors);
        axes.push(axis);
    }
    rest.is_empty().then_some(Layout {
        axes,
        roll: value.roll,
    })
}

/// A factor as an outer one of size `outer` and an inner one of size `inner`.
fn split(factor: Factor, outer: i64, inner: i64) -> (Factor, Factor) {
    let coarse = match factor.kind {
        Kind::Row(step) => Kind::Row(step * inner),
        Kind::Column(step) => Kind::Column(step * inner),
        kind => kind,
    };
    let outer = Factor {
        kind: coarse,
        size: outer,
    };
    let inner = Factor {
        kind: factor.kind,
        size: inner,
    };
    (outer, inner)
}

/// Neighbouring factors joined where the second one continues the first.
fn merged(factors: Vec<Factor>) -> Vec<Factor> {
    let mut all: Vec<Factor> = Vec::with_capacity(factors.len());
    for factor in factors {
        if let Some(last) = all.last_mut() {
            let continues = match (last.kind, factor.kind) {
                (Kind::Channel, Kind::Channel) => true,
                (Kind::Row(coarse), Kind::Row(fine))
                | (Kind::Column(coarse), Kind::Column(fine)) => coarse == fine * factor.size,
                _ => false,
            };
            if continues {
                last.kind = factor.kind;
                last.size *= factor.size;
                continue;
            }
        }
        all.push(factor);
    }
    all
}

fn expanded(value: &Layout, from: &Shape, to: &Shape) -> Option<Layout> {
    let mut axes = Vec::with_capacity(to.rank());
    let missing = to.rank().checked_sub(from.rank())?;
    for (axis, size) in to.0.iter().enumerate() {
        let own = axis.checked_sub(missing);
        axes.push(match own {
            Some(own) if from.0[own] == *size => value.axes[own].clone(),
            _ if size.batched => Axis::one(Kind::Batch, 1),
            _ => Axis::one(Kind::Channel, size.value),
        });
    }
    Some(Layout {
        axes,
        roll: value.roll,
    })
}

/// Values joined along `axis`: channels, or other positions before and after those of the map.
fn joined(inputs: &[(Option<&Layout>, &Shape)], axis: usize, shape: &Shape) -> Option<Layout> {
    let spatial = inputs
        .iter()
        .position(|(layout, _)| layout.is_some_and(|layout| layout.grid().is_some()))?;
    let mut value = inputs[spatial].0?.clone();
    if !value.axes.get(axis)?.is_spatial() {
        value.axes[axis] = Axis::one(Kind::Channel, shape.0[axis].value);
        return Some(value);
    }
    let others = inputs.iter().enumerate().filter(|(at, _)| *at != spatial);
    for (at, (layout, other)) in others {
        // Two maps after each other have no grid.
        if layout.is_some_and(|layout| layout.axes.get(axis).is_some_and(Axis::is_spatial)) {
            return None;
        }
        let more = other.0[axis].value;
        if at < spatial {
            value.axes[axis].before += more;
        } else {
            value.axes[axis].after += more;
        }
    }
    Some(value)
}

fn sliced(mut value: Layout, slice: &Slice, from: &Shape, to: &Shape) -> Option<Layout> {
    let at = from.axis(slice.dim).ok()?;
    let (before, after) = (from.0[at], to.0[at]);
    if before == after {
        return Some(value);
    }
    let axis = value.axes.get_mut(at)?;
    if !axis.is_spatial() {
        *axis = Axis::one(Kind::Channel, after.value);
        return Some(value);
    }
    let wrap = |position: i64| {
        if position < 0 {
            position + before.value
        } else {
            position
        }
    };
    let (start, end) = (wrap(slice.start), wrap(slice.end).min(before.value));
    if slice.step == 1 && !axis.is_whole() {
        // The map's positions, without others before or after them.
        let last = before.value - axis.after;
        if start == axis.before && end == last {
            (axis.before, axis.after) = (0, 0);
            return Some(value);
        }
        if start <= axis.before && end >= last {
            axis.before -= start;
            axis.after -= before.value - end;
            return Some(value);
        }
        // The other positions alone.
        *axis = Axis::one(Kind::Channel, after.value);
        return Some(value);
    }
    // Every n-th row or column is a coarser map.
    let row = [true, false].into_iter().find(|&row| axis.is_all(row))?;
    let is_coarser =
        slice.step > 1 && start < slice.step && after.value * slice.step >= before.value;
    let kind = if row { Kind::Row(1) } else { Kind::Column(1) };
    *axis = Axis::one(kind, after.value);
    (is_coarser && value.roll == [0, 0]).then_some(value)
}

/// The error about a node without a map.
pub fn no_map(name: &str, operator: &str) -> Error {
    let message =
        format!("`{name}` ({operator}) has no spatial positions that can be shown as a map");
    Error::new(ErrorKind::Network, message)
}
