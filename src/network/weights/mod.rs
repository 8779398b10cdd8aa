//! Weight files: the tensors of a file become the parameters of an architecture.
//!
//! The format is recognised by a file's content, not by its name. No code in a file is ever run: PyTorch's pickles are
//! read by an interpreter that supports only tensors and plain containers.

mod checkpoint_note;
pub(in crate::network) mod dtype;
pub(in crate::network) mod format;
mod head_layers;
mod match_architecture;
mod naming_schemes;
pub mod onnx;
pub(in crate::network) mod pickle;
mod prefix;
mod safetensors;
pub mod tfjs;
mod torch_legacy;
mod torch_tensors;
pub(in crate::network) mod torch_zip;
mod variant;
mod vgg16_head;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use super::file_kind::FileKind;
use super::forward::Network;
use super::zoo::{Arch, ArchOptions};
use crate::error::{Error, ErrorKind, Result};
use format::file_error;

pub use checkpoint_note::{CHECKPOINT_SENTENCES, CheckpointNote};
pub use format::{Format, StateDict};
pub use match_architecture::{Checkpoint, into_parameters};
pub use vgg16_head::{VGG16_HEAD, vgg16_head_notes};

/// All formats, in the order in which a file is tried for them.
pub const FORMATS: &[&Format] = &[
    &torch_zip::FORMAT,
    &safetensors::FORMAT,
    &torch_legacy::FORMAT,
    &tfjs::FORMAT,
    &onnx::FORMAT,
];

/// The format called `name`.
///
/// # Errors
/// If there is none, with the names of all formats.
pub fn find_format(name: &str) -> Result<&'static Format> {
    let found = FORMATS.iter().find(|format| format.name == name);
    found.copied().ok_or_else(|| {
        let names: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
        let message = format!("there is no weight format `{name}`");
        Error::new(ErrorKind::Weights, message).help(format!("formats are {}", names.join(", ")))
    })
}

/// A network of the zoo with the weights of a file.
#[derive(Debug)]
pub struct LoadedNetwork {
    /// The network.
    pub network: Network,
    /// The variant of its architecture that the file holds.
    pub options: ArchOptions,
    /// What was chosen of the file, and what was assumed.
    pub notes: Vec<CheckpointNote>,
}

/// Loads `arch` with the weights at `path`, a file or a folder, in the given format, or
/// in the format recognised from its content.
///
/// # Errors
/// If a file can't be read, is broken, or does not fit `arch`; see [`read_state_dict`] and [`into_parameters`].
pub fn load(
    arch: &Arch,
    options: ArchOptions,
    format: Option<&Format>,
    path: &Path,
) -> Result<LoadedNetwork> {
    let format = match format {
        Some(format) => format,
        None => detect(path)?,
    };
    let file = (format.read)(path)?;
    let options = (format.options)(options);
    let Checkpoint {
        options,
        parameters,
        notes,
    } = into_parameters(arch, options, file, path)?;
    tracing::debug!(path = %path.display(), arch = arch.name, ?options, "weights loaded");
    Ok(LoadedNetwork {
        network: Network::new(arch.graph(options.clone()), parameters)?,
        options,
        notes,
    })
}

/// Every tensor of the state dict at `path`, float32, by the names in the file: `.safetensors`, or a file that
/// `torch.save` wrote (a zip archive, or a row of pickles before PyTorch 1.6), plain or nested under `state_dict`, `model`
/// and the like. Everything else in a checkpoint is ignored.
///
/// # Errors
/// If the file can't be read, has none of these formats, is cut short or broken, or names anything but tensors and plain
/// containers.
pub fn read_state_dict(path: &Path) -> Result<StateDict> {
    (detect(path)?.read)(path)
}

/// Checks that the file at `path` is no network: an exported program, TorchScript, or a pickled object. A file of any other
/// content passes.
///
/// # Errors
/// If it is one, with what to write instead, or can't be read.
pub fn refuse_networks(path: &Path) -> Result<()> {
    match FileKind::of(path)?.no_weights(path) {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

/// Checks that the file at `path` begins like a weight file, without reading the rest of it.
///
/// # Errors
/// If it is empty, has none of the formats of weight files, or can't be read.
pub fn check_header(path: &Path) -> Result<()> {
    detect(path).map(drop)
}

/// The format of the file at `path`, by its content.
fn detect(path: &Path) -> Result<&'static Format> {
    let io = |cause| Error::io("read", path, cause);
    let mut head = Vec::new();
    let file = File::open(path).map_err(io)?;
    file.take(512).read_to_end(&mut head).map_err(io)?;
    let has_format = |format: &&&Format| format.detect.is_some_and(|detect| detect(&head));
    refuse_networks(path)?;
    if let Some(format) = FORMATS.iter().find(has_format) {
        return Ok(format);
    }
    let clause = match head.as_slice() {
        [] => "is empty",
        head if head.get(257..262) == Some(b"ustar") => {
            "is a tar archive, as PyTorch wrote them before 0.2"
        }
        head if head.starts_with(b"\x89HDF") => "is an HDF5 file, as Keras writes them",
        head if head.trim_ascii_start().starts_with(b"<") => "is a web page, not weights",
        _ => "is not a weight file",
    };
    Err(file_error(path, clause).help(
        "allowed are `.safetensors`, and `.pth` or `.pt` with a state dict: \
         `torch.save(model.state_dict(), PATH)`",
    ))
}
