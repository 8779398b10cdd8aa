//! The interface of weight formats, and what they share: the state dict, errors about a file, reading a small file.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use tch::Tensor;

use crate::error::{Error, ErrorKind, Result};
use crate::network::zoo::ArchOptions;

/// The tensors of a weight file, float32, by name.
pub type StateDict = BTreeMap<String, Tensor>;

/// One format of weight files. Each is a file of this folder and a line in [`FORMATS`](super::FORMATS).
#[derive(Clone, Copy)]
pub struct Format {
    /// Its name: `safetensors`. The catalogue of weight sets names formats by it.
    pub name: &'static str,
    /// Whether a file that begins with these bytes (the first 512, or all of a shorter file) has this format. `None`:
    /// the format has to be named, because its tensors are converted for one architecture.
    pub(super) detect: Option<fn(&[u8]) -> bool>,
    /// Every tensor of the file (or folder) at a path. Names are those in the file, or torchvision's where the format
    /// converts for one architecture.
    pub(super) read: fn(&Path) -> Result<StateDict>,
    /// The architecture's options for weights of this format, given those of the spec.
    pub(super) options: fn(ArchOptions) -> ArchOptions,
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "Format({})", self.name)
    }
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

/// An error about the file at `path`; `clause` is the predicate of the sentence: `is empty`.
pub(in crate::network) fn file_error(path: &Path, clause: &str) -> Error {
    Error::new(ErrorKind::Weights, format!("{} {clause}", path.display()))
}

/// An error about a file of `length` bytes that should have `needed` or more.
pub(super) fn truncated(path: &Path, length: u64, needed: u64) -> Error {
    let clause = format!("is cut short: it has {length} bytes and needs at least {needed}");
    file_error(path, &clause).help("fetch or copy it again")
}

/// All bytes of the file at `path`.
///
/// # Errors
/// If it can't be read, or has more than `limit` bytes.
pub(super) fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let io = |cause| Error::io("read", path, cause);
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        let clause = format!("is too large: at most {limit} bytes can be read");
        return Err(file_error(path, &clause));
    }
    Ok(bytes)
}
