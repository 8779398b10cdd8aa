//! Results on disk. Files are written under a temporary name and then moved, so that a run that is killed leaves the
//! earlier results or the new ones, never half of either.

use std::io::Write;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::record::Results;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Tensors, Values};

/// The report's file in an experiment's output folder.
pub const REPORT: &str = "report.html";
/// The file of [`Results`].
pub const RESULTS: &str = "results.json";
/// The file of the tensors.
pub const TENSORS: &str = "data.safetensors";
/// The file of the lock.
pub const LOCK: &str = "experiment.lock.yaml";

/// The key of the text about the tensors in a safetensors file's header.
const ABOUT: &str = "about";

/// The bytes of a safetensors file; the same tensors give the same bytes.
///
/// # Errors
/// If the number of an array's values doesn't match its shape.
pub fn to_safetensors(tensors: &Tensors) -> Result<Vec<u8>> {
    to_safetensors_about(tensors, None)
}

/// As [`to_safetensors`], with a text about the tensors in the file's header.
///
/// # Errors
/// As [`to_safetensors`].
pub(crate) fn to_safetensors_about(tensors: &Tensors, about: Option<String>) -> Result<Vec<u8>> {
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
            Error::new(ErrorKind::Io, format!("can't store `{key}`")).caused_by(error)
        })?;
        views.push((key.as_str(), view));
    }
    let about = about.map(|text| [(ABOUT.to_owned(), text)].into());
    safetensors::serialize(views, about)
        .map_err(|error| Error::new(ErrorKind::Io, "can't store the tensors").caused_by(error))
}

/// The tensors of a safetensors file that convscope wrote.
///
/// # Errors
/// If the bytes are not a safetensors file, or a tensor is neither float32 nor uint8.
pub fn from_safetensors(bytes: &[u8]) -> Result<Tensors> {
    Ok(from_safetensors_about(bytes)?.0)
}

/// As [`from_safetensors`], with the text about the tensors, if there is one.
///
/// # Errors
/// As [`from_safetensors`].
pub(crate) fn from_safetensors_about(bytes: &[u8]) -> Result<(Tensors, Option<String>)> {
    let broken =
        |error| Error::new(ErrorKind::Io, format!("{TENSORS} can't be read")).caused_by(error);
    let file = SafeTensors::deserialize(bytes).map_err(broken)?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(broken)?;
    let about = header.metadata().as_ref();
    let about = about.and_then(|texts| texts.get(ABOUT).cloned());
    let mut tensors = Tensors::new();
    for (key, view) in file.iter() {
        let shape = view.shape();
        let array = match view.dtype() {
            Dtype::F32 => {
                let (values, _) = view.data().as_chunks::<4>();
                Array::f32(
                    shape,
                    values
                        .iter()
                        .map(|bytes| f32::from_le_bytes(*bytes))
                        .collect(),
                )
            }
            Dtype::U8 => Array::u8(shape, view.data().to_vec()),
            other => {
                let message =
                    format!("`{key}` in {TENSORS} must be float32 or uint8, got {other:?}");
                return Err(Error::new(ErrorKind::Io, message));
            }
        };
        tensors.insert(key.to_owned(), array);
    }
    Ok((tensors, about))
}

/// Reads the results of a finished run.
///
/// # Errors
/// If a file is missing, or was not written by a run of this format.
pub fn read(folder: &Path) -> Result<(Results, Tensors)> {
    let path = folder.join(RESULTS);
    let text = std::fs::read(&path).map_err(|error| {
        Error::io("read", &path, error).help("give a folder that `convscope run` wrote")
    })?;
    let results = serde_json::from_slice(&text).map_err(|error| {
        let message = format!(
            "{} is not what this version of convscope writes",
            path.display()
        );
        Error::new(ErrorKind::Io, message).caused_by(error)
    })?;
    let path = folder.join(TENSORS);
    let bytes = std::fs::read(&path).map_err(|error| Error::io("read", &path, error))?;
    let tensors = from_safetensors(&bytes).map_err(|error| {
        let message = format!("{} is damaged", path.display());
        let help = "run the experiment again";
        Error::new(ErrorKind::Io, message)
            .caused_by(error)
            .help(help)
    })?;
    Ok((results, tensors))
}

/// A folder that files can be written into. When it is dropped, folders that it created and that are still empty are
/// removed again.
#[derive(Debug)]
pub struct OutputFolder {
    /// The folders that did not exist before, the outermost first.
    created: Vec<PathBuf>,
}

impl OutputFolder {
    /// The folders that it created, the outermost first.
    pub fn created(&self) -> &[PathBuf] {
        &self.created
    }
}

impl Drop for OutputFolder {
    fn drop(&mut self) {
        // `remove_dir` fails for a folder that is not empty.
        for folder in self.created.iter().rev() {
            let _ = std::fs::remove_dir(folder);
        }
    }
}

/// Creates `folder` if it doesn't exist, and checks that files can be written there.
///
/// # Errors
/// [`ErrorKind::Usage`] if they can't: the call named the folder.
pub fn prepare_folder(folder: &Path) -> Result<OutputFolder> {
    let failed = |error| {
        let message = format!("can't write into {}", folder.display());
        Error::new(ErrorKind::Usage, message)
            .caused_by(error)
            .help("name another output folder with `--out`")
    };
    let missing = folder
        .ancestors()
        .take_while(|above| !above.as_os_str().is_empty() && !above.exists());
    let mut created: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    created.reverse();
    let output = OutputFolder { created };
    std::fs::create_dir_all(folder).map_err(failed)?;
    tempfile::tempfile_in(folder).map_err(failed)?;
    Ok(output)
}

/// Writes `files`, each a name and its content, into `folder`: all of them under temporary names first, then each is
/// moved to its own.
///
/// # Errors
/// If one can't be written; then the files that were there before are unchanged.
pub fn write(folder: &Path, files: &[(&str, &[u8])]) -> Result<()> {
    let mut written = Vec::with_capacity(files.len());
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
            // A temporary file can be read by its owner alone; a report is for others too.
            use std::os::unix::fs::PermissionsExt;
            let readable = std::fs::Permissions::from_mode(0o644);
            file.as_file().set_permissions(readable).map_err(failed)?;
        }
        written.push((path, file));
    }
    for (path, file) in written {
        file.persist(&path)
            .map_err(|error| Error::io("write", &path, error.error))?;
    }
    Ok(())
}
