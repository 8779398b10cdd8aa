//! PyTorch's files: the zip archive `torch.save` writes today, and the row of pickles before it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use tch::Tensor;

use super::elements::{self, Element, View};
use super::pickle::{Pickle, Refused, Storage, TensorRef, Value};
use super::{StateDict, cut_short, wrong};
use crate::error::{Error, Result};

/// The largest pickle that is read, in bytes; a large network's has some hundred kilobytes.
const PICKLE_LIMIT: u64 = 64 << 20;

/// How many numbers all tensors together may have, for each byte of the file: views that repeat
/// a storage are allowed, a file that fills the memory with them is not.
const NUMBERS_PER_BYTE: u64 = 8;

/// What the first pickle of an old file holds.
const OLD_MAGIC: i128 = 0x1950_a86a_20f9_469c_fc6c;

/// Keys under which training programs keep the state dict.
const WRAPPERS: [&str; 5] = ["state_dict", "model_state_dict", "model", "net", "module"];

/// Reads the zip archive at `path`.
pub(super) fn read_zip(path: &Path, file: File) -> Result<StateDict> {
    let length = file.metadata().map(|data| data.len()).unwrap_or(0);
    let broken = |cause: zip::result::ZipError| {
        wrong(path, "is a PyTorch archive that can't be read")
            .because(cause)
            .help("it is probably cut short; fetch or copy it again")
    };
    let mut archive = zip::ZipArchive::new(file).map_err(broken)?;
    let pickle_name = archive
        .file_names()
        .flatten()
        .filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl"))
        .min_by_key(|name| name.len())
        .map(|name| name.into_owned());
    let Some(pickle_name) = pickle_name else {
        return Err(wrong(
            path,
            "is a zip archive, but not one of PyTorch's (no `data.pkl`)",
        ));
    };
    let folder = pickle_name.trim_end_matches("data.pkl").to_owned();
    let mut entry = |name: &str, limit: u64| -> Result<Vec<u8>> {
        let entry = archive
            .by_name(name)
            .map_err(|cause| wrong(path, &format!("lacks its part `{name}`")).because(cause))?;
        let mut bytes = Vec::new();
        entry
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|cause| Error::io("read", path, cause))?;
        match bytes.len() as u64 > limit {
            true => Err(wrong(
                path,
                &format!("has a part `{name}` larger than it should be"),
            )),
            false => Ok(bytes),
        }
    };
    let pickle = entry(&pickle_name, PICKLE_LIMIT)?;
    let pickle = Pickle::read(&pickle).map_err(|refused| refusal(path, refused))?;
    let swapped = match entry(&format!("{folder}byteorder"), 16) {
        Ok(order) => order.trim_ascii() == b"big",
        // Archives from before PyTorch 2.1 have none.
        Err(_) => false,
    };
    let budget = length.saturating_mul(NUMBERS_PER_BYTE);
    let mut tensors = Loader::new(path, budget, swapped);
    for (name, tensor) in state_dict(path, &pickle)? {
        tensors.add(name, tensor, |storage, bytes| {
            entry(&format!("{folder}data/{}", storage.key), bytes as u64)
        })?;
    }
    Ok(tensors.done)
}

/// Reads the file at `path`, which begins with a pickle.
pub(super) fn read_old(path: &Path, mut file: File) -> Result<StateDict> {
    let io = |cause| Error::io("read", path, cause);
    let length = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    (&mut file)
        .take(PICKLE_LIMIT)
        .read_to_end(&mut head)
        .map_err(io)?;
    let mut rest = head.as_slice();
    let mut next = || -> Result<Pickle> {
        let pickle = Pickle::read(rest).map_err(|refused| refusal(path, refused))?;
        rest = rest.get(pickle.length..).unwrap_or_default();
        Ok(pickle)
    };
    let magic = next()?;
    if magic.get(magic.root) != &Value::Int(OLD_MAGIC) {
        return Err(wrong(
            path,
            "is a pickle, but not one that `torch.save` wrote",
        ));
    }
    let _protocol = next()?;
    let system = next()?;
    let little = match system.get(system.root) {
        Value::Dict(entries) => system.entry(entries, "little_endian"),
        _ => None,
    };
    let swapped = little.is_some_and(|id| system.get(id) == &Value::Bool(false));
    let pickle = next()?;
    let keys = next()?;
    let mut at = (head.len() - rest.len()) as u64;

    let wanted = state_dict(path, &pickle)?;
    // A storage's own length stands before its numbers, the size of one of them nowhere but in
    // the pickle, and also storages that no weight uses take room: so all are looked up there.
    let mut sizes = BTreeMap::new();
    for value in &pickle.values {
        if let Value::Storage(storage) = value {
            sizes.insert(
                storage.key.as_str(),
                storage.element.map_or(1, Element::size),
            );
        }
    }
    let mut places = BTreeMap::new();
    let Value::List(keys_in_order) = keys.get(keys.root) else {
        return Err(wrong(
            path,
            "is an old PyTorch file without a list of its storages",
        ));
    };
    for &key in keys_in_order {
        let Value::Text(key) = keys.get(key) else {
            return Err(wrong(
                path,
                "is an old PyTorch file with a storage without a name",
            ));
        };
        let mut count = [0; 8];
        file.seek(SeekFrom::Start(at)).map_err(io)?;
        file.read_exact(&mut count)
            .map_err(|_| cut_short(path, length, at + 8))?;
        let count = match swapped {
            true => u64::from_be_bytes(count),
            false => u64::from_le_bytes(count),
        };
        let size = sizes.get(key.as_str()).copied().unwrap_or(1) as u64;
        let end = count
            .checked_mul(size)
            .and_then(|bytes| bytes.checked_add(at + 8));
        match end {
            Some(end) if end <= length => {
                places.insert(key.clone(), (at + 8, (end - at - 8) as usize));
                at = end;
            }
            _ => return Err(cut_short(path, length, end.unwrap_or(u64::MAX))),
        }
    }
    let mut tensors = Loader::new(path, length.saturating_mul(NUMBERS_PER_BYTE), swapped);
    for (name, tensor) in wanted {
        tensors.add(name, tensor, |storage, _| {
            let Some(&(start, bytes)) = places.get(&storage.key) else {
                let clause = format!("lacks the storage `{}`", storage.key);
                return Err(wrong(path, &clause));
            };
            let mut data = vec![0; bytes];
            file.seek(SeekFrom::Start(start)).map_err(io)?;
            file.read_exact(&mut data).map_err(io)?;
            Ok(data)
        })?;
    }
    Ok(tensors.done)
}

