//! Whether an operator's value shares memory with its input, where that depends on how the input is stored: a write to one is
//! then a write to both. `reshape` and `contiguous` copy what they can't view.

use super::schema::{TensorMeta, size};
use crate::network::op::shape::Size;

/// The number of images for which storage is compared: a prime that is no side of a usual value.
const IMAGES: i64 = 10_007;

/// Whether the value of the operator `name`, stored as `output`, shares memory with its first input, stored as `input`.
pub(super) fn shares_memory(
    name: &str,
    input: Option<&TensorMeta>,
    output: Option<&TensorMeta>,
) -> bool {
    let (Some(input), Some(output)) = (input, output) else {
        return true;
    };
    match name {
        "to" | "type_as" => input.dtype == output.dtype,
        "contiguous" => sides(input) == sides(output),
        "reshape" | "reshape_as" | "flatten" => match (sides(input), sides(output)) {
            (Some(input), Some(output)) => is_view(&input, &output),
            _ => true,
        },
        _ => true,
    }
}

/// The sides with their strides, without sides of 1.
fn sides(meta: &TensorMeta) -> Option<Vec<(i64, i64)>> {
    let at = |size: Size| size.at(IMAGES).ok();
    let all = meta.sizes.iter().zip(&meta.strides);
    let all = all.map(|(side, stride)| Some((at(size(side)?)?, at(size(stride)?)?)));
    let all: Option<Vec<(i64, i64)>> = all.collect();
    Some(all?.into_iter().filter(|(side, _)| *side != 1).collect())
}

/// Whether values with the sides and strides of `input` have the sides of `output` without being copied: each run of axes
/// that are stored as one has to become whole axes.
fn is_view(input: &[(i64, i64)], output: &[(i64, i64)]) -> bool {
    let mut wanted = output.iter().rev().map(|(side, _)| *side);
    let mut run = 1i64;
    for (at, &(side, stride)) in input.iter().enumerate().rev() {
        run = run.saturating_mul(side);
        let before = at.checked_sub(1).map(|before| input[before].1);
        if before.is_some_and(|before| before == side.saturating_mul(stride)) {
            continue;
        }
        let mut covered = 1i64;
        while covered < run {
            match wanted.next() {
                Some(side) => covered = covered.saturating_mul(side),
                None => return false,
            }
        }
        if covered != run {
            return false;
        }
        run = 1;
    }
    true
}
