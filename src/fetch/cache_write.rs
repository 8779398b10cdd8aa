//! Writes fetched files into the cache, safely for several runs at the same time.
//!
//! A file is written under a temporary name and renamed after its sha256 was verified, so that a file under
//! its final name is complete. A run that fetches holds a lock on the entry's folder.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::NamedTempFile;

use super::cache::{Cache, CachedFile, checksum_path};
use super::catalogue::RemoteFile;
use super::checksum::{Checksum, hex};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

const BUFFER: usize = 1 << 18;

impl Cache {
    /// Writes the bytes of `reader` to `file` in `folder`. Errors name `origin` as their source.
    ///
    /// # Errors
    /// If the length or the sha256 is not the catalogue's; then nothing is kept.
    pub(super) fn write(
        &self,
        folder: &str,
        file: &RemoteFile,
        origin: &str,
        reader: &mut dyn Read,
    ) -> Result<CachedFile> {
        let path = self.path(folder, &file.path)?;
        let parent = path.parent().unwrap_or(&self.root);
        create_folder(parent)?;
        let write_error = |cause| Error::io("write to", parent, cause);
        let mut temporary = NamedTempFile::new_in(parent).map_err(write_error)?;
        // One byte more than expected shows that a file is too long.
        let limit = file.bytes.map_or(u64::MAX, |bytes| bytes + 1);
        let (mut sum, mut length) = (Sha256::new(), 0);
        let mut buffer = vec![0; BUFFER];
        let mut reader = reader.take(limit);
        loop {
            let count = match reader.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => count,
                Err(cause) if cause.kind() == io::ErrorKind::Interrupted => continue,
                Err(cause) => {
                    let message = format!("can't read {} from {origin}", file.path);
                    return Err(Error::new(ErrorKind::Fetch, message).caused_by(cause));
                }
            };
            sum.update(&buffer[..count]);
            temporary.write_all(&buffer[..count]).map_err(write_error)?;
            length += count as u64;
        }
        let name = format!("{} from {origin}", file.path);
        if let Some(bytes) = file.bytes.filter(|bytes| *bytes != length) {
            let length = if length > bytes {
                "more".to_owned()
            } else {
                length.to_string()
            };
            let message = format!("{name} must have {bytes} bytes, got {length}");
            return Err(Error::new(ErrorKind::Fetch, message));
        }
        let sha256 = hex(&sum.finalize());
        if !file.checksum.matches(&sha256) {
            return Err(file.checksum.mismatch(&name, &sha256));
        }
        temporary
            .persist(&path)
            .map_err(|error| Error::io("write", &path, error.error))?;
        self.record_checksum(&path, file, &sha256)?;
        Ok(CachedFile { path, sha256 })
    }

    /// Writes a file's whole sha256 into a file next to it if the catalogue has only the first digits.
    pub(super) fn record_checksum(
        &self,
        path: &Path,
        file: &RemoteFile,
        sha256: &str,
    ) -> Result<()> {
        if !matches!(file.checksum, Checksum::Prefix(_)) {
            return Ok(());
        }
        let record = checksum_path(path);
        let write_error = |cause| Error::io("write", &record, cause);
        let parent = path.parent().unwrap_or(&self.root);
        let mut temporary = NamedTempFile::new_in(parent).map_err(write_error)?;
        writeln!(temporary, "{sha256}").map_err(write_error)?;
        temporary
            .persist(&record)
            .map_err(|error| write_error(error.error))?;
        Ok(())
    }

    /// A temporary folder on the cache's file system, removed when the value is dropped.
    pub(super) fn temporary_folder(&self) -> Result<tempfile::TempDir> {
        create_folder(&self.root)?;
        tempfile::Builder::new()
            .prefix(".fetching-")
            .tempdir_in(&self.root)
            .map_err(|cause| Error::io("write to", &self.root, cause))
    }

    /// Waits until no other run fetches into `folder`. The lock ends when the file is dropped.
    pub(super) fn lock(&self, folder: &str, name: &str, progress: &dyn Progress) -> Result<File> {
        let path = self.path(folder, ".lock")?;
        create_folder(path.parent().unwrap_or(&self.root))?;
        let lock_error = |cause| Error::io("lock", &path, cause);
        let mut options = File::options();
        let file = options.create(true).truncate(false).write(true);
        let file = file.open(&path).map_err(lock_error)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                progress.step(&format!("{name}: waiting for another run that fetches it"));
                file.lock().map_err(lock_error)?;
            }
            // The file system has no locks. A file under its final name is complete even without one.
            Err(TryLockError::Error(cause)) => tracing::debug!(%cause, "no lock"),
        }
        Ok(file)
    }
}

fn create_folder(folder: &Path) -> Result<()> {
    fs::create_dir_all(folder).map_err(|cause| {
        Error::io("create the folder", folder, cause).help("set CONVSCOPE_CACHE to another folder")
    })
}
