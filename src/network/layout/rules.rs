//! The layout of a node's value, from those of its inputs.

use std::collections::VecDeque;

use super::{Axis, Factor, Kind, Layout};
use crate::network::op::shape::Shape;
use crate::network::op::{Einsum, Op, Pad, Permute, Slice};

/// The layout of the value of `op`, whose shape is `shape`, from the layouts and shapes of its inputs (`None` for a
/// parameter or an unknown layout). `None` if it is not known where the spatial positions are.
pub(in crate::network) fn layout(
    op: &Op,
    inputs: &[(Option<&Layout>, &Shape)],
    shape: &Shape,
) -> Option<Layout> {
    // A vector of all channels at all positions has no map: it is what a classifier reads.
    let is_vector = |layout: &Layout| shape.rank() == 2 && layout.axes[1].is_spatial();
    let is_whole = |layout: &Layout| layout.axes.len() == shape.rank() && !is_vector(layout);
    let mut found = propagated(op, inputs, shape)
        .filter(is_whole)
        .map(Layout::without_gaps)?;
    found.one_by_one = shape.batch_axis().is_none();
    Some(found)
}

fn propagated(op: &Op, inputs: &[(Option<&Layout>, &Shape)], shape: &Shape) -> Option<Layout> {
    let first = || inputs.first().and_then(|(layout, _)| *layout).cloned();
    match op {
        Op::Input(_) => Layout::of_map(shape),
        Op::Conv2d(_)
        | Op::MaxPool2d(_)
        | Op::AvgPool2d(_)
        | Op::ConvTranspose2d(_)
        | Op::Upsample(_)
        | Op::PixelShuffle(_)
        | Op::PixelUnshuffle(_) => first()?.is_plain_map().then_some(Layout::of_map(shape)?),
        Op::Relu(_)
        | Op::Clamp(_)
        | Op::Unary(_)
        | Op::Scalar(_)
        | Op::Identity(_)
        | Op::Softmax(_)
        | Op::BatchNorm(_)
        | Op::LayerNorm(_)
        | Op::GroupNorm(_)
        | Op::RmsNorm(_)
        | Op::InstanceNorm(_)
        | Op::Prelu(_)
        | Op::Cast(_)
        | Op::Fill(_)
        | Op::Cumsum(_)
        | Op::Scatter(_)
        | Op::MaskedFill(_) => first(),
        Op::Add(_)
        | Op::Mul(_)
        | Op::Binary(_)
        | Op::Compare(_)
        | Op::Where(_)
        | Op::Addc(_)
        | Op::ClampTensor(_) => {
            let same = |(_, own): &&(Option<&Layout>, &Shape)| *own == shape;
            let known = inputs.iter().filter(same).filter_map(|(layout, _)| *layout);
            let spatial = known.clone().find(|layout| layout.grid().is_some());
            spatial
                .or_else(|| inputs.iter().filter(same).find_map(|(layout, _)| *layout))
                .cloned()
        }
        _ => mixed(op, inputs, shape).or_else(|| moved(op, inputs, shape)),
    }
}

/// The layout of the value of an operator that computes new channels from those of a position, or new positions from all.
fn mixed(op: &Op, inputs: &[(Option<&Layout>, &Shape)], shape: &Shape) -> Option<Layout> {
    let first = || inputs.first().and_then(|(layout, _)| *layout).cloned();
    match op {
        Op::Einsum(einsum) => summed(einsum, inputs, shape),
        Op::Glu(_) => {
            let mut value = first()?;
            let halved = value.axes.iter_mut().zip(&shape.0).zip(&inputs[0].1.0);
            for ((axis, after), before) in halved {
                if after != before {
                    *axis = (!axis.is_spatial()).then(|| Axis::one(Kind::Channel, after.value))?;
                }
            }
            Some(value)
        }
        Op::Linear(_) | Op::Lstm(_) => {
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
        _ => None,
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
        Op::Pad(pad) => padded(first()?, pad, shape),
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

/// A padding of channels: further ones. A padding of a map with all its positions, as before a convolution without one of its
/// own, is a larger map, of which the convolution's is one again; other positions around a map would be none of its own.
fn padded(mut value: Layout, pad: &Pad, shape: &Shape) -> Option<Layout> {
    if pad.is_spatial() && value.is_plain_map() {
        return Layout::of_map(shape);
    }
    for (from_back, sides) in pad.pad.chunks(2).enumerate() {
        if sides.iter().all(|&more| more == 0) {
            continue;
        }
        let at = shape.axis(-1 - i64::try_from(from_back).ok()?).ok()?;
        let axis = value.axes.get_mut(at)?;
        let is_channels = |factor: &Factor| factor.kind == Kind::Channel;
        if !axis.is_whole() || !axis.factors.iter().all(is_channels) {
            return None;
        }
        *axis = Axis::one(Kind::Channel, shape.0.get(at)?.value);
    }
    Some(value)
}

fn permuted(value: Layout, permute: &Permute) -> Option<Layout> {
    let order = permute.order(value.axes.len()).ok()?;
    let axes = order.into_iter().map(|axis| value.axes[axis].clone());
    Some(Layout {
        axes: axes.collect(),
        ..value
    })
}

/// The factors of `value` distributed over the axes of `shape`, split where an axis ends inside one.
fn reshaped(value: &Layout, shape: &Shape) -> Option<Layout> {
    // Axes with other positions before or after the map's stay whole.
    let mut rest: VecDeque<Axis> = value
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
        // Of one image, no axis is the batch's: then its factor goes where it stands.
        let is_next = rest.front().is_some_and(Axis::is_batch) && shape.batch_axis().is_none();
        let mut needs_batch = size.batched || is_next;
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
            } else if missing == 1 && factor.size > 1 {
                // Other positions are where the batch should be.
                return None;
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
    rest.is_empty().then_some(Layout { axes, ..*value })
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
    Some(Layout { axes, ..*value })
}

/// The layout of a sum of products: each letter has the axis of the first input that has it, spatial ones before others.
fn summed(einsum: &Einsum, inputs: &[(Option<&Layout>, &Shape)], shape: &Shape) -> Option<Layout> {
    let (terms, letters) = einsum.letters(inputs.len())?;
    let axis_of = |letter: &char, input: usize| {
        let at = terms[input].iter().position(|own| own == letter)?;
        inputs[input].0?.axes.get(at).cloned()
    };
    let known = inputs
        .iter()
        .position(|(layout, _)| layout.is_some_and(|layout| layout.grid().is_some()))?;
    let order = [known]
        .into_iter()
        .chain((0..inputs.len()).filter(|&input| input != known));
    let order: Vec<usize> = order.collect();
    let axes = letters.iter().zip(&shape.0).map(|(letter, size)| {
        let found = order.iter().find_map(|&input| axis_of(letter, input));
        found.unwrap_or_else(|| Axis::one(Kind::Channel, size.value))
    });
    Some(Layout {
        axes: axes.collect(),
        ..inputs[known].0?.clone()
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
