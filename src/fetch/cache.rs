//! The cache folder of fetched files, and the verification of its files.
//!
//! A file gets its final name only after its sha256 was verified (`cache_write.rs`), so that readers need no lock.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use sha2::{Digest, Sha256};

use super::catalogue::RemoteFile;
use super::checksum::{Checksum, file_sha256, hex};
use crate::error::{Error, ErrorKind, Result};

/// The cache of fetched files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cache {
    /// The folder.
    pub root: PathBuf,
    /// Whether fetching is forbidden: a file that is not in the cache is an error.
    pub offline: bool,
}

/// A file in the cache whose sha256 was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CachedFile {
    /// Its path in the cache.
    pub path: PathBuf,
    /// Its sha256, 64 lower-case hex digits.
    pub sha256: String,
}

/// The result of [`Cache::check`].
pub(super) enum CacheState {
    /// All files are in the cache, and their sha256 is right.
    Complete(Vec<CachedFile>),
    /// At least one file is missing.
    Missing,
    /// A file had another sha256 and was removed.
    Damaged(Error),
}

impl Cache {
    /// `CONVSCOPE_CACHE`, else `convscope` in `XDG_CACHE_HOME`, else `~/.cache/convscope`.
    ///
    /// # Errors
    /// If neither variable is set and the user has no home folder.
    pub fn from_env(offline: bool) -> Result<Cache> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let root = if let Some(root) = variable("CONVSCOPE_CACHE") {
            PathBuf::from(root)
        } else if let Some(base) = variable("XDG_CACHE_HOME") {
            Path::new(&base).join("convscope")
        } else if let Some(home) = std::env::home_dir().filter(|home| !home.as_os_str().is_empty())
        {
            home.join(".cache").join("convscope")
        } else {
            let message = "there is no home folder for the cache";
            return Err(
                Error::new(ErrorKind::Usage, message).help("set CONVSCOPE_CACHE to a folder")
            );
        };
        Ok(Cache { root, offline })
    }

    /// The cache's path for `path` (with `/` between folders) below `folder`.
    ///
    /// # Errors
    /// If the path would be outside of the cache.
    pub(super) fn path(&self, folder: &str, path: &str) -> Result<PathBuf> {
        let below = Path::new(folder).join(path);
        let is_name = |part| matches!(part, Component::Normal(_));
        if path.is_empty() || !below.components().all(is_name) {
            let message = format!("`{}` is outside of the cache", below.display());
            return Err(Error::new(ErrorKind::Fetch, message));
        }
        Ok(self.root.join(below))
    }

    /// Checks that all `files` are in `folder`, and verifies the sha256 of each.
    pub(super) fn check(&self, folder: &str, files: &[RemoteFile]) -> Result<CacheState> {
        let mut paths = Vec::with_capacity(files.len());
        for file in files {
            let path = self.path(folder, &file.path)?;
            if !path.is_file() {
                return Ok(CacheState::Missing);
            }
            paths.push(path);
        }
        let mut cached = Vec::with_capacity(files.len());
        for (path, file) in paths.into_iter().zip(files) {
            let sha256 = file_sha256(&path)?;
            let recorded = recorded_checksum(&path);
            let checksum = recorded.as_ref().unwrap_or(&file.checksum);
            if !file.checksum.matches(&sha256) || !checksum.matches(&sha256) {
                let error = checksum.mismatch(&path.display().to_string(), &sha256);
                remove_file(&path)?;
                remove_file(&checksum_path(&path))?;
                return Ok(CacheState::Damaged(error));
            }
            cached.push(CachedFile { path, sha256 });
        }
        Ok(CacheState::Complete(cached))
    }
}

/// One sha256 for several files: for a single file its own, else the sha256 of a text with the files' hex digests in
/// order, one per line.
pub fn combined_sha256(files: &[CachedFile]) -> String {
    if let [file] = files {
        return file.sha256.clone();
    }
    let mut hasher = Sha256::new();
    for file in files {
        hasher.update(file.sha256.as_bytes());
        hasher.update(b"\n");
    }
    hex(&hasher.finalize())
}

/// Removes a file; a missing file is not an error.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, cause))
        }
        _ => Ok(()),
    }
}

/// The file that records the whole sha256 of a file of which the catalogue has only the first digits.
pub(super) fn checksum_path(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".sha256");
    path.with_file_name(name)
}

fn recorded_checksum(path: &Path) -> Option<Checksum> {
    let text = fs::read_to_string(checksum_path(path)).ok()?;
    Some(Checksum::Whole(text.trim().to_owned()))
}
