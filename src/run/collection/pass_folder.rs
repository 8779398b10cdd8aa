//! The folder of a pass over a collection: its state, and the files of its collectors. An interrupted pass goes on from
//! there; the state of a part that is complete is what the parts are joined from.

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::super::machine::Machine;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Tensors};
use crate::methods::{CollectorState, RowFile, Scratch};
use crate::results::{UnreadableImage, store};

/// The name of the file of the state.
const STATE: &str = "state.safetensors";
/// The name of the file that is locked while a process uses the folder.
const LOCK: &str = "lock";
/// The key of the sha256s of the images, `[n, 32]`.
const SHA256: &str = "sha256";

/// What a pass computes. Passes with the same identity have the same states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PassIdentity {
    /// A hash of the program's sources.
    pub(super) program: String,
    /// A hash of the experiment.
    pub(super) experiment: String,
    /// A hash of the collection's images as the experiment names them.
    pub(super) collection: String,
    /// A hash of everything that each task's results depend on, but for the images' content and the machine.
    pub(super) tasks: Vec<String>,
    /// The first image of the pass, and the one after its last.
    pub(super) images: (usize, usize),
}

/// The state of a pass.
#[derive(Debug)]
pub(super) struct PassState {
    /// The index of the first image that no task has observed.
    pub(super) next: usize,
    /// The images that could not be read.
    pub(super) unreadable: Vec<UnreadableImage>,
    /// What every task's collector has gathered, in order.
    pub(super) tasks: Vec<CollectorState>,
    /// The machine that computed it.
    pub(super) machine: Machine,
    /// The sha256 of each image's file, once the pass is complete.
    pub(super) sha256: Option<Vec<[u8; 32]>>,
}

/// A state without its tensors; those of the task `i` are stored as `<i>/<key>`.
#[derive(Serialize, Deserialize)]
struct StoredState {
    identity: PassIdentity,
    machine: Machine,
    next: usize,
    unreadable: Vec<UnreadableImage>,
    tasks: Vec<StoredTask>,
}

#[derive(Serialize, Deserialize)]
struct StoredTask {
    values: serde_json::Value,
    rows: BTreeMap<String, StoredRows>,
}

/// A file of rows.
#[derive(Serialize, Deserialize)]
struct StoredRows {
    file: String,
    rows: usize,
    row_bytes: usize,
    /// Of the rows, once the pass is complete.
    blake3: Option<String>,
}

/// The folder of a pass, which one process uses at a time.
#[derive(Debug)]
pub(super) struct PassFolder {
    path: PathBuf,
    /// Locked as long as it is open.
    _lock: Option<File>,
    /// Removes the folder when it is dropped.
    _temporary: Option<TempDir>,
}

