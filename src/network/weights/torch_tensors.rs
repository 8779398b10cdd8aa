//! Reads the tensors that a pickle of `torch.save` refers to. Both layouts of PyTorch's files use this; they differ in
//! where the storages are.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use tch::Tensor;

use super::dtype::{self, Dtype, StridedView};
use super::format::{StateDict, file_error};
use super::pickle::{Pickle, PickleError, PickleValue, Storage, TensorRef};
use crate::error::{Error, Result};

/// The largest pickle that is read, in bytes; that of a large network has some hundred kilobytes.
pub(super) const PICKLE_LIMIT: u64 = 64 << 20;

/// The largest number of values of all tensors together, per byte of the file. Views that repeat a storage are allowed,
/// but not a small file whose views fill the memory.
pub(super) const VALUES_PER_BYTE: u64 = 8;

/// Keys under which training programs keep the state dict.
const WRAPPERS: [&str; 11] = [
    "state_dict",
    "model_state_dict",
    "model_state",
    "model",
    "net",
    "module",
    "network",
    "weights",
    "model_weights",
    "params",
    "parameters",
];

/// Checkpoints in checkpoints exist; deeper nesting is not known.
const MAX_NESTING: usize = 4;

/// Reads the tensors that a pickle refers to, each storage once.
pub(super) struct TensorReader<'a> {
    pub(super) path: &'a Path,
    /// The number of values that may still be read.
    budget: u64,
    /// Whether the values are big-endian.
    pub(super) swapped: bool,
    /// Whether tensors keep their data types, and do not become float32.
    own_types: bool,
    storages: BTreeMap<(String, Dtype), Tensor>,
    /// The tensors that were read.
    pub(super) read: StateDict,
}

impl<'a> TensorReader<'a> {
    /// A reader of at most `budget` values of a little-endian file, as float32; `path` is for messages.
    pub(super) fn new(path: &'a Path, budget: u64) -> Self {
        TensorReader {
            path,
            budget,
            swapped: false,
            own_types: false,
            storages: BTreeMap::new(),
            read: StateDict::new(),
        }
    }

    /// The same, for tensors of their own data types.
    pub(super) fn with_own_types(mut self) -> Self {
        self.own_types = true;
        self
    }

    /// Reads one tensor; `fetch` returns the bytes of a storage, given the number of bytes it should have.
    ///
    /// # Errors
    /// If it is outside its storage, the storage has another length, or the budget is used up.
    pub(super) fn add(
        &mut self,
        name: &str,
        tensor: &TensorRef,
        fetch: impl FnOnce(&Storage, usize) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let fault = |clause: &str| file_error(self.path, &format!("is broken: `{name}` {clause}"));
        let TensorRef { storage, view } = tensor;
        let Some(dtype) = storage.dtype else {
            return Err(fault("has a storage without a data type"));
        };
        let (view, limit) = match storage.part {
            None => (view.clone(), storage.length),
            Some((start, length)) => {
                let offset = i64::try_from(start)
                    .ok()
                    .and_then(|start| view.offset.checked_add(start));
                let end = start.checked_add(length);
                let (Some(offset), Some(end)) = (offset, end) else {
                    return Err(fault("is outside its storage"));
                };
                let view = StridedView {
                    offset,
                    ..view.clone()
                };
                (view, end.min(storage.length))
            }
        };
        view.check(limit).map_err(|clause| fault(&clause))?;
        let key = (storage.key.clone(), dtype);
        let is_new = !self.storages.contains_key(&key);
        let values = dtype::count(&view.shape).unwrap_or(usize::MAX) as u64;
        let values = values.saturating_add(if is_new { storage.length as u64 } else { 0 });
        self.budget = self.budget.checked_sub(values).ok_or_else(|| {
            fault("and those before it have more values than the file has room for")
        })?;
        if is_new {
            let bytes = storage.length.checked_mul(dtype.size());
            let mut data = fetch(storage, bytes.unwrap_or(usize::MAX))?;
            if bytes != Some(data.len()) {
                let clause = format!(
                    "should have a storage of {} values, found {} bytes",
                    storage.length,
                    data.len()
                );
                return Err(fault(&clause));
            }
            if self.swapped {
                data.chunks_exact_mut(dtype.size())
                    .for_each(<[u8]>::reverse);
            }
            let flat = i64::try_from(storage.length).unwrap_or(i64::MAX);
            let decode = if self.own_types {
                dtype::decode_as_is
            } else {
                dtype::decode
            };
            let flat = decode(&data, dtype, &[flat]).map_err(|clause| fault(&clause))?;
            self.storages.insert(key.clone(), flat);
        }
        if let Some(storage) = self.storages.get(&key) {
            let tensor = view.copy_from(storage).map_err(|clause| fault(&clause))?;
            self.read.insert(name.to_owned(), tensor);
        }
        Ok(())
    }
}

