//! The functions and classes that a pickle may name, and the values of calls to them: tensors, storages, plain containers.
//! PyTorch's `weights_only=True` calls them safe globals.

use super::machine::Machine;
use super::value::{
    PickleError, PickleResult, PickleValue, SafeGlobal, Storage, TensorRef, ValueId,
};
use crate::network::weights::dtype::{Dtype, StridedView};

impl Machine<'_> {
    /// Pushes the function or class `module.name`.
    ///
    /// # Errors
    /// If it is not one that a pickle may name.
    pub(super) fn global(&mut self, module: &str, name: &str) -> PickleResult<()> {
        let global = safe_global(module, name);
        let global = global.ok_or_else(|| PickleError::Global(format!("{module}.{name}")))?;
        self.push(global);
        Ok(())
    }

    /// The result of a call.
    ///
    /// # Errors
    /// If the callee is not a function, or its arguments are invalid.
    pub(super) fn call(
        &mut self,
        callee: ValueId,
        arguments: ValueId,
    ) -> PickleResult<PickleValue> {
        let Some(PickleValue::Global(callee)) = self.values.get(callee) else {
            return Err("is a pickle that calls a value that is not a function".into());
        };
        let Some(PickleValue::Tuple(arguments)) = self.values.get(arguments) else {
            return Err("is a pickle that calls a function without a tuple of arguments".into());
        };
        let first = arguments.first().and_then(|&id| self.values.get(id));
        match callee {
            SafeGlobal::Opaque | SafeGlobal::Set | SafeGlobal::StorageType(_) => {
                Ok(PickleValue::Other)
            }
            SafeGlobal::OrderedDict => match first {
                None => Ok(PickleValue::Dict(Vec::new())),
                Some(PickleValue::List(items)) => {
                    // A pickle could copy the same list many times, so the number of copied items is
                    // limited to the number of its bytes.
                    self.copied += items.len();
                    if self.copied > self.input.bytes.len() {
                        return Err("is a pickle that copies more items than it has bytes".into());
                    }
                    let pair = |id: &ValueId| match self.values.get(*id) {
                        Some(PickleValue::Tuple(pair) | PickleValue::List(pair)) => {
                            match pair.as_slice() {
                                &[key, value] => Some((key, value)),
                                _ => None,
                            }
                        }
                        _ => None,
                    };
                    let pairs: Option<Vec<_>> = items.iter().map(pair).collect();
                    let pairs = pairs.ok_or("is a pickle of a dict whose items are not pairs")?;
                    Ok(PickleValue::Dict(pairs))
                }
                Some(_) => Err("is a pickle of a dict whose items are not pairs".into()),
            },
            SafeGlobal::RebuildParameter => match first {
                Some(PickleValue::Tensor(tensor)) => Ok(PickleValue::Tensor(tensor.clone())),
                _ => Err("is a pickle of a parameter that is not a tensor".into()),
            },
            SafeGlobal::RebuildTensor => {
                let tensor = self.tensor(arguments);
                let malformed = "is a pickle of a tensor without storage, offset, size and strides";
                tensor.map(PickleValue::Tensor).ok_or(malformed.into())
            }
        }
    }

    fn tensor(&self, arguments: &[ValueId]) -> Option<TensorRef> {
        let value = |at: usize| self.values.get(*arguments.get(at)?);
        let PickleValue::Storage(storage) = value(0)? else {
            return None;
        };
        let PickleValue::Int(offset) = value(1)? else {
            return None;
        };
        Some(TensorRef {
            storage: storage.clone(),
            view: StridedView {
                offset: i64::try_from(*offset).ok()?,
                shape: self.integers(value(2)?)?,
                strides: self.integers(value(3)?)?,
            },
        })
    }

    /// A tuple of at most 64 integers: libtorch allows as many dimensions.
    fn integers(&self, value: &PickleValue) -> Option<Vec<i64>> {
        let PickleValue::Tuple(items) = value else {
            return None;
        };
        if items.len() > 64 {
            return None;
        }
        let integer = |id: &ValueId| match self.values.get(*id) {
            Some(PickleValue::Int(integer)) => i64::try_from(*integer).ok(),
            _ => None,
        };
        items.iter().map(integer).collect()
    }

    /// The storage of a persistent id: `('storage', type, key, device, length)`, in old files followed by a part.
    pub(super) fn storage(&self, id: ValueId) -> PickleResult<PickleValue> {
        let storage = || {
            let PickleValue::Tuple(items) = self.values.get(id)? else {
                return None;
            };
            let value = |at: usize| self.values.get(*items.get(at)?);
            let length = |value: &PickleValue| match value {
                PickleValue::Int(length) => usize::try_from(*length).ok(),
                _ => None,
            };
            let PickleValue::Text(tag) = value(0)? else {
                return None;
            };
            let PickleValue::Global(SafeGlobal::StorageType(dtype)) = value(1)? else {
                return None;
            };
            let PickleValue::Text(key) = value(2)? else {
                return None;
            };
            let part = match value(5) {
                Some(PickleValue::Tuple(part)) => {
                    let number = |at: usize| length(self.values.get(*part.get(at)?)?);
                    Some((number(1)?, number(2)?))
                }
                _ => None,
            };
            // Every tensor keeps a copy of the key, which is a short number in PyTorch's files.
            (tag == "storage" && key.len() <= 256).then_some(Storage {
                key: key.clone(),
                dtype: *dtype,
                length: length(value(4)?)?,
                part,
            })
        };
        let malformed = "is a pickle with a malformed storage";
        storage().map(PickleValue::Storage).ok_or(malformed.into())
    }
}

/// Whether a pickle may name `MODULE.NAME`.
pub(super) fn is_safe(global: &str) -> bool {
    let parts = global.rsplit_once('.');
    parts.is_some_and(|(module, name)| safe_global(module, name).is_some())
}

/// The value of a global that a pickle may name; `None` for all others.
fn safe_global(module: &str, name: &str) -> Option<PickleValue> {
    let global = match (module, name) {
        ("collections", "OrderedDict") => SafeGlobal::OrderedDict,
        ("builtins" | "__builtin__", "set" | "frozenset") => SafeGlobal::Set,
        ("torch._utils", "_rebuild_tensor" | "_rebuild_tensor_v2") => SafeGlobal::RebuildTensor,
        ("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state") => {
            SafeGlobal::RebuildParameter
        }
        ("torch" | "torch.serialization", "device") | ("torch", "Size") => SafeGlobal::Opaque,
        ("torch.storage", "UntypedStorage" | "TypedStorage") => SafeGlobal::StorageType(None),
        ("torch" | "torch.cuda", storage) if storage.ends_with("Storage") => {
            let dtype = match storage.strip_suffix("Storage")? {
                "Bool" => Dtype::Bool,
                "Byte" => Dtype::U8,
                "Char" => Dtype::I8,
                "Short" => Dtype::I16,
                "Int" => Dtype::I32,
                "Long" => Dtype::I64,
                "Half" => Dtype::F16,
                "BFloat16" => Dtype::BF16,
                "Float" => Dtype::F32,
                "Double" => Dtype::F64,
                "Untyped" => return Some(PickleValue::Global(SafeGlobal::StorageType(None))),
                _ => return None,
            };
            SafeGlobal::StorageType(Some(dtype))
        }
        // A data type is an attribute of torch, pickled by its name alone.
        (
            "torch",
            "float16" | "bfloat16" | "float32" | "float64" | "int8" | "int16" | "int32" | "int64"
            | "uint8" | "bool",
        ) => return Some(PickleValue::Other),
        _ => return None,
    };
    Some(PickleValue::Global(global))
}
