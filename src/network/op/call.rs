//! A call of an aten operator, as an exported program writes it: its name, and its arguments by their names. Operators
//! read their attributes from it; what none of them reads is an error, so that no argument is ignored.

use std::collections::BTreeMap;

use tch::{Kind, Tensor};

use super::shape::Size;
use crate::error::{Error, ErrorKind, Result};
use crate::network::arg::Arg;

/// An argument of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Argument {
    /// A tensor: a node or a parameter.
    Tensor(Arg),
    /// A list of tensors, in which some may be absent.
    Tensors(Vec<Option<Arg>>),
    /// An integer.
    Int(Size),
    /// A list of integers.
    Ints(Vec<Size>),
    /// A number with decimals.
    Float(f64),
    /// A list of such numbers.
    Floats(Vec<f64>),
    /// A boolean.
    Bool(bool),
    /// A list of booleans.
    Bools(Vec<bool>),
    /// A text.
    Text(String),
    /// A data type, in the numbers of `torch._export.serde.schema.ScalarType`.
    Dtype(i64),
    /// `None`.
    Absent,
    /// A device, a memory format or a layout of storage: it changes no value.
    Storage,
}

/// A number with its type, which decides whether a result is an integer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    /// An integer.
    Int(i64),
    /// A number with decimals.
    Float(f64),
    /// A boolean.
    Bool(bool),
}

impl Number {
    /// Its value; 0 or 1 of a boolean.
    pub fn value(self) -> f64 {
        match self {
            Number::Int(value) => value as f64,
            Number::Float(value) => value,
            Number::Bool(value) => f64::from(u8::from(value)),
        }
    }

    /// Its data type.
    pub fn kind(self) -> Kind {
        match self {
            Number::Int(_) => Kind::Int64,
            Number::Float(_) => Kind::Float,
            Number::Bool(_) => Kind::Bool,
        }
    }

    /// A tensor of this number alone.
    pub fn tensor(self) -> Tensor {
        match self {
            Number::Int(value) => Tensor::from(value),
            Number::Float(value) => Tensor::from(value as f32),
            Number::Bool(value) => Tensor::from(value),
        }
    }
}

/// The data type with this number in `torch._export.serde.schema.ScalarType`. Half and double precision count as float32,
/// in which networks are computed. `None` for complex and quantised ones.
pub fn kind(number: i64) -> Option<Kind> {
    Some(match number {
        1 => Kind::Uint8,
        2 => Kind::Int8,
        3 => Kind::Int16,
        4 => Kind::Int,
        5 => Kind::Int64,
        6 | 7 | 8 | 13 => Kind::Float,
        12 => Kind::Bool,
        _ => return None,
    })
}

/// A call of an aten operator.
#[derive(Debug, Clone)]
pub struct Call {
    /// Its name with the overload, without `torch.ops.`: `aten.conv2d.default`.
    pub target: String,
    arguments: BTreeMap<String, Argument>,
}

impl Call {
    /// A call with arguments by their names.
    pub fn new(target: &str, arguments: BTreeMap<String, Argument>) -> Call {
        Call {
            target: target.to_owned(),
            arguments,
        }
    }

    /// The operator without its namespace and overload: `conv2d`. The underscore of the in-place form is left out, because
    /// all operators are evaluated out of place.
    pub fn name(&self) -> &str {
        let name = self.target.trim_start_matches("aten.");
        let name = name.split('.').next().unwrap_or_default();
        match name.strip_suffix('_') {
            Some(functional) if !name.starts_with("__") => functional,
            _ => name,
        }
    }

    fn take(&mut self, name: &str) -> Option<Argument> {
        match self.arguments.remove(name) {
            Some(Argument::Absent) | None => None,
            Some(argument) => Some(argument),
        }
    }

    pub(super) fn wrong(&self, name: &str, expected: &str) -> Error {
        let message = format!("`{name}` of `{}` must be {expected}", self.target);
        Error::new(ErrorKind::Network, message)
    }