/// Turns references into tensors, reading each storage once.
struct Loader<'a> {
    path: &'a Path,
    /// How many numbers may still come.
    budget: u64,
    swapped: bool,
    storages: BTreeMap<(String, Element), Tensor>,
    done: StateDict,
}

impl<'a> Loader<'a> {
    fn new(path: &'a Path, budget: u64, swapped: bool) -> Self {
        Loader {
            path,
            budget,
            swapped,
            storages: BTreeMap::new(),
            done: StateDict::new(),
        }
    }

    /// Adds one tensor; `fetch` gets a storage's bytes, of which there should be so many.
    fn add(
        &mut self,
        name: &str,
        tensor: &TensorRef,
        fetch: impl FnOnce(&Storage, usize) -> Result<Vec<u8>>,
    ) -> Result<()> {
        let fault = |clause: &str| wrong(self.path, &format!("is broken: `{name}` {clause}"));
        let TensorRef { storage, view } = tensor;
        let Some(element) = storage.element else {
            return Err(fault("has a storage without a type"));
        };
        let (view, limit) = match storage.part {
            None => (view.clone(), storage.length),
            Some((start, length)) => {
                let offset = i64::try_from(start)
                    .ok()
                    .and_then(|start| view.offset.checked_add(start));
                let end = start.checked_add(length);
                let (Some(offset), Some(end)) = (offset, end) else {
                    return Err(fault("lies outside its storage"));
                };
                let view = View {
                    offset,
                    ..view.clone()
                };
                (view, end.min(storage.length))
            }
        };
        view.check(limit).map_err(|clause| fault(&clause))?;
        let key = (storage.key.clone(), element);
        let is_new = !self.storages.contains_key(&key);
        let numbers = elements::count(&view.shape).unwrap_or(usize::MAX) as u64;
        let numbers = numbers.saturating_add(if is_new { storage.length as u64 } else { 0 });
        self.budget = self.budget.checked_sub(numbers).ok_or_else(|| {
            fault("and those before it have more numbers than the file has room for")
        })?;
        if is_new {
            let bytes = storage.length.checked_mul(element.size());
            let mut data = fetch(storage, bytes.unwrap_or(usize::MAX))?;
            if bytes != Some(data.len()) {
                let clause = format!(
                    "should have a storage of {} numbers, found {} bytes",
                    storage.length,
                    data.len()
                );
                return Err(fault(&clause));
            }
            if self.swapped {
                data.chunks_exact_mut(element.size())
                    .for_each(<[u8]>::reverse);
            }
            let flat = i64::try_from(storage.length).unwrap_or(i64::MAX);
            let flat =
                elements::tensor(&data, element, &[flat]).map_err(|clause| fault(&clause))?;
            self.storages.insert(key.clone(), flat);
        }
        if let Some(storage) = self.storages.get(&key) {
            let tensor = view.of(storage).map_err(|clause| fault(&clause))?;
            self.done.insert(name.to_owned(), tensor);
        }
        Ok(())
    }
}

/// The tensors of the state dict in `pickle`, wherever it is nested.
fn state_dict<'a>(path: &Path, pickle: &'a Pickle) -> Result<Vec<(&'a str, &'a TensorRef)>> {
    let tensors = |entries: &'a [(usize, usize)]| -> Vec<(&'a str, &'a TensorRef)> {
        let pair = |&(key, value): &(usize, usize)| match (pickle.get(key), pickle.get(value)) {
            (Value::Text(name), Value::Tensor(tensor)) => Some((name.as_str(), tensor)),
            _ => None,
        };
        entries.iter().filter_map(pair).collect()
    };
    let mut at = pickle.root;
    // A checkpoint in a checkpoint is known; deeper than this, none is.
    for _ in 0..4 {
        let Value::Dict(entries) = pickle.get(at) else {
            break;
        };
        let inner = WRAPPERS
            .iter()
            .filter_map(|key| pickle.entry(entries, key))
            .find(|&id| matches!(pickle.get(id), Value::Dict(_)));
        match inner {
            Some(inner) => at = inner,
            None => {
                let found = tensors(entries);
                if found.is_empty() {
                    break;
                }
                return Ok(found);
            }
        }
    }
    Err(wrong(path, "holds no state dict")
        .help("save one with `torch.save(model.state_dict(), PATH)`"))
}

fn refusal(path: &Path, refused: Refused) -> Error {
    match refused {
        Refused::Global(name) => wrong(
            path,
            &format!("names `{name}`: refused, nothing of it was run"),
        )
        .help(
            "weights need tensors and plain containers only; if the file is from someone you \
             trust, save its state dict alone: `torch.save(model.state_dict(), PATH)`",
        ),
        Refused::Malformed(clause) => wrong(path, &clause)
            .help("is it a state dict that `torch.save` wrote, and copied in full?"),
    }
}