impl PassFolder {
    /// The folder at `path`, which is created if it doesn't exist; `None` if another process uses it.
    ///
    /// # Errors
    /// If it can't be created.
    pub(super) fn open(path: &Path) -> Result<Option<Self>> {
        std::fs::create_dir_all(path).map_err(|error| Error::io("create", path, error))?;
        let lock_path = path.join(LOCK);
        let lock =
            File::create(&lock_path).map_err(|error| Error::io("create", &lock_path, error))?;
        match lock.try_lock() {
            Err(TryLockError::WouldBlock) => return Ok(None),
            // Some shared file systems have no locks.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        Ok(Some(PassFolder {
            path: path.to_owned(),
            _lock: Some(lock),
            _temporary: None,
        }))
    }

    /// A folder that is removed when it is dropped.
    ///
    /// # Errors
    /// If it can't be created.
    pub(super) fn temporary() -> Result<Self> {
        let failed = |error| Error::io("create a folder in", &std::env::temp_dir(), error);
        let folder = tempfile::tempdir().map_err(failed)?;
        Ok(PassFolder {
            path: folder.path().to_owned(),
            _lock: None,
            _temporary: Some(folder),
        })
    }

    /// Its path.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The files of a task.
    pub(super) fn scratch(&self, task: usize) -> Scratch {
        Scratch::new(&self.path, &format!("{task}-"))
    }

    /// Stores a state. One that is complete has the images' sha256s.
    ///
    /// # Errors
    /// If it can't be written; the state that was there is unchanged.
    pub(super) fn write(&self, identity: &PassIdentity, state: PassState) -> Result<()> {
        let is_complete = state.sha256.is_some();
        let mut tensors = Tensors::new();
        let mut tasks = Vec::with_capacity(state.tasks.len());
        for (index, gathered) in state.tasks.into_iter().enumerate() {
            let own = gathered.tensors.into_iter();
            tensors.extend(own.map(|(key, array)| (format!("{index}/{key}"), array)));
            let rows = gathered.rows.into_iter();
            let rows = rows.map(|(key, rows)| Ok((key, stored_rows(&rows, is_complete)?)));
            tasks.push(StoredTask {
                values: gathered.values,
                rows: rows.collect::<Result<_>>()?,
            });
        }
        if let Some(sha256) = state.sha256 {
            let array = Array::u8(&[sha256.len(), 32], sha256.concat());
            tensors.insert(SHA256.to_owned(), array);
        }
        let stored = StoredState {
            identity: identity.clone(),
            machine: state.machine,
            next: state.next,
            unreadable: state.unreadable,
            tasks,
        };
        let about = serde_json::to_string(&stored).map_err(|error| {
            Error::new(ErrorKind::Io, "can't store the state of the collection").caused_by(error)
        })?;
        let bytes = store::to_safetensors_about(&tensors, Some(about))?;
        store::write(&self.path, &[(STATE, &bytes)])
    }

    /// Removes the state that is there.
    ///
    /// # Errors
    /// If it can't be removed.
    pub(super) fn clear(&self) -> Result<()> {
        let path = self.path.join(STATE);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", &path, error))
            }
            _ => Ok(()),
        }
    }

    /// Removes the folder with everything in it.
    pub(super) fn remove(self) {
        // A folder that stays only takes space.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// The description of a file of rows, whose content is then on the disk.
fn stored_rows(rows: &RowFile, is_complete: bool) -> Result<StoredRows> {
    rows.sync()?;
    let name = rows.path().file_name().unwrap_or_default();
    Ok(StoredRows {
        file: name.to_string_lossy().into_owned(),
        rows: rows.len(),
        row_bytes: rows.row_bytes(),
        blake3: is_complete.then(|| rows.blake3()).transpose()?,
    })
}

/// A state as it is stored, before its tensors and rows are read.
pub(super) struct StoredPass {
    path: PathBuf,
    stored: StoredState,
    tensors: Tensors,
}

impl StoredPass {
    /// The state that is stored in `folder`; `None` if there is none.
    ///
    /// # Errors
    /// If it is damaged.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>> {
        let path = folder.join(STATE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", &path, error)),
        };
        let damaged = || Error::new(ErrorKind::Io, format!("{} is damaged", path.display()));
        let (tensors, about) =
            store::from_safetensors_about(&bytes).map_err(|error| damaged().caused_by(error))?;
        let about = about.ok_or_else(damaged)?;
        let stored: StoredState =
            serde_json::from_str(&about).map_err(|error| damaged().caused_by(error))?;
        Ok(Some(StoredPass {
            path: folder.to_owned(),
            stored,
            tensors,
        }))
    }

    /// What the pass computes.
    pub(super) fn identity(&self) -> &PassIdentity {
        &self.stored.identity
    }

    /// The machine that computed it.
    pub(super) fn machine(&self) -> &Machine {
        &self.stored.machine
    }

    /// The index of the first image that no task has observed.
    pub(super) fn next(&self) -> usize {
        self.stored.next
    }

    /// The sha256 of each image's file; `None` until the pass is complete.
    pub(super) fn sha256(&self) -> Option<Vec<[u8; 32]>> {
        let bytes = self.tensors.get(SHA256)?.bytes()?;
        Some(bytes.as_chunks::<32>().0.to_vec())
    }

    /// The state.
    ///
    /// # Errors
    /// If a file of rows is missing or damaged.
    pub(super) fn into_state(self) -> Result<PassState> {
        let sha256 = self.sha256();
        let mut tasks = Vec::with_capacity(self.stored.tasks.len());
        for (index, task) in self.stored.tasks.into_iter().enumerate() {
            let prefix = format!("{index}/");
            let own = self.tensors.iter().filter_map(|(key, array)| {
                Some((key.strip_prefix(&prefix)?.to_owned(), array.clone()))
            });
            let rows = task.rows.into_iter();
            let rows = rows.map(|(key, rows)| Ok((key, open_rows(&self.path, &rows)?)));
            tasks.push(CollectorState {
                values: task.values,
                tensors: own.collect(),
                rows: rows.collect::<Result<_>>()?,
            });
        }
        Ok(PassState {
            next: self.stored.next,
            unreadable: self.stored.unreadable,
            tasks,
            machine: self.stored.machine,
            sha256,
        })
    }
}

fn open_rows(folder: &Path, stored: &StoredRows) -> Result<RowFile> {
    let path = folder.join(&stored.file);
    let rows = RowFile::open(&path, stored.rows, stored.row_bytes)?;
    if let Some(hash) = &stored.blake3
        && rows.blake3()? != *hash
    {
        let message = format!("{} is damaged", path.display());
        return Err(Error::new(ErrorKind::Io, message));
    }
    Ok(rows)
}
