//! The zip archive that `torch.export.save` writes. No part of it is larger in memory than the file allows: entries are
//! limited when they are read, whatever their headers say.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tch::Tensor;
use zip::ZipArchive;

use super::json_text;
use super::schema::{Payload, TensorMeta, dtype, integer};
use crate::error::{Error, Result};
use crate::network::file_kind::{ProgramForm, is_program, open_zip};
use crate::network::weights::dtype::{StridedView, count, decode_as_is};
use crate::network::weights::format::{StateDict, file_error};
use crate::network::weights::torch_zip;

/// The largest JSON that is read, in bytes. That of a network with 2000 nodes has 5 MB.
const JSON_LIMIT: u64 = 128 << 20;

/// How many times a JSON may be larger than the file, which is not compressed when PyTorch writes it.
const INFLATION: u64 = 20;

/// The largest extra file that is read, in bytes. That of a network with 20 000 classes has 1 MB.
const EXTRA_LIMIT: u64 = 16 << 20;

/// The archive of an exported program.
pub(super) struct Archive {
    path: PathBuf,
    zip: ZipArchive<File>,
    /// The folder in the archive with all entries: `net/`.
    folder: String,
    form: ProgramForm,
    /// The length of the file in bytes.
    length: u64,
    /// How many bytes of tensors may still be read: weights are stored uncompressed.
    budget: u64,
}

impl Archive {
    /// Opens the archive at `path`; `None` if the file is another zip archive, or none.
    ///
    /// # Errors
    /// If the file can't be read.
    pub(super) fn open(path: &Path) -> Result<Option<Archive>> {
        let io = |cause| Error::io("read", path, cause);
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut head = Vec::new();
        Read::by_ref(&mut file)
            .take(4)
            .read_to_end(&mut head)
            .map_err(io)?;
        if head != b"PK\x03\x04" {
            return Ok(None);
        }
        let zip = open_zip(file).map_err(|cause| {
            file_error(path, "is a zip archive that can't be read")
                .caused_by(cause)
                .help("it is probably cut short; fetch or copy it again")
        })?;
        let names = zip.file_names().flatten();
        let program = names
            .filter_map(|name| is_program(&name).map(|(folder, form)| (folder.to_owned(), form)))
            .min_by_key(|(folder, _)| folder.len());
        Ok(program.map(|(folder, form)| Archive {
            path: path.to_owned(),
            zip,
            folder,
            form,
            length,
            budget: length,
        }))
    }

    /// How the archive is laid out.
    pub(super) fn form(&self) -> ProgramForm {
        self.form
    }

