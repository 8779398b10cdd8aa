//! The format of `torch.save` before PyTorch 1.6: five consecutive pickles, then all storages.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::dtype::Dtype;
use super::format::{Format, StateDict, file_error, truncated};
use super::pickle::{Pickle, PickleValue};
use super::torch_tensors::{PICKLE_LIMIT, TensorReader, VALUES_PER_BYTE, pickle_error, state_dict};
use crate::error::{Error, Result};

/// PyTorch's format before 1.6.
pub(super) const FORMAT: Format = Format {
    name: "torch_legacy",
    detect: Some(|head| matches!(head, [0x80, 0..=5, ..])),
    read,
    options: |options| options,
};

/// The magic number, which is the first pickle.
const MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;

fn read(path: &Path) -> Result<StateDict> {
    let io = |cause| Error::io("read", path, cause);
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    (&mut file)
        .take(PICKLE_LIMIT)
        .read_to_end(&mut head)
        .map_err(io)?;
    let mut rest = head.as_slice();
    let mut next = || -> Result<Pickle> {
        let pickle = Pickle::read(rest).map_err(|error| pickle_error(path, error))?;
        rest = rest.get(pickle.length..).unwrap_or_default();
        Ok(pickle)
    };
    let magic = next()?;
    if magic.get(magic.root) != &PickleValue::Int(MAGIC) {
        return Err(file_error(
            path,
            "is a pickle, but not one that `torch.save` wrote",
        ));
    }
    let _protocol = next()?;
    let system = next()?;
    let little = match system.get(system.root) {
        PickleValue::Dict(entries) => system.entry(entries, "little_endian"),
        _ => None,
    };
    let swapped = little.is_some_and(|id| system.get(id) == &PickleValue::Bool(false));
    let pickle = next()?;
    let keys = next()?;
    let wanted = state_dict(path, &pickle)?;
    let storages = Storages {
        path,
        length,
        swapped,
        first: (head.len() - rest.len()) as u64,
    };
    let storages = storages.locate(&mut file, &pickle, &keys)?;
    let mut tensors = TensorReader::new(path, length.saturating_mul(VALUES_PER_BYTE));
    tensors.swapped = swapped;
    for (name, tensor) in wanted {
        tensors.add(&name, tensor, |storage, _| {
            let Some(&(start, bytes)) = storages.get(&storage.key) else {
                let clause = format!("lacks the storage `{}`", storage.key);
                return Err(file_error(path, &clause));
            };
            let mut data = vec![0; bytes];
            file.seek(SeekFrom::Start(start)).map_err(io)?;
            file.read_exact(&mut data).map_err(io)?;
            Ok(data)
        })?;
    }
    Ok(tensors.read)
}

/// The part of the file after the pickles: for each storage its length, then its values.
struct Storages<'a> {
    path: &'a Path,
    /// Length of the file in bytes.
    length: u64,
    /// Whether the file is big-endian.
    swapped: bool,
    /// Offset of the first storage in the file, in bytes.
    first: u64,
}

impl Storages<'_> {
    /// Offset and length in bytes of every storage's values, by key, for the storages of `pickle` in the order of
    /// `keys`.
    fn locate(
        &self,
        file: &mut File,
        pickle: &Pickle,
        keys: &Pickle,
    ) -> Result<BTreeMap<String, (u64, usize)>> {
        let path = self.path;
        // Each storage is preceded by its number of values, but the size of a value is only in the pickle. Storages
        // that no tensor uses are in the file, too, so the sizes of all storages are needed.
        let mut sizes = BTreeMap::new();
        for value in &pickle.values {
            if let PickleValue::Storage(storage) = value {
                let size = storage.dtype.map_or(1, Dtype::size) as u64;
                sizes.insert(storage.key.as_str(), size);
            }
        }
        let PickleValue::List(keys_in_order) = keys.get(keys.root) else {
            let clause = "is an old PyTorch file without a list of its storages";
            return Err(file_error(path, clause));
        };
        let mut located = BTreeMap::new();
        let mut at = self.first;
        for &key in keys_in_order {
            let PickleValue::Text(key) = keys.get(key) else {
                let clause = "is an old PyTorch file with a storage without a name";
                return Err(file_error(path, clause));
            };
            let mut count = [0; 8];
            file.seek(SeekFrom::Start(at))
                .map_err(|cause| Error::io("read", path, cause))?;
            file.read_exact(&mut count)
                .map_err(|_| truncated(path, self.length, at + 8))?;
            let count = if self.swapped {
                u64::from_be_bytes(count)
            } else {
                u64::from_le_bytes(count)
            };
            let size = sizes.get(key.as_str()).copied().unwrap_or(1);
            let end = count
                .checked_mul(size)
                .and_then(|bytes| bytes.checked_add(at + 8));
            match end {
                Some(end) if end <= self.length => {
                    located.insert(key.clone(), (at + 8, (end - at - 8) as usize));
                    at = end;
                }
                _ => return Err(truncated(path, self.length, end.unwrap_or(u64::MAX))),
            }
        }
        Ok(located)
    }
}