    /// A tensor.
    ///
    /// # Errors
    /// If it is missing, or is not a tensor.
    pub fn tensor(&mut self, name: &str) -> Result<Arg> {
        self.optional_tensor(name)?
            .ok_or_else(|| self.wrong(name, "a tensor"))
    }

    /// A tensor that may be absent.
    ///
    /// # Errors
    /// If it is not a tensor.
    pub fn optional_tensor(&mut self, name: &str) -> Result<Option<Arg>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Tensor(arg)) => Ok(Some(arg)),
            Some(_) => Err(self.wrong(name, "a tensor")),
        }
    }

    /// Whether the argument is a tensor. It stays in the call.
    pub fn is_tensor(&self, name: &str) -> bool {
        matches!(self.arguments.get(name), Some(Argument::Tensor(_)))
    }

    /// A list of tensors without absent ones.
    ///
    /// # Errors
    /// If it is missing, empty, or something else.
    pub fn tensors(&mut self, name: &str) -> Result<Vec<Arg>> {
        let list: Option<Vec<Arg>> = match self.take(name) {
            Some(Argument::Tensors(list)) => list.into_iter().collect(),
            _ => None,
        };
        let list = list.filter(|list| !list.is_empty());
        list.ok_or_else(|| self.wrong(name, "a list of tensors"))
    }

    /// A list of tensors in which some may be absent.
    ///
    /// # Errors
    /// If it is missing or something else.
    pub fn optional_tensors(&mut self, name: &str) -> Result<Vec<Option<Arg>>> {
        match self.take(name) {
            Some(Argument::Tensors(list)) => Ok(list),
            _ => Err(self.wrong(name, "a list of tensors")),
        }
    }

    /// An integer that may depend on the batch; `None` if it is absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn size(&mut self, name: &str) -> Result<Option<Size>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Int(size)) => Ok(Some(size)),
            Some(_) => Err(self.wrong(name, "an integer")),
        }
    }

    /// An integer, or `default` if it is absent.
    ///
    /// # Errors
    /// If it is something else, or depends on the batch.
    pub fn int(&mut self, name: &str, default: i64) -> Result<i64> {
        match self.size(name)? {
            None => Ok(default),
            Some(size) if size.value == i64::MAX && name != "end" => {
                Err(self.wrong(name, "a smaller integer"))
            }
            Some(size) if !size.batched => Ok(size.value),
            Some(_) => Err(self.wrong(name, "an integer that does not depend on the batch")),
        }
    }

    /// A list of integers that may depend on the batch; `None` if it is absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn sizes(&mut self, name: &str) -> Result<Option<Vec<Size>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Ints(list)) if list.iter().any(|size| size.value == i64::MAX) => {
                Err(self.wrong(name, "a list of smaller integers"))
            }
            Some(Argument::Ints(list)) => Ok(Some(list)),
            Some(Argument::Int(size)) if size.value == i64::MAX => {
                Err(self.wrong(name, "a smaller integer"))
            }
            Some(Argument::Int(size)) => Ok(Some(vec![size])),
            // An empty list has no type in the file.
            Some(Argument::Tensors(list)) if list.is_empty() => Ok(Some(Vec::new())),
            Some(_) => Err(self.wrong(name, "a list of integers")),
        }
    }

    /// A list of integers; `None` if it is absent.
    ///
    /// # Errors
    /// If it is something else, or depends on the batch.
    pub fn ints(&mut self, name: &str) -> Result<Option<Vec<i64>>> {
        let Some(sizes) = self.sizes(name)? else {
            return Ok(None);
        };
        let fixed = sizes
            .iter()
            .map(|size| (!size.batched).then_some(size.value));
        let fixed: Option<Vec<i64>> = fixed.collect();
        match fixed {
            Some(list) => Ok(Some(list)),
            None => Err(self.wrong(name, "integers that do not depend on the batch")),
        }
    }

    /// Height and width, which may be one integer for both; `default` if it is absent or empty.
    ///
    /// # Errors
    /// If it is something else.
    pub fn pair(&mut self, name: &str, default: [i64; 2]) -> Result<[i64; 2]> {
        match self.ints(name)?.as_deref() {
            None | Some([]) => Ok(default),
            Some([both]) => Ok([*both; 2]),
            Some([height, width]) => Ok([*height, *width]),
            Some(_) => Err(self.wrong(name, "one or two integers")),
        }
    }

    /// A number; `None` if it is absent.
    ///
    /// # Errors
    /// If it is something else, or depends on the batch.
    pub fn number(&mut self, name: &str) -> Result<Option<f64>> {
        Ok(self.typed_number(name)?.map(Number::value))
    }

    /// A number with its type; `None` if it is absent.
    ///
    /// # Errors
    /// As [`number`](Self::number).
    pub fn typed_number(&mut self, name: &str) -> Result<Option<Number>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Float(value)) => Ok(Some(Number::Float(value))),
            Some(Argument::Int(size)) if !size.batched && size.value != i64::MAX => {
                Ok(Some(Number::Int(size.value)))
            }
            Some(Argument::Bool(value)) => Ok(Some(Number::Bool(value))),
            Some(_) => Err(self.wrong(name, "a number")),
        }
    }

    /// A list of numbers; `None` if it is absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn numbers(&mut self, name: &str) -> Result<Option<Vec<f64>>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Floats(list)) => Ok(Some(list)),
            Some(Argument::Ints(list)) if list.iter().all(|size| !size.batched) => {
                Ok(Some(list.iter().map(|size| size.value as f64).collect()))
            }
            Some(_) => Err(self.wrong(name, "a list of numbers")),
        }
    }

    /// A boolean, or `default` if it is absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn bool(&mut self, name: &str, default: bool) -> Result<bool> {
        match self.take(name) {
            None => Ok(default),
            Some(Argument::Bool(value)) => Ok(value),
            Some(_) => Err(self.wrong(name, "true or false")),
        }
    }

    /// A text, or `default` if it is absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn text(&mut self, name: &str, default: &str) -> Result<String> {
        match self.take(name) {
            None => Ok(default.to_owned()),
            Some(Argument::Text(text)) => Ok(text),
            Some(_) => Err(self.wrong(name, "a text")),
        }
    }

    /// A data type; `None` if it is absent.
    ///
    /// # Errors
    /// If it is something else.
    pub fn dtype(&mut self, name: &str) -> Result<Option<i64>> {
        match self.take(name) {
            None => Ok(None),
            Some(Argument::Dtype(dtype)) => Ok(Some(dtype)),
            Some(_) => Err(self.wrong(name, "a data type")),
        }
    }

    /// A data type; `None` if it is absent.
    ///
    /// # Errors
    /// If it is something else, or a complex or a quantised one.
    pub fn kind(&mut self, name: &str) -> Result<Option<Kind>> {
        let Some(number) = self.dtype(name)? else {
            return Ok(None);
        };
        let found = kind(number).map(Some);
        found.ok_or_else(|| self.wrong(name, "a data type of real numbers"))
    }

    /// Sets an argument that is absent.
    pub fn set_default(&mut self, name: &str, argument: Option<Argument>) {
        let is_there = |known: &Argument| *known != Argument::Absent;
        if let (Some(argument), false) = (argument, self.arguments.get(name).is_some_and(is_there))
        {
            self.arguments.insert(name.to_owned(), argument);
        }
    }

    /// An argument, which stays in the call.
    pub fn peek(&self, name: &str) -> Option<&Argument> {
        self.arguments.get(name)
    }

    /// Leaves out an argument that changes no value, such as a device.
    pub fn ignore(&mut self, name: &str) {
        self.arguments.remove(name);
    }

    /// Checks that every argument was read.
    ///
    /// # Errors
    /// If one was not.
    pub fn finish(self) -> Result<()> {
        let known = |argument: &Argument| matches!(argument, Argument::Absent | Argument::Storage);
        match self.arguments.iter().find(|(_, value)| !known(value)) {
            None => Ok(()),
            Some((name, _)) => {
                let message = format!("`{name}` of `{}` is not supported", self.target);
                Err(Error::new(ErrorKind::Network, message))
            }
        }
    }
}
