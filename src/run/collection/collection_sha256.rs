//! The sha256 of a collection.

use std::path::Path;

use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::plan::PlannedImage;

/// The sha256 of the sha256s of all files, in order, in hexadecimal.
pub(super) fn collection_sha256(images: &[PlannedImage]) -> String {
    // A file that can't be read is reported when its batch is decoded.
    let hashes = images
        .par_iter()
        .map(|image| file_hash(&image.path).unwrap_or_default());
    let hashes: Vec<[u8; 32]> = hashes.collect();
    let whole = Sha256::digest(hashes.concat());
    whole.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_hash(path: &Path) -> std::io::Result<[u8; 32]> {
    let mut hasher = Sha256::new();
    std::io::copy(&mut std::fs::File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize().into())
}
