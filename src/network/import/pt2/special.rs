//! Calls that are more than one operator, or another one: lists, several values, and operators whose attributes follow from the
//! shape of another value.

use super::fault::wrong;
use crate::error::Result;
use crate::network::arg::Arg;
use crate::network::op::call::Call;
use crate::network::op::shape::Shape;
use crate::network::op::{
    Argmax, Expand, Fill, Linear, Matmul, Meshgrid, Op, Permute, Reduce, ReducedFigure, Reshape,
    Select, Slice, TopK,
};

/// Operators whose value is a list, or that have several values.
pub(super) const LISTS: [&str; 10] = [
    "unbind",
    "split",
    "split_with_sizes",
    "chunk",
    "meshgrid",
    "var_mean",
    "std_mean",
    "max",
    "min",
    "topk",
];

/// Operators whose attributes follow from the shape of another value.
pub(super) const BY_SHAPE: [&str; 9] = [
    "reshape_as",
    "view_as",
    "expand_as",
    "swapaxes",
    "movedim",
    "t",
    "copy",
    "fill",
    "unflatten",
];

/// Operators that change no value, and so are no nodes.
pub(super) const IDENTITIES: [&str; 12] = [
    "dropout",
    "feature_dropout",
    "alpha_dropout",
    "contiguous",
    "clone",
    "detach",
    "alias",
    "lift_fresh_copy",
    "to",
    "_to_copy",
    "type_as",
    "positive",
];

/// Operators whose value shares memory with their input; `aliasing` says when some of them copy instead.
pub(super) const VIEWS: [&str; 28] = [
    "view",
    "reshape",
    "flatten",
    "slice",
    "select",
    "narrow",
    "transpose",
    "swapaxes",
    "movedim",
    "t",
    "permute",
    "unsqueeze",
    "squeeze",
    "expand",
    "detach",
    "alias",
    "unflatten",
    "view_as",
    "reshape_as",
    "expand_as",
    "unfold",
    "contiguous",
    "to",
    "type_as",
    "positive",
    "dropout",
    "feature_dropout",
    "alpha_dropout",
];

/// An operator with its inputs.
pub(super) type Part = (Op, Vec<Arg>);

/// The entries of the list that a call computes, in order.
///
/// # Errors
/// If an argument is missing or of another type.
pub(super) fn entries(
    name: &str,
    call: &mut Call,
    count: usize,
    shape: &dyn Fn(Arg) -> Shape,
) -> Result<Vec<Part>> {
    match name {
        "meshgrid" => return meshgrid(call),
        "var_mean" | "std_mean" => return moments(call, name == "std_mean"),
        "max" | "min" => return extremum(call, name == "max", shape),
        "topk" => return top(call),
        _ => {}
    }
    let arg = call.tensor("self")?;
    let dim = call.int("dim", 0)?;
    let shape = shape(arg);
    let length = shape.0[shape.axis(dim)?].value;
    let lengths: Vec<i64> = match name {
        "unbind" => vec![1; count],
        "split_with_sizes" => call.ints("split_sizes")?.unwrap_or_default(),
        "split" => match call.ints("split_size")?.as_deref() {
            Some([size]) => vec![(*size).max(1); count],
            Some(sizes) => sizes.to_vec(),
            None => call.ints("split_sizes")?.unwrap_or_default(),
        },
        // `chunk` makes parts of the same size, rounded up.
        _ => {
            let chunks = call.int("chunks", 1)?.max(1);
            vec![(length + chunks - 1) / chunks; count]
        }
    };
    let mut start = 0;
    let parts = (0..count).map(|index| {
        let end = start + lengths.get(index).copied().unwrap_or(0);
        let op: Op = if name == "unbind" {
            let index = index as i64;
            Select { dim, index }.into()
        } else {
            let step = 1;
            Slice {
                dim,
                start,
                end,
                step,
            }
            .into()
        };
        start = end;
        (op, vec![arg])
    });
    Ok(parts.collect())
}

fn meshgrid(call: &mut Call) -> Result<Vec<Part>> {
    let tensors = call.tensors("tensors")?;
    let exchange = call.text("indexing", "ij")? == "xy";
    let parts = (0..tensors.len() as i64)
        .map(|index| (Meshgrid { index, exchange }.into(), tensors.clone()));
    Ok(parts.collect())
}

