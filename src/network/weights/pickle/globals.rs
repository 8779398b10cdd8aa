//! What a pickle may name, and what comes of calling it: tensors, storages, plain containers.

use super::{Id, Machine, Outcome, Refused, Storage, TensorRef, Value};
use crate::network::weights::elements::{Element, View};

/// The functions and classes a pickle may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::network::weights) enum Known {
    OrderedDict,
    Set,
    RebuildTensor,
    RebuildParameter,
    StorageType(Option<Element>),
    /// Makes something of no use here: `torch.device`, `torch.Size`.
    Opaque,
}

impl Machine<'_> {
    pub(super) fn global(&mut self, module: &str, name: &str) -> Outcome<()> {
        let known = known(module, name);
        let known = known.ok_or_else(|| Refused::Global(format!("{module}.{name}")))?;
        self.push(known);
        Ok(())
    }

    /// What a known function makes of its arguments.
    pub(super) fn call(&mut self, callee: Id, arguments: Id) -> Outcome<Value> {
        let Some(Value::Known(callee)) = self.values.get(callee) else {
            return Err("is a pickle that calls what can't be called".into());
        };
        let Some(Value::Tuple(arguments)) = self.values.get(arguments) else {
            return Err("is a pickle that calls without arguments".into());
        };
        let first = arguments.first().and_then(|&id| self.values.get(id));
        match callee {
            Known::Opaque | Known::Set | Known::StorageType(_) => Ok(Value::Other),
            Known::OrderedDict => match first {
                None => Ok(Value::Dict(Vec::new())),
                Some(Value::List(items)) => {
                    // The same list could be copied again and again: all copies together are as
                    // many as the pickle has bytes.
                    self.copied += items.len();
                    if self.copied > self.input.bytes.len() {
                        return Err("is a pickle that copies without end".into());
                    }
                    let pair = |id: &Id| match self.values.get(*id) {
                        Some(Value::Tuple(pair) | Value::List(pair)) => match pair.as_slice() {
                            &[key, value] => Some((key, value)),
                            _ => None,
                        },
                        _ => None,
                    };
                    let pairs: Option<Vec<_>> = items.iter().map(pair).collect();
                    let pairs = pairs.ok_or("is a pickle of a dict made of what are no pairs")?;
                    Ok(Value::Dict(pairs))
                }
                Some(_) => Err("is a pickle of a dict made of what are no pairs".into()),
            },
            Known::RebuildParameter => match first {
                Some(Value::Tensor(tensor)) => Ok(Value::Tensor(tensor.clone())),
                _ => Err("is a pickle of a parameter that is no tensor".into()),
            },
            Known::RebuildTensor => {
                let tensor = self.tensor(arguments);
                let malformed = "is a pickle of a tensor without storage, offset, size and strides";
                tensor.map(Value::Tensor).ok_or(malformed.into())
            }
        }
    }

    fn tensor(&self, arguments: &[Id]) -> Option<TensorRef> {
        let value = |place: usize| self.values.get(*arguments.get(place)?);
        let Value::Storage(storage) = value(0)? else {
            return None;
        };
        let Value::Int(offset) = value(1)? else {
            return None;
        };
        Some(TensorRef {
            storage: storage.clone(),
            view: View {
                offset: i64::try_from(*offset).ok()?,
                shape: self.numbers(value(2)?)?,
                strides: self.numbers(value(3)?)?,
            },
        })
    }

    /// A tuple of a few whole numbers.
    fn numbers(&self, value: &Value) -> Option<Vec<i64>> {
        let Value::Tuple(items) = value else {
            return None;
        };
        // libtorch itself ends at 64 dimensions.
        if items.len() > 64 {
            return None;
        }
        let number = |id: &Id| match self.values.get(*id) {
            Some(Value::Int(number)) => i64::try_from(*number).ok(),
            _ => None,
        };
        items.iter().map(number).collect()
    }

    /// A persistent id: `('storage', type, key, device, length)`, in old files with a part behind.
    pub(super) fn storage(&self, id: Id) -> Outcome<Value> {
        let storage = || {
            let Value::Tuple(items) = self.values.get(id)? else {
                return None;
            };
            let value = |place: usize| self.values.get(*items.get(place)?);
            let length = |value: &Value| match value {
                Value::Int(length) => usize::try_from(*length).ok(),
                _ => None,
            };
            let Value::Text(word) = value(0)? else {
                return None;
            };
            let Value::Known(Known::StorageType(element)) = value(1)? else {
                return None;
            };
            let Value::Text(key) = value(2)? else {
                return None;
            };
            let part = match value(5) {
                Some(Value::Tuple(part)) => {
                    let number = |place: usize| length(self.values.get(*part.get(place)?)?);
                    Some((number(1)?, number(2)?))
                }
                _ => None,
            };
            // Every tensor keeps a copy of the key, which PyTorch makes a number.
            (word == "storage" && key.len() <= 256).then_some(Storage {
                key: key.clone(),
                element: *element,
                length: length(value(4)?)?,
                part,
            })
        };
        let malformed = "is a pickle with a storage that is none of PyTorch's";
        storage().map(Value::Storage).ok_or(malformed.into())
    }
}

/// The value of a global that may be named; `None` for all others.
fn known(module: &str, name: &str) -> Option<Value> {
    let known = match (module, name) {
        ("collections", "OrderedDict") => Known::OrderedDict,
        ("builtins" | "__builtin__", "set" | "frozenset") => Known::Set,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => Known::RebuildTensor,
        ("torch._utils", "_rebuild_parameter") => Known::RebuildParameter,
        ("torch" | "torch.serialization", "device") | ("torch", "Size") => Known::Opaque,
        ("torch.storage", "UntypedStorage" | "TypedStorage") => Known::StorageType(None),
        ("torch" | "torch.cuda", storage) if storage.ends_with("Storage") => {
            let element = match storage.strip_suffix("Storage")? {
                "Bool" => Element::Bool,
                "Byte" => Element::U8,
                "Char" => Element::I8,
                "Short" => Element::I16,
                "Int" => Element::I32,
                "Long" => Element::I64,
                "Half" => Element::F16,
                "BFloat16" => Element::BF16,
                "Float" => Element::F32,
                "Double" => Element::F64,
                "Untyped" => return Some(Value::Known(Known::StorageType(None))),
                _ => return None,
            };
            Known::StorageType(Some(element))
        }
        // A data type is an attribute of torch, pickled by its name alone.
        (
            "torch",
            "float16" | "bfloat16" | "float32" | "float64" | "int8" | "int16" | "int32" | "int64"
            | "uint8" | "bool",
        ) => return Some(Value::Other),
        _ => return None,
    };
    Some(Value::Known(known))
}
