//! The arguments of a program's calls, from their JSON.

use serde_json::Value;

use super::fault::wrong;
use super::schema::size;
use crate::error::Result;
use crate::network::arg::Arg;
use crate::network::op::call::Argument;
use crate::network::op::shape::Size;

/// The largest integer that an argument may have.
const MAX_INTEGER: u64 = 1 << 20;

/// What the names in an argument stand for.
pub(super) trait Names {
    /// The value of a tensor.
    ///
    /// # Errors
    /// If the program does not compute it before.
    fn tensor(&mut self, name: &str) -> Result<Arg>;

    /// An integer, or a multiple of the batch size; `None` if it is neither.
    fn integer(&self, name: &str) -> Option<Size>;
}

/// The argument of a call. Integers are bounded, so that no computation with them overflows; only the end of a slice may be
/// the largest integer, which means its axis's end.
///
/// # Errors
/// If it is of an unknown kind, or an integer is too large.
pub(super) fn argument(value: &Value, names: &mut dyn Names) -> Result<Argument> {
    let argument = read(value, names)?;
    let sizes: &[Size] = match &argument {
        Argument::Int(size) => std::slice::from_ref(size),
        Argument::Ints(sizes) => sizes,
        _ => &[],
    };
    let is_allowed =
        |size: &Size| size.value == i64::MAX || size.value.unsigned_abs() <= MAX_INTEGER;
    match sizes.iter().find(|size| !is_allowed(size)) {
        None => Ok(argument),
        Some(size) => Err(wrong(format!("an integer of {size} is too large"))),
    }
}

fn read(value: &Value, names: &mut dyn Names) -> Result<Argument> {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return Err(wrong("an argument can't be read"));
    };
    let unreadable = || wrong(format!("an argument `{kind}` can't be read"));
    let list = || value.as_array().ok_or_else(unreadable);
    let number = |value: &Value| match value.as_str() {
        Some("Infinity") => Some(f64::INFINITY),
        Some("-Infinity") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    };
    Ok(match kind.as_str() {
        "as_none" => Argument::Absent,
        "as_tensor" => Argument::Tensor(named(value, names)?),
        "as_tensors" => {
            let mut tensors = Vec::new();
            for value in list()? {
                tensors.push(Some(named(value, names)?));
            }
            Argument::Tensors(tensors)
        }
        "as_optional_tensors" => {
            let mut tensors = Vec::new();
            for value in list()? {
                tensors.push(match value.get("as_tensor") {
                    Some(tensor) => Some(named(tensor, names)?),
                    None => None,
                });
            }
            Argument::Tensors(tensors)
        }
        "as_int" => Argument::Int(Size::fixed(value.as_i64().ok_or_else(unreadable)?)),
        "as_ints" => {
            let fixed = list()?.iter().map(|value| value.as_i64().map(Size::fixed));
            Argument::Ints(fixed.collect::<Option<_>>().ok_or_else(unreadable)?)
        }
        "as_sym_int" => Argument::Int(symbolic(value, names).ok_or_else(unreadable)?),
        "as_sym_ints" => {
            let sizes = list()?.iter().map(|value| symbolic(value, names));
            Argument::Ints(sizes.collect::<Option<_>>().ok_or_else(unreadable)?)
        }
        "as_float" => Argument::Float(number(value).ok_or_else(unreadable)?),
        "as_floats" => {
            let numbers = list()?.iter().map(number);
            Argument::Floats(numbers.collect::<Option<_>>().ok_or_else(unreadable)?)
        }
        "as_bool" => Argument::Bool(value.as_bool().ok_or_else(unreadable)?),
        "as_bools" => {
            let bools = list()?.iter().map(Value::as_bool);
            Argument::Bools(bools.collect::<Option<_>>().ok_or_else(unreadable)?)
        }
        "as_string" => Argument::Text(value.as_str().ok_or_else(unreadable)?.to_owned()),
        "as_scalar_type" => Argument::Dtype(value.as_i64().ok_or_else(unreadable)?),
        "as_device" | "as_layout" | "as_memory_format" => Argument::Storage,
        _ => return Err(unreadable()),
    })
}

fn named(value: &Value, names: &mut dyn Names) -> Result<Arg> {
    let name = value.get("name").and_then(Value::as_str);
    names.tensor(name.ok_or_else(|| wrong("a tensor has no name"))?)
}

/// An integer of the program, or a multiple of the batch size: `{"as_name": "sym_size"}` or `{"as_int": 3}`.
fn symbolic(value: &Value, names: &dyn Names) -> Option<Size> {
    match value.get("as_name").and_then(Value::as_str) {
        Some(name) => names.integer(name),
        None => size(value),
    }
}

/// The names of the tensors in an argument, itself one or a list of them.
pub(super) fn tensor_names(value: &Value) -> impl Iterator<Item = &str> {
    let list = |kind: &str| {
        value
            .get(kind)
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
    };
    let one = value.get("as_tensor").into_iter();
    let optional = list("as_optional_tensors").filter_map(|value| value.get("as_tensor"));
    one.chain(list("as_tensors"))
        .chain(optional)
        .filter_map(|value| value.get("name")?.as_str())
}
