//! The data types of values, by those of an operator's inputs, as PyTorch promotes them. The reader of a file decides by them
//! whether a cast changes anything: a boolean that counts as a number would be added as a boolean.

use tch::Kind;

use crate::network::op::{BinaryFunction, Function, Op, ReducedFigure, ScalarFunction};

/// The data type of the value of `op` for inputs of these data types.
pub(super) fn kind_of(op: &Op, inputs: &[Kind]) -> Kind {
    let first = inputs.first().copied().unwrap_or(Kind::Float);
    let all = promoted(inputs);
    match op {
        Op::Compare(compare) if !compare.comparison.is_bitwise() => Kind::Bool,
        Op::Not(not) if not.logical => Kind::Bool,
        Op::Argmax(_) | Op::OneHot(_) => Kind::Int64,
        Op::TopK(top) if top.indices => Kind::Int64,
        Op::Cast(cast) => cast.kind,
        Op::Full(full) => full.kind,
        Op::Fill(fill) => fill.kind.unwrap_or(first),
        Op::Linspace(linspace) => linspace.kind,
        Op::Cumsum(cumsum) => cumsum.kind.unwrap_or(summed(first)),
        Op::Reduce(reduce) => match reduce.figure {
            ReducedFigure::All | ReducedFigure::Any => Kind::Bool,
            ReducedFigure::Sum | ReducedFigure::Prod => reduce.kind.unwrap_or(summed(first)),
            ReducedFigure::Amax | ReducedFigure::Amin | ReducedFigure::Max | ReducedFigure::Min => {
                first
            }
            _ => Kind::Float,
        },
        Op::Where(choice) => {
            let numbers = [choice.value, choice.other].into_iter().flatten();
            let kinds: Vec<Kind> = numbers.map(|number| number.kind()).collect();
            promoted(&[&kinds, inputs.get(1..).unwrap_or_default()].concat())
        }
        Op::Scalar(scalar) => match scalar.function {
            ScalarFunction::Div | ScalarFunction::Rdiv => Kind::Float,
            _ if !scalar.is_integer => Kind::Float,
            _ if first == Kind::Bool => Kind::Int64,
            _ => first,
        },
        Op::Binary(binary) => match binary.function {
            BinaryFunction::Div | BinaryFunction::Atan2 => Kind::Float,
            _ => all,
        },
        Op::Add(add) if add.alpha.fract() != 0.0 => Kind::Float,
        Op::Clamp(clamp) => {
            let bounds = [clamp.min, clamp.max];
            if bounds.iter().flatten().all(|bound| bound.fract() == 0.0) {
                first
            } else {
                Kind::Float
            }
        }
        Op::Unary(unary) => match unary.function {
            Function::Neg
            | Function::Abs
            | Function::Square
            | Function::Sign
            | Function::Floor
            | Function::Ceil
            | Function::Round
            | Function::NanToNum { .. }
            | Function::Threshold { .. } => first,
            _ => Kind::Float,
        },
        Op::Index(_)
        | Op::Gather(_)
        | Op::TakeAlong(_)
        | Op::MaskedFill(_)
        | Op::Scatter(_)
        | Op::TopK(_)
        | Op::Input(_) => first,
        _ => all,
    }
}

/// The data type of sums: booleans and integers are summed as int64.
fn summed(kind: Kind) -> Kind {
    match kind {
        Kind::Float => Kind::Float,
        _ => Kind::Int64,
    }
}

/// The data type of values of several data types together.
fn promoted(kinds: &[Kind]) -> Kind {
    let order = [
        Kind::Float,
        Kind::Int64,
        Kind::Int,
        Kind::Int16,
        Kind::Int8,
        Kind::Uint8,
        Kind::Bool,
    ];
    let found = order.into_iter().find(|kind| kinds.contains(kind));
    found.unwrap_or(Kind::Float)
}
