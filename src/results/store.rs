//! Results on disk: written aside and moved into place, so that a killed run leaves the old ones or
//! the new ones, never half of either.

use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Results;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Tensors, Values};

/// The names of the files in an experiment's output folder.
pub const REPORT: &str = "report.html";
pub const RESULTS: &str = "results.json";
pub const TENSORS: &str = "data.safetensors";
pub const LOCK: &str = "experiment.lock.yaml";

/// Tensors as the bytes of a safetensors file, the same for the same tensors.
///
/// # Errors
/// If an array is not what its shape says.
pub fn to_safetensors(tensors: &Tensors) -> Result<Vec<u8>> {
    let bytes: Vec<(&String, &Array, Vec<u8>)> = tensors
        .iter()
        .map(|(key, array)| {
            let bytes = match &array.values {
                Values::F32(values) => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
                Values::U8(values) => values.clone(),
            };
            (key, array, bytes)
        })
        .collect();
    let mut views = Vec::with_capacity(bytes.len());
    for (key, array, bytes) in &bytes {
        let kind = match array.values {
            Values::F32(_) => Dtype::F32,
            Values::U8(_) => Dtype::U8,
        };
        let view = TensorView::new(kind, array.shape.clone(), bytes).map_err(|error| {
            Error::new(ErrorKind::Io, format!("can't store `{key}`")).because(error)
        })?;
        views.push((key.as_str(), view));
    }
    safetensors::serialize(views, None)
        .map_err(|error| Error::new(ErrorKind::Io, "can't store the tensors").because(error))
}

/// The tensors of a safetensors file that convscope wrote.
///
/// # Errors
/// If the bytes are not such a file, or hold something else than float32 and bytes.
pub fn from_safetensors(bytes: &[u8]) -> Result<Tensors> {
    let broken =
        |error| Error::new(ErrorKind::Io, format!("{TENSORS} can't be read")).because(error);
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let mut tensors = Tensors::new();
    for (key, view) in file.iter() {
        let shape = view.shape();
        let array = match view.dtype() {
            Dtype::F32 => {
                let (numbers, _) = view.data().as_chunks::<4>();
                Array::f32(
                    shape,
                    numbers.iter().map(|n| f32::from_le_bytes(*n)).collect(),
                )
            }
            Dtype::U8 => Array::u8(shape, view.data().to_vec()),
            other => {
                let message = format!("`{key}` in {TENSORS} is {other:?}, not float32 or bytes");
                return Err(Error::new(ErrorKind::Io, message));
            }
        };
        tensors.insert(key.to_owned(), array);
    }
    Ok(tensors)
}

/// Reads the results of a finished run.
///
/// # Errors
/// If a file is missing or is not what `run` writes.
pub fn read(folder: &Path) -> Result<(Results, Tensors)> {
    let path = folder.join(RESULTS);
    let text = std::fs::read(&path).map_err(|error| {
        Error::io("read", &path, error).help("give the folder that `convscope run` wrote")
    })?;
    let results = serde_json::from_slice(&text).map_err(|error| {
        let message = format!(
            "{} is not what this version of convscope writes",
            path.display()
        );
        Error::new(ErrorKind::Io, message).because(error)
    })?;
    let path = folder.join(TENSORS);
    let bytes = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
    let tensors = from_safetensors(&bytes).map_err(|error| {
        let message = format!("{} is damaged", path.display());
        let help = "run the experiment again: its folder is written anew";
        Error::new(ErrorKind::Io, message).because(error).help(help)
    })?;
    Ok((results, tensors))
}

/// A folder that can be written into. Dropped before anything is, it takes the folders that it made
/// away again.
#[derive(Debug)]
pub struct Prepared {
    /// The folders that were not there before, the outermost first.
    made: Vec<PathBuf>,
}

impl Drop for Prepared {
    fn drop(&mut self) {
        // Only empty folders can be removed so.
        for folder in self.made.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Makes `folder` if need be, and finds out whether files can be written there.
///
/// # Errors
/// A [`ErrorKind::Usage`] error if not: the call named it.
pub fn prepare(folder: &Path) -> Result<Prepared> {
    let refused = |error| {
        let message = format!("can't write into {}", folder.display());
        Error::new(ErrorKind::Usage, message)
            .because(error)
            .help("name another output folder with `--out`")
    };
    let missing = folder
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists());
    let mut made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    made.reverse();
    let prepared = Prepared { made };
    std::fs::create_dir_all(folder).map_err(refused)?;
    tempfile::tempfile_in(folder).map_err(refused)?;
    Ok(prepared)
}

/// Writes `files` into `folder`: all of them aside first, then each moved into place.
///
/// # Errors
/// If the disk refuses; what stood there before then still stands.
pub fn write(folder: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let mut aside = Vec::with_capacity(files.len());
    for (name, bytes) in files {
        let path = folder.join(name);
        let failed = |error| Error::io("write", &path, error);
        let mut file = tempfile::Builder::new()
            .prefix(".convscope-")
            .tempfile_in(folder)
            .map_err(failed)?;
        file.write_all(bytes).map_err(failed)?;
        #[cfg(unix)]
        {
            // A temporary file is the owner's alone; a report is for others too.
            use std::os::unix::fs::PermissionsExt;
            let open = std::fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(open).map_err(failed)?;
        }
        aside.push((path, file));
    }
    for (path, file) in aside {
        file.persist(&path)
            .map_err(|error| Error::io("write", &path, error.error))?;
    }
    Ok(())
}
