//! Where a batch of images goes in a program that was exported for one image: its views, reshapes and expansions have sizes
//! that hold for one image alone. The batch axis is followed through them. Values that do not depend on the image are
//! repeated where they meet ones that do.

use crate::network::op::shape::{Shape, Size};
use crate::network::op::{Expand, Op, Repeat, Reshape};

/// The axis of a value that grows with the batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct BatchAxis {
    /// Its index.
    pub(super) axis: usize,
    /// How many positions of the axis come before the batch: 1 if the images follow each other as a whole.
    pub(super) slow: i64,
}

impl BatchAxis {
    /// How many positions of the value come before the batch, in the order of its values.
    fn position(self, shape: &Shape) -> i64 {
        product(&shape.0[..self.axis]).saturating_mul(self.slow)
    }
}

fn product(sides: &[Size]) -> i64 {
    let values = sides.iter().map(|size| size.value.max(1));
    values.fold(1, i64::saturating_mul)
}

/// The batch axis of the value of `op`, whose shape is `shape`, from its inputs' shapes and batch axes.
pub(super) fn batch_axis(
    op: &Op,
    inputs: &[(&Shape, Option<BatchAxis>)],
    shape: &Shape,
) -> Option<BatchAxis> {
    let axis = shape.batch_axis()?;
    let before = inputs
        .iter()
        .find_map(|(shape, axis)| axis.map(|axis| (*shape, axis)));
    let slow = match (op, before) {
        (Op::Reshape(_) | Op::Flatten(_), Some((from, own))) => {
            let (position, outside) = (own.position(from), product(&shape.0[..axis]));
            let slow = position / outside;
            // Otherwise images are mixed, which a comparison with single images finds if they should follow each other.
            if position % outside == 0 && slow > 0 && shape.0[axis].value % slow == 0 {
                slow
            } else {
                1
            }
        }
        (_, Some((_, own))) => own.slow,
        (_, None) => 1,
    };
    Some(BatchAxis { axis, slow })
}

/// `op` with sizes that grow with the batch, where it has those of one image.
pub(super) fn followed(op: Op, inputs: &[(&Shape, Option<BatchAxis>)]) -> Op {
    let Some(&(from, Some(own))) = inputs.first() else {
        return op;
    };
    match op {
        Op::Reshape(reshape) if !reshape.shape.iter().any(|size| size.batched) => {
            let shape = reshaped(&reshape.shape, from, own).unwrap_or(reshape.shape);
            Reshape { shape }.into()
        }
        Op::Expand(expand) => {
            let missing = expand.size.len().saturating_sub(from.rank());
            let mut size = expand.size;
            if let Some(at) = size.get_mut(own.axis + missing)
                && at.value == from.0[own.axis].value
            {
                *at = from.0[own.axis];
            }
            Expand { size }.into()
        }
        other => other,
    }
}

/// The sides of a reshape for one image with the batch in one of them: the side that begins where the batch was grows. `None`
/// if no side does.
fn reshaped(sides: &[Size], from: &Shape, own: BatchAxis) -> Option<Vec<Size>> {
    let known = sides.iter().filter(|size| size.value != -1);
    let known = known.fold(1i64, |all, size| all.saturating_mul(size.value));
    let all = product(&from.0);
    let value = |size: &Size| match size.value {
        -1 if known > 0 => all / known,
        value => value,
    };
    let values: Vec<i64> = sides.iter().map(value).collect();
    let position = own.position(from);
    let outside = |side: usize| {
        values[..side]
            .iter()
            .fold(1i64, |all, side| all.saturating_mul(*side))
    };
    let begins_here = |side: &usize| outside(*side) == position;
    let last = values.len().saturating_sub(1);
    let is_inside = |side: &usize| {
        let (outside, length) = (outside(*side), values[*side]);
        let is_within = outside < position && outside.saturating_mul(length) >= position;
        is_within && position % outside.max(1) == 0
    };
    let sides_of = || 0..values.len();
    // An axis of length 1 was the batch's alone.
    let found = sides_of()
        .filter(begins_here)
        .find(|&side| values[side] == 1)
        // The last axis has the channels: the batch then ends the axis before it.
        .or_else(|| sides_of().find(|side| begins_here(side) && (*side < last || *side == 0)))
        .or_else(|| sides_of().rfind(is_inside))
        .or_else(|| sides_of().find(begins_here))?;
    let sides = values.into_iter().enumerate();
    Some(
        sides
            .map(|(side, value)| Size {
                value,
                batched: side == found,
            })
            .collect(),
    )
}

/// Which inputs of `op` have to be repeated for each image, and how: they do not depend on the image, and meet others that do.
pub(super) fn repetitions(op: &Op, inputs: &[(&Shape, Option<BatchAxis>)]) -> Vec<(usize, Op)> {
    let Some((batched, own)) = inputs
        .iter()
        .find_map(|(shape, axis)| axis.map(|axis| (*shape, axis)))
    else {
        return Vec::new();
    };
    let length = batched.0[own.axis].value;
    let mut found = Vec::new();
    for (index, (shape, axis)) in inputs.iter().enumerate() {
        if axis.is_some() || own.slow != 1 {
            continue;
        }
        let from_back = batched.rank() - own.axis;
        let aligned = shape.rank().checked_sub(from_back);
        let at = match op {
            // Of the same shape but for the axis along which they are joined.
            Op::Cat(_) | Op::Stack(_) | Op::Scatter(_) | Op::TakeAlong(_)
                if shape.rank() == batched.rank() =>
            {
                Some(own.axis)
            }
            Op::ScaledDotProductAttention(_) if index < 3 => aligned,
            // Broadcast, which repeats axes with one position by itself.
            Op::Add(_)
            | Op::Mul(_)
            | Op::Binary(_)
            | Op::Compare(_)
            | Op::Where(_)
            | Op::Addc(_)
            | Op::ClampTensor(_)
            | Op::Matmul(_)
            | Op::ScaledDotProductAttention(_)
                if length > 1 =>
            {
                aligned
            }
            Op::Lstm(_) if index == 1 || index == 2 => Some(1),
            _ => None,
        };
        let Some(at) = at.filter(|&at| shape.0.get(at) == Some(&Size::fixed(length))) else {
            continue;
        };
        let side = |size: &Size| if length == 1 { *size } else { Size::fixed(1) };
        let mut sides: Vec<Size> = shape.0.iter().map(side).collect();
        sides[at] = Size::batched(1);
        let op = if length == 1 {
            Expand { size: sides }.into()
        } else {
            Repeat { repeats: sides }.into()
        };
        found.push((index, op));
    }
    found
}
