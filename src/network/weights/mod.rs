//! Weight files in: what a file holds becomes parameters under torchvision's names.
//!
//! A file is judged by its content, not by its name, and none of it is ever run: PyTorch's pickles
//! are read by a machine of our own that knows tensors and plain containers only.

mod elements;
mod fitting;
pub mod names;
pub mod onnx;
mod pickle;
mod safetensors;
pub mod tfjs;
mod torch;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::{Path, PathBuf};

use ::safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::forward::Network;
use super::zoo::{Arch, Options};
use crate::error::{Error, ErrorKind, Result};

pub use fitting::into_parameters;

/// What a weight file holds: float32 tensors by the names they have there.
pub type StateDict = BTreeMap<String, Tensor>;

/// How a weight set lies on disk.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// One file: `.safetensors`, or a state dict that `torch.save` wrote.
    #[default]
    StateDict,
    /// A folder: Keras' ResNet-50 as a TensorFlow.js layers model.
    TfjsResnet50,
    /// One file: ONNX with VGG-16's convolutions, under which comes the head that is built in
    /// ([`VGG16_HEAD`]).
    OnnxVgg16,
}

/// A linear head for VGG-16 on the means of its last map (`head.weight` `[1000, 512]`, `head.bias`,
/// float16), for the backbone that comes without one. It was *fitted*, by
/// `examples/fit_vgg_head.rs`, to what ResNet-50 says of photos.
pub const VGG16_HEAD: &[u8] = include_bytes!("vgg16_gap_head.safetensors");

/// Loads `arch` with the weights at `paths` (one, a file or a folder, for all formats there are).
///
/// # Errors
/// If a file can't be read, is not what it should be, or does not fit `arch`; see
/// [`read_state_dict`] and [`into_parameters`].
pub fn load_files(
    arch: &Arch,
    options: Options,
    format: Format,
    paths: &[PathBuf],
) -> Result<Network> {
    let [path] = paths else {
        let message = format!("{} needs one weight file, got {}", arch.name, paths.len());
        return Err(Error::new(ErrorKind::Weights, message));
    };
    let (options, file) = match format {
        Format::StateDict => (options, read_state_dict(path)?),
        Format::TfjsResnet50 => {
            let file = tfjs::keras_resnet(tfjs::read(path)?)?;
            (tfjs::resnet_options(options), file)
        }
        Format::OnnxVgg16 => {
            let mut file = onnx::vgg16_backbone(onnx::read(path)?)?;
            let head = Path::new("the head that is built in");
            let length = VGG16_HEAD.len() as u64;
            file.extend(safetensors::read(head, Cursor::new(VGG16_HEAD), length)?);
            (options, file)
        }
    };
    let (options, parameters) = into_parameters(arch, options, file, path)?;
    tracing::debug!(path = %path.display(), arch = arch.name, ?options, "weights loaded");
    Network::new(arch.graph(options), parameters)
}

/// Every tensor of the state dict at `path`, float32, by the names in the file: `.safetensors`, or
/// what `torch.save` wrote (a zip archive today, a row of pickles before PyTorch 1.6), plain or
/// nested under `state_dict`, `model` and the like. What else a checkpoint holds is left out.
///
/// # Errors
/// If the file can't be read, is none of these, is cut short or broken, or names anything but
/// tensors and plain containers.
pub fn read_state_dict(path: &Path) -> Result<StateDict> {
    let io = |cause| Error::io("read", path, cause);
    let mut file = File::open(path).map_err(io)?;
    let length = file.metadata().map_err(io)?.len();
    let mut head = Vec::new();
    (&mut file).take(512).read_to_end(&mut head).map_err(io)?;
    file.rewind().map_err(io)?;
    let header = head
        .first_chunk::<8>()
        .map(|size| u64::from_le_bytes(*size));
    if head.starts_with(b"PK\x03\x04") {
        torch::read_zip(path, file)
    } else if header.is_some_and(|size| size <= safetensors::HEADER_LIMIT)
        && head.get(8) == Some(&b'{')
    {
        safetensors::read(path, file, length)
    } else if matches!(head.as_slice(), [0x80, 0..=5, ..]) {
        torch::read_old(path, file)
    } else {
        let seen = match head.as_slice() {
            [] => "is empty",
            head if head.get(257..262) == Some(b"ustar") => {
                "is a tar archive, as PyTorch wrote them before 0.2"
            }
            head if head.starts_with(b"\x89HDF") => "is an HDF5 file, as Keras writes them",
            head if head.trim_ascii_start().starts_with(b"<") => "is a web page, not weights",
            _ => "is not a weight file",
        };
        Err(wrong(path, seen).help(
            "what can be read is `.safetensors`, and `.pth` or `.pt` with a state dict: \
             `torch.save(model.state_dict(), PATH)`",
        ))
    }
}

/// What the head that is built in says of how it was made: by key, in order.
pub fn vgg16_head_notes() -> BTreeMap<String, String> {
    let header = SafeTensors::read_metadata(VGG16_HEAD).ok();
    let notes = header.and_then(|(_, header)| header.metadata().clone());
    notes.into_iter().flatten().collect()
}

/// An error about the file at `path`, which `clause` goes on to describe.
fn wrong(path: &Path, clause: &str) -> Error {
    Error::new(ErrorKind::Weights, format!("{} {clause}", path.display()))
}

/// An error about a file that ends before what it promises.
fn cut_short(path: &Path, length: u64, needed: u64) -> Error {
    let clause = format!("is cut short: {length} bytes, and it speaks of {needed} or more");
    wrong(path, &clause).help("fetch or copy it again")
}

/// A whole small file.
fn read_limited(path: &Path, limit: u64) -> Result<Vec<u8>> {
    let io = |cause| Error::io("read", path, cause);
    let file = File::open(path).map_err(io)?;
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(io)?;
    if bytes.len() as u64 > limit {
        return Err(wrong(path, &format!("is larger than {limit} bytes")));
    }
    Ok(bytes)
}