fn moments(call: &mut Call, root: bool) -> Result<Vec<Part>> {
    let arg = call.tensor("self")?;
    let unbiased = call.bool("unbiased", true)?;
    let correction = call
        .number("correction")?
        .unwrap_or(f64::from(u8::from(unbiased)));
    let dim = call.ints("dim")?.unwrap_or_default();
    let keepdim = call.bool("keepdim", false)?;
    let spread = if root {
        ReducedFigure::Std { correction }
    } else {
        ReducedFigure::Var { correction }
    };
    let part = |figure: ReducedFigure| {
        let dim = dim.clone();
        (
            Reduce {
                figure,
                dim,
                keepdim,
                kind: None,
            }
            .into(),
            vec![arg],
        )
    };
    Ok(vec![part(spread), part(ReducedFigure::Mean)])
}

/// `max(self)`, `max(self, other)`, or the values and positions of `max(self, dim)`.
fn extremum(call: &mut Call, largest: bool, shape: &dyn Fn(Arg) -> Shape) -> Result<Vec<Part>> {
    use crate::network::op::{Binary, BinaryFunction};
    let arg = call.tensor("self")?;
    if call.is_tensor("other") {
        let function = if largest {
            BinaryFunction::Maximum
        } else {
            BinaryFunction::Minimum
        };
        return Ok(vec![(
            Binary { function }.into(),
            vec![arg, call.tensor("other")?],
        )]);
    }
    let figure = if largest {
        ReducedFigure::Amax
    } else {
        ReducedFigure::Amin
    };
    let Some(size) = call.size("dim")? else {
        let dim = (0..shape(arg).rank() as i64).collect();
        let keepdim = false;
        return Ok(vec![(
            Reduce {
                figure,
                dim,
                keepdim,
                kind: None,
            }
            .into(),
            vec![arg],
        )]);
    };
    let (dim, keepdim) = (size.value, call.bool("keepdim", false)?);
    let figure = if largest {
        ReducedFigure::Max
    } else {
        ReducedFigure::Min
    };
    let values = Reduce {
        figure,
        dim: vec![dim],
        keepdim,
        kind: None,
    };
    let positions = Argmax {
        largest,
        dim,
        keepdim,
    };
    Ok(vec![
        (values.into(), vec![arg]),
        (positions.into(), vec![arg]),
    ])
}

fn top(call: &mut Call) -> Result<Vec<Part>> {
    let arg = call.tensor("self")?;
    let k = call.int("k", 1)?;
    let dim = call.int("dim", -1)?;
    let largest = call.bool("largest", true)?;
    let sorted = call.bool("sorted", true)?;
    let part = |indices: bool| {
        (
            TopK {
                k,
                dim,
                largest,
                indices,
                sorted,
            }
            .into(),
            vec![arg],
        )
    };
    Ok(vec![part(false), part(true)])
}

/// The operator of a call of one of [`BY_SHAPE`].
///
/// # Errors
/// If an argument is missing or of another type.
pub(super) fn by_shape(name: &str, call: &mut Call, shape: &dyn Fn(Arg) -> Shape) -> Result<Part> {
    let arg = call.tensor("self")?;
    let exchange = true;
    let op: Op = match name {
        "swapaxes" => {
            let dims = vec![call.int("axis0", 0)?, call.int("axis1", 1)?];
            Permute { dims, exchange }.into()
        }
        "t" => {
            let dims = vec![-2, -1];
            Permute { dims, exchange }.into()
        }
        "movedim" => {
            let from = call.ints("source")?.unwrap_or_default();
            let to = call.ints("destination")?.unwrap_or_default();
            let dims = moved(&shape(arg), &from, &to)?;
            let exchange = false;
            Permute { dims, exchange }.into()
        }
        "unflatten" => {
            let own = shape(arg);
            let axis = own.axis(call.int("dim", 0)?)?;
            let sizes = call.sizes("sizes")?.unwrap_or_default();
            let mut shape = own.0;
            shape.splice(axis..=axis, sizes);
            Reshape { shape }.into()
        }
        "copy" => {
            call.bool("non_blocking", false)?;
            let source = call.tensor("src")?;
            let size = shape(arg).0;
            return Ok((Expand { size }.into(), vec![source]));
        }
        "fill" if call.is_tensor("value") => {
            let source = call.tensor("value")?;
            let size = shape(arg).0;
            return Ok((Expand { size }.into(), vec![source]));
        }
        "fill" => {
            let number = call.number("value")?;
            let number = number.ok_or_else(|| wrong("`value` of `fill` must be a number"))?;
            Fill { number, kind: None }.into()
        }
        "expand_as" => {
            let size = shape(call.tensor("other")?).0;
            Expand { size }.into()
        }
        _ => {
            let shape = shape(call.tensor("other")?).0;
            Reshape { shape }.into()
        }
    };
    Ok((op, vec![arg]))
}

