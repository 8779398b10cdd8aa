//! Where fetched files are kept for good, and what makes that safe for several runs at a time.
//!
//! A file is written aside and moved into place once its sum is right, so that what stands under a
//! name is whole. Whoever fetches holds a lock on the set's folder; readers need none.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::{Checksum, Fetched, RemoteFile};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

const BUFFER: usize = 1 << 18;

/// The folder that fetched files are kept in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    pub root: PathBuf,
    /// Whether what is not there may not be fetched.
    pub offline: bool,
}

/// What [`Cache::look`] found.
pub(super) enum State {
    /// All files, their sums right.
    Ready(Vec<Fetched>),
    /// Some file is not there.
    Missing,
    /// A file's sum was wrong; it is removed.
    Bad(Error),
}

impl Cache {
    /// `CONVSCOPE_CACHE`, else `convscope` in `XDG_CACHE_HOME`, else `~/.cache/convscope`.
    ///
    /// # Errors
    /// If none of the two is set and the user has no home folder.
    pub fn from_env(offline: bool) -> Result<Cache> {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let root = if let Some(root) = set("CONVSCOPE_CACHE") {
            PathBuf::from(root)
        } else if let Some(base) = set("XDG_CACHE_HOME") {
            Path::new(&base).join("convscope")
        } else if let Some(home) = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
        {
            home.join(".cache").join("convscope")
        } else {
            let message = "there is no home folder to keep fetched files in";
            return Err(Error::new(ErrorKind::Usage, message)
                .help("set CONVSCOPE_CACHE to a folder that can be written"));
        };
        Ok(Cache { root, offline })
    }

    /// Where `path` (with `/` between folders) is kept.
    ///
    /// # Errors
    /// If it would lie outside of the cache.
    pub(super) fn path(&self, folder: &str, path: &str) -> Result<PathBuf> {
        let below = Path::new(folder).join(path);
        let inside = |part| matches!(part, Component::Normal(_));
        if path.is_empty() || !below.components().all(inside) {
            let message = format!("`{}` leads out of the cache", below.display());
            return Err(Error::new(ErrorKind::Fetch, message));
        }
        Ok(self.root.join(below))
    }

    /// Whether all `files` are there; each is read in full and its sum checked.
    pub(super) fn look(&self, folder: &str, files: &[RemoteFile]) -> Result<State> {
        let mut paths = Vec::with_capacity(files.len());
        for file in files {
            let path = self.path(folder, &file.path)?;
            if !path.is_file() {
                return Ok(State::Missing);
            }
            paths.push(path);
        }
        let mut fetched = Vec::with_capacity(files.len());
        for (path, file) in paths.into_iter().zip(files) {
            let sha256 = sha256_of(&path)?;
            let noted = noted(&path);
            let checksum = noted.as_ref().unwrap_or(&file.checksum);
            if !file.checksum.fits(&sha256) || !checksum.fits(&sha256) {
                let error = mismatch(&path.display().to_string(), &sha256, checksum);
                remove(&path)?;
                remove(&note_path(&path))?;
                return Ok(State::Bad(error));
            }
            fetched.push(Fetched { path, sha256 });
        }
        Ok(State::Ready(fetched))
    }

