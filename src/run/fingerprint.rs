//! Fingerprints: hashes of everything that results depend on.

use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};

/// The BLAKE3 hash of a value's JSON, in hexadecimal.
///
/// # Errors
/// If the value can't be written as JSON.
pub(super) fn fingerprint(value: &impl Serialize) -> Result<String> {
    let json = serde_json::to_vec(value).map_err(|error| {
        Error::new(ErrorKind::Io, "can't fingerprint the inputs of a result").caused_by(error)
    })?;
    Ok(fingerprint_bytes(&json))
}

/// The BLAKE3 hash of bytes, in hexadecimal.
pub(super) fn fingerprint_bytes(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}