/// Tensors by their names.
pub(super) type Named<'p> = Vec<(Cow<'p, str>, &'p TensorRef)>;

/// The tensors of the state dict in `pickle`, at its root or nested in a checkpoint. Of a checkpoint with several networks
/// under keys of its own (`student`, `teacher`), those of all, with the keys before their names.
///
/// # Errors
/// If it holds none.
pub(super) fn state_dict<'a>(path: &Path, pickle: &'a Pickle) -> Result<Named<'a>> {
    if let PickleValue::Dict(entries) = pickle.get(innermost(pickle, pickle.root)) {
        let found = match entries_of(pickle, entries) {
            found if found.is_empty() => entries_of_members(pickle, entries),
            found => found,
        };
        if !found.is_empty() {
            return Ok(found);
        }
    }
    Err(file_error(path, "holds no state dict")
        .help("save one with `torch.save(model.state_dict(), PATH)`"))
}

/// The dict that is nested in the dict `at` under keys of [`WRAPPERS`]; `at` itself if there is none.
fn innermost(pickle: &Pickle, mut at: usize) -> usize {
    for _ in 1..MAX_NESTING {
        let PickleValue::Dict(entries) = pickle.get(at) else {
            break;
        };
        let inner = WRAPPERS
            .iter()
            .filter_map(|key| pickle.entry(entries, key))
            .find(|&id| matches!(pickle.get(id), PickleValue::Dict(_)));
        match inner {
            Some(inner) => at = inner,
            None => break,
        }
    }
    at
}

/// The tensors of the dicts among the entries of a dict.
fn entries_of_members<'a>(pickle: &'a Pickle, entries: &[(usize, usize)]) -> Named<'a> {
    let mut found = Vec::new();
    // A dict under many keys is read once: its names must not fill the memory.
    let mut seen = BTreeSet::new();
    for &(key, value) in entries {
        let inner = innermost(pickle, value);
        let (PickleValue::Text(key), PickleValue::Dict(inner), true) =
            (pickle.get(key), pickle.get(inner), seen.insert(inner))
        else {
            continue;
        };
        let named = entries_of(pickle, inner).into_iter();
        found.extend(named.map(|(name, tensor)| (Cow::Owned(format!("{key}.{name}")), tensor)));
    }
    found
}

/// The tensors of the dict in `pickle`, which may be empty, or the tensor that it is, with the name "".
///
/// # Errors
/// If it is another value.
pub(super) fn all_tensors<'a>(path: &Path, pickle: &'a Pickle) -> Result<Named<'a>> {
    match pickle.get(pickle.root) {
        PickleValue::Tensor(tensor) => Ok(vec![(Cow::Borrowed(""), tensor)]),
        PickleValue::Dict(entries) => Ok(entries_of(pickle, entries)),
        _ => Err(file_error(path, "has a pickle that is no dict of tensors")),
    }
}

/// The tensors among the entries of a dict, by their names.
fn entries_of<'a>(pickle: &'a Pickle, entries: &[(usize, usize)]) -> Named<'a> {
    let pair = |&(key, value): &(usize, usize)| match (pickle.get(key), pickle.get(value)) {
        (PickleValue::Text(name), PickleValue::Tensor(tensor)) => {
            Some((Cow::Borrowed(name.as_str()), tensor))
        }
        _ => None,
    };
    entries.iter().filter_map(pair).collect()
}

/// The error about the file at `path` with a pickle that can't be read.
pub(super) fn pickle_error(path: &Path, error: PickleError) -> Error {
    match error {
        PickleError::Global(name) => file_error(
            path,
            &format!("names `{name}`, which is not allowed; no code was run"),
        )
        .help(
            "allowed are tensors and plain containers; if you trust the file's author, save its \
             state dict alone: `torch.save(model.state_dict(), PATH)`",
        ),
        PickleError::Malformed(clause) => file_error(path, &clause)
            .help("it should be a state dict that `torch.save` wrote, copied in full"),
    }
}