    /// The length of the file in bytes.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Whether there is an entry `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        let full = format!("{}{name}", self.folder);
        self.zip.index_for_name(&full).is_some()
    }

    /// The program.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub(super) fn program<T: serde::de::DeserializeOwned>(&mut self) -> Result<T> {
        self.json(match self.form {
            ProgramForm::Current => "models/model.json",
            ProgramForm::Old => "serialized_exported_program.json",
        })
    }

    /// The bytes of the entry `name`, at most `limit`.
    fn bytes(&mut self, name: &str, limit: u64) -> Result<Vec<u8>> {
        let full = format!("{}{name}", self.folder);
        let entry = self.zip.by_name(&full).map_err(|cause| {
            file_error(&self.path, &format!("lacks its part `{name}`")).caused_by(cause)
        })?;
        let mut bytes = Vec::new();
        let read = entry.take(limit.saturating_add(1)).read_to_end(&mut bytes);
        read.map_err(|cause| Error::io("read", &self.path, cause))?;
        if bytes.len() as u64 > limit {
            let clause = format!("has a part `{name}` larger than it should be");
            return Err(file_error(&self.path, &clause));
        }
        Ok(bytes)
    }

    /// The JSON entry `name`.
    ///
    /// # Errors
    /// If it is missing, too large, or has another structure.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self, name: &str) -> Result<T> {
        let limit = self
            .length
            .saturating_mul(INFLATION)
            .saturating_add(1 << 20);
        let bytes = self.bytes(name, JSON_LIMIT.min(limit))?;
        let bytes = json_text::standard(bytes).map_err(|clause| {
            let clause = format!("has a part `{name}` that {clause}");
            file_error(&self.path, &clause)
        })?;
        serde_json::from_slice(&bytes).map_err(|cause| {
            let clause = format!("has a part `{name}` that can't be read");
            file_error(&self.path, &clause).caused_by(cause)
        })
    }

    /// The text entry `name`, without white space around it; `None` if there is none.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let bytes = self.bytes(name, 1 << 20).ok()?;
        Some(String::from_utf8(bytes).ok()?.trim().to_owned())
    }

    /// The JSON of the file `name` in `extra_files` of `torch.export.save`; `None` if there is none.
    ///
    /// # Errors
    /// As [`json`](Self::json).
    pub(super) fn extra<T: serde::de::DeserializeOwned>(
        &mut self,
        name: &str,
    ) -> Result<Option<T>> {
        let part = match self.form {
            ProgramForm::Current => format!("extra/{name}"),
            ProgramForm::Old => format!("extra_files/{name}"),
        };
        if !self.has(&part) {
            return Ok(None);
        }
        let bytes = self.bytes(&part, EXTRA_LIMIT)?;
        let value = serde_json::from_slice(&bytes);
        let fault = |cause: serde_json::Error| self.extra_fault(name, &cause.to_string());
        value.map(Some).map_err(fault)
    }

    /// An error about the extra file `name`.
    pub(super) fn extra_fault(&self, name: &str, clause: &str) -> Error {
        let help = "export the network again, with `scripts/export.py` or without the extra file";
        let error = file_error(
            &self.path,
            &format!("has an extra file `{name}` that is wrong"),
        );
        error.caused_by(clause.to_owned()).help(help)
    }

    /// A warning about the file; `clause` is the predicate of the sentence.
    pub(super) fn warning(&self, clause: &str) -> String {
        format!("{} {clause}", self.path.display())
    }

    /// An error about the file; `clause` is the predicate of the sentence.
    pub(super) fn fault(&self, clause: &str) -> Error {
        file_error(&self.path, clause)
    }

    /// The tensors of the entry `name`, which `torch.save` wrote: a state dict, or one tensor with the name "". No code of it is
    /// run.
    ///
    /// # Errors
    /// If it is missing, larger than the file, or names anything but tensors and plain containers.
    pub(super) fn state_dict(&mut self, name: &str) -> Result<StateDict> {
        let bytes = self.bytes(name, self.budget)?;
        self.budget -= (bytes.len() as u64).min(self.budget);
        torch_zip::read_part(&self.path, bytes).map_err(|cause| {
            let help = cause.help_text().unwrap_or_default().to_owned();
            let clause = format!("has a part `{name}` that can't be read");
            file_error(&self.path, &clause).caused_by(cause).help(help)
        })
    }

    /// The tensor `name` whose values are below `folder` (`data/weights/`).
    ///
    /// # Errors
    /// If it is cut short, of an unknown data type, or larger than the file.
    pub(super) fn tensor(&mut self, folder: &str, name: &str, payload: &Payload) -> Result<Tensor> {
        let path = self.path.clone();
        let fault = |clause: &str| file_error(&path, &format!("is broken: `{name}` {clause}"));
        if payload.use_pickle {
            let mut read = self.state_dict(&format!("{folder}{}", payload.path_name))?;
            return read
                .remove("")
                .ok_or_else(|| fault("is a pickle of no tensor"));
        }
        let meta = payload.tensor_meta.as_ref();
        let meta = meta.ok_or_else(|| fault("has no shape"))?;
        let dtype = dtype(meta.dtype).ok_or_else(|| fault("has an unknown data type"))?;
        let view = strided_view(meta).ok_or_else(|| fault("has no fixed shape"))?;
        let bytes = self.bytes(&format!("{folder}{}", payload.path_name), self.budget)?;
        self.budget -= (bytes.len() as u64).min(self.budget);
        let stored = bytes.len() / dtype.size();
        view.check(stored).map_err(|clause| fault(&clause))?;
        // Views may repeat values, but not fill the memory.
        if count(&view.shape).is_none_or(|values| values > 8 * stored.max(1024)) {
            return Err(fault("has more values than the file has room for"));
        }
        let flat = decode_as_is(&bytes[..stored * dtype.size()], dtype, &[stored as i64]);
        let flat = flat.map_err(|clause| fault(&clause))?;
        view.copy_from(&flat).map_err(|clause| fault(&clause))
    }
}

fn strided_view(meta: &TensorMeta) -> Option<StridedView> {
    let integers = |values: &[serde_json::Value]| values.iter().map(integer).collect();
    Some(StridedView {
        offset: integer(&meta.storage_offset).unwrap_or(0),
        shape: Option::<Vec<i64>>::clone(&integers(&meta.sizes))?,
        strides: Option::<Vec<i64>>::clone(&integers(&meta.strides))?,
    })
}