/// The order of axes after some of them moved to other places.
fn moved(shape: &Shape, from: &[i64], to: &[i64]) -> Result<Vec<i64>> {
    let mut order: Vec<Option<usize>> = vec![None; shape.rank()];
    let mut is_moved = vec![false; shape.rank()];
    for (&from, &to) in from.iter().zip(to) {
        let from = shape.axis(from)?;
        order[shape.axis(to)?] = Some(from);
        is_moved[from] = true;
    }
    let mut rest = (0..shape.rank()).filter(|&axis| !is_moved[axis]);
    let order = order.into_iter().map(|axis| axis.or_else(|| rest.next()));
    let order: Option<Vec<usize>> = order.collect();
    let order = order.ok_or_else(|| wrong("axes are moved to the same place"))?;
    Ok(order.into_iter().map(|axis| axis as i64).collect())
}

/// The operators whose value is a sum of a product and another value.
pub(super) const SUMS: [&str; 2] = ["addmm", "baddbmm"];

/// The product of `addmm(self, mat1, mat2)` or `baddbmm`, and the value that is added to it.
///
/// # Errors
/// If an argument is missing, or the factors are not 1.
pub(super) fn product_and_sum(
    name: &str,
    call: &mut Call,
    is_parameter: &dyn Fn(Arg) -> bool,
) -> Result<(Product, Arg)> {
    for factor in ["alpha", "beta"] {
        if call.number(factor)?.unwrap_or(1.0) != 1.0 {
            return Err(wrong(format!("`{factor}` of `{name}` must be 1")));
        }
    }
    let names = if name == "addmm" {
        ["mat1", "mat2"]
    } else {
        ["batch1", "batch2"]
    };
    let (a, b) = (call.tensor(names[0])?, call.tensor(names[1])?);
    let added = call.tensor("self")?;
    let product = if name == "addmm" && is_parameter(b) && is_parameter(added) {
        Product::Linear(a, b)
    } else {
        Product::Matmul(a, b)
    };
    Ok((product, added))
}

/// A product, to which a value is added.
pub(super) enum Product {
    /// With a weight, which is transposed.
    Linear(Arg, Arg),
    /// Of two values.
    Matmul(Arg, Arg),
}

impl Product {
    /// The operator of a product of two values.
    pub(super) fn matmul() -> Op {
        Matmul.into()
    }

    /// The operator of a product with a weight.
    pub(super) fn linear() -> Op {
        Linear.into()
    }

    /// The operator that transposes a weight.
    pub(super) fn transposed() -> Op {
        let dims = vec![0, 1];
        let exchange = true;
        Permute { dims, exchange }.into()
    }
}

/// What brings a part back into the whole, after a write to it; `None` where that is not supported.
pub(super) fn reversed(op: &Op, shape: &Shape) -> Option<Op> {
    Some(match op {
        Op::Reshape(_) | Op::Flatten(_) | Op::Squeeze(_) | Op::Unsqueeze(_) => {
            let shape = shape.0.clone();
            Reshape { shape }.into()
        }
        Op::Permute(permute) => {
            let order = permute.order(shape.rank()).ok()?;
            let mut dims = vec![0; order.len()];
            for (to, from) in order.into_iter().enumerate() {
                dims[from] = to as i64;
            }
            let exchange = false;
            Permute { dims, exchange }.into()
        }
        _ => return None,
    })
}
