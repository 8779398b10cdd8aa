//! sha256 checksums: the one that the catalogue has for a file, and that of a local file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};

const BUFFER: usize = 1 << 18;

/// A file's expected sha256, or its first digits, in lower-case hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub enum Checksum {
    /// All 64 digits.
    #[serde(rename = "sha256")]
    Whole(String),
    /// The first digits, which the publisher puts into the file's name.
    #[serde(rename = "sha256_prefix")]
    Prefix(String),
}

impl Checksum {
    /// Whether `sha256` (64 lower-case hex digits) begins with the expected digits.
    pub fn matches(&self, sha256: &str) -> bool {
        match self {
            Checksum::Whole(whole) => whole == sha256,
            Checksum::Prefix(prefix) => !prefix.is_empty() && sha256.starts_with(prefix.as_str()),
        }
    }

    /// The error about the file `name`, whose sha256 is `found`.
    pub(super) fn mismatch(&self, name: &str, found: &str) -> Error {
        Error::new(
            ErrorKind::Fetch,
            format!("{name} must have the sha256 {self}, got {found}; the file was removed"),
        )
        .help("fetch it again; if the sha256 is the same, the publisher has changed the file, or a proxy replaces it")
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Checksum::Whole(whole) => f.write_str(whole),
            Checksum::Prefix(prefix) => write!(f, "{prefix}…"),
        }
    }
}

/// The sha256 of a file, 64 lower-case hex digits.
///
/// # Errors
/// If the file can't be read.
pub fn file_sha256(path: &Path) -> Result<String> {
    let read_error = |cause| Error::io("read", path, cause);
    let mut file = File::open(path).map_err(read_error)?;
    let (mut sum, mut buffer) = (Sha256::new(), vec![0; BUFFER]);
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(hex(&sum.finalize())),
            Ok(count) => sum.update(&buffer[..count]),
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(read_error(cause)),
        }
    }
}

/// Lower-case hex digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
