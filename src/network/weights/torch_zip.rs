//! The zip archive that `torch.save` has written since PyTorch 1.6: a pickle, and one file per storage.

use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use super::format::{Format, StateDict, file_error};
use super::pickle::Pickle;
use super::torch_tensors::{
    Named, PICKLE_LIMIT, TensorReader, VALUES_PER_BYTE, all_tensors, pickle_error, state_dict,
};
use crate::error::{Error, Result};

/// PyTorch's zip archive.
pub(super) const FORMAT: Format = Format {
    name: "torch_zip",
    detect: Some(|head| head.starts_with(b"PK\x03\x04")),
    read,
    options: |options| options,
};

fn read(path: &Path) -> Result<StateDict> {
    let file = File::open(path).map_err(|cause| Error::io("read", path, cause))?;
    let length = file.metadata().map(|data| data.len()).unwrap_or(0);
    let tensors = TensorReader::new(path, length.saturating_mul(VALUES_PER_BYTE));
    read_archive(tensors, file, length, state_dict)
}

/// The tensors of an archive that is a part of the file at `path`, in their own data types: those of a dict, or one tensor
/// with the name "".
///
/// # Errors
/// As for a file.
pub(in crate::network) fn read_part(path: &Path, bytes: Vec<u8>) -> Result<StateDict> {
    let length = bytes.len() as u64;
    let tensors = TensorReader::new(path, length.saturating_mul(VALUES_PER_BYTE_OF_PART));
    read_archive(
        tensors.with_own_types(),
        Cursor::new(bytes),
        length,
        all_tensors,
    )
}

/// The values of a part per byte: its tensors are not repeated parts of a storage.
const VALUES_PER_BYTE_OF_PART: u64 = 2;

/// What finds the tensors in a pickle.
type Find = for<'p> fn(&Path, &'p Pickle) -> Result<Named<'p>>;

fn read_archive(
    mut tensors: TensorReader,
    file: impl Read + Seek,
    length: u64,
    find: Find,
) -> Result<StateDict> {
    let path = tensors.path;
    let broken = |cause: zip::result::ZipError| {
        file_error(path, "is a PyTorch archive that can't be read")
            .caused_by(cause)
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
        return Err(file_error(
            path,
            "is a zip archive without `data.pkl`, so not one of PyTorch's",
        ));
    };
    let folder = pickle_name.trim_end_matches("data.pkl").to_owned();
    let mut entry = |name: &str, limit: u64| -> Result<Vec<u8>> {
        let entry = archive.by_name(name).map_err(|cause| {
            file_error(path, &format!("lacks its part `{name}`")).caused_by(cause)
        })?;
        let mut bytes = Vec::new();
        entry
            .take(limit.saturating_add(1))
            .read_to_end(&mut bytes)
            .map_err(|cause| Error::io("read", path, cause))?;
        if bytes.len() as u64 > limit {
            let clause = format!("has a part `{name}` larger than it should be");
            return Err(file_error(path, &clause));
        }
        Ok(bytes)
    };
    // PyTorch does not compress the pickle.
    let limit = length.saturating_mul(20).saturating_add(1 << 20);
    let pickle = entry(&pickle_name, PICKLE_LIMIT.min(limit))?;
    let pickle = Pickle::read(&pickle).map_err(|error| pickle_error(path, error))?;
    tensors.swapped = match entry(&format!("{folder}byteorder"), 16) {
        Ok(order) => order.trim_ascii() == b"big",
        // Archives from before PyTorch 2.1 have none.
        Err(_) => false,
    };
    for (name, tensor) in find(path, &pickle)? {
        tensors.add(&name, tensor, |storage, bytes| {
            entry(&format!("{folder}data/{}", storage.key), bytes as u64)
        })?;
    }
    Ok(tensors.read)
}