    /// Keeps what `source` reads as the file `file` if it is that file.
    ///
    /// # Errors
    /// If its sum or length is not the catalogue's; nothing is kept then.
    pub(super) fn put(
        &self,
        folder: &str,
        file: &RemoteFile,
        origin: &str,
        source: &mut dyn Read,
    ) -> Result<Fetched> {
        let path = self.path(folder, &file.path)?;
        let parent = path.parent().unwrap_or(&self.root);
        make(parent)?;
        let write = |cause| Error::io("write to", parent, cause);
        let mut aside = NamedTempFile::new_in(parent).map_err(write)?;
        // One byte more than wanted is enough to know that a file is too long.
        let limit = file.bytes.map_or(u64::MAX, |bytes| bytes + 1);
        let (mut sum, mut length) = (Sha256::new(), 0);
        let mut buffer = vec![0; BUFFER];
        let mut source = source.take(limit);
        loop {
            let count = match source.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => {
                    let message = format!("can't read {} from {origin}", file.path);
                    return Err(Error::new(ErrorKind::Fetch, message).because(cause));
                }
            };
            sum.update(&buffer[..count]);
            aside.write_all(&buffer[..count]).map_err(write)?;
            length += count as u64;
        }
        let name = format!("{} from {origin}", file.path);
        if let Some(bytes) = file.bytes.filter(|bytes| *bytes != length) {
            let length = match length > bytes {
                true => "more".to_owned(),
                false => format!("{length} bytes"),
            };
            let message = format!("{name} should have {bytes} bytes and has {length}");
            return Err(Error::new(ErrorKind::Fetch, message));
        }
        let sha256 = hex(&sum.finalize());
        if !file.checksum.fits(&sha256) {
            return Err(mismatch(&name, &sha256, &file.checksum));
        }
        aside
            .persist(&path)
            .map_err(|error| Error::io("write", &path, error.error))?;
        self.note(&path, file, &sha256)?;
        Ok(Fetched { path, sha256 })
    }

    /// Writes a file's whole sum beside it where the catalogue has only its first digits.
    pub(super) fn note(&self, path: &Path, file: &RemoteFile, sha256: &str) -> Result<()> {
        if !matches!(file.checksum, Checksum::Prefix(_)) {
            return Ok(());
        }
        let note = note_path(path);
        let write = |cause| Error::io("write", &note, cause);
        let mut aside =
            NamedTempFile::new_in(path.parent().unwrap_or(&self.root)).map_err(write)?;
        writeln!(aside, "{sha256}").map_err(write)?;
        aside.persist(&note).map_err(|error| write(error.error))?;
        Ok(())
    }

    /// A folder in the cache's file system that goes away with the value.
    pub(super) fn aside(&self) -> Result<tempfile::TempDir> {
        make(&self.root)?;
        tempfile::Builder::new()
            .prefix(".fetching-")
            .tempdir_in(&self.root)
            .map_err(|cause| Error::io("write to", &self.root, cause))
    }

    /// Waits until no other run fetches into `folder`. The lock goes with the value.
    pub(super) fn lock(&self, folder: &str, what: &str, progress: &dyn Progress) -> Result<File> {
        let path = self.path(folder, ".lock")?;
        make(path.parent().unwrap_or(&self.root))?;
        let failed = |cause| Error::io("lock", &path, cause);
        let mut open = File::options();
        let file = open.create(true).truncate(false).write(true);
        let file = file.open(&path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.step(&format!("{what}: another run is fetching it; waiting"));
                file.lock().map_err(failed)?;
            }
            // A file system without locks: what is put in place is whole all the same.
            Err(TryLockError::Error(cause)) => tracing::debug!(%cause, "no lock"),
        }
        Ok(file)
    }
}

/// Makes a folder and those above it.
fn make(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|cause| {
        Error::io("make the folder", folder, cause)
            .help("CONVSCOPE_CACHE names another folder for fetched files")
    })
}

/// Removes a file; one that is already gone is no fault.
pub(super) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, cause))
        }
        _ => Ok(()),
    }
}

/// The sum of a file, 64 hex digits.
pub fn sha256_of(path: &Path) -> Result<String> {
    let read = |cause| Error::io("read", path, cause);
    let mut file = File::open(path).map_err(read)?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&sum.finalize())),
            Ok(count) => sum.update(&buffer[..count]),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(read(cause)),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A sum that is not the catalogue's.
pub(super) fn mismatch(name: &str, found: &str, wanted: &Checksum) -> Error {
    Error::new(
        ErrorKind::Fetch,
        format!("{name} has sha256 {found}, wanted {wanted}: not using it"),
    )
    .help("it was removed; if a new copy is the same, the publisher has changed the file, or something on the way has")
}

/// Where the whole sum of a file stands that the catalogue knows only in part.
fn note_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".sha256");
    path.with_file_name(name)
}

fn noted(path: &Path) -> Option<Checksum> {
    let text = fs::read_to_string(note_path(path)).ok()?;
    Some(Checksum::Whole(text.trim().to_owned()))
}
