//! The `.pt2` file of a network of timm or torchvision: from the cache, else exported by the user's Python.

use super::cache::{Cache, CachedFile};
use super::export_place::ExportPlace;
#[cfg(feature = "fetch")]
use super::exporter::Exporter;
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;
use crate::spec::LibraryNetwork;

/// The `.pt2` file of a library's network, if it is in the cache and whole.
///
/// # Errors
/// If the network's weight file can't be read.
pub fn cached_network(network: &LibraryNetwork, cache: &Cache) -> Result<Option<CachedFile>> {
    let place = ExportPlace::new(network, cache)?;
    Ok(place.find(None, cache).unwrap_or_default())
}

/// The `.pt2` file of a library's network: from the cache, else exported by the user's Python. `locked` is the sha256 that the
/// experiment's lock names, if it does.
///
/// # Errors
/// If it is not in the cache and can't be exported: offline, no Python, no PyTorch, no library, no such network.
pub fn fetch_network(
    network: &LibraryNetwork,
    locked: Option<&str>,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<CachedFile> {
    let place = ExportPlace::new(network, cache)?;
    let damaged = match place.find(locked, cache) {
        Ok(Some(file)) => return Ok(file),
        Ok(None) => None,
        Err(error) => Some(error),
    };
    if cache.offline {
        return Err(damaged.unwrap_or_else(|| offline_error(network, cache)));
    }
    if let Some(error) = damaged {
        progress.warn(&format!("{}; exporting it again", error.message()));
    }
    #[cfg(feature = "fetch")]
    return Exporter::from_env().export(network, &place, cache, progress);
    #[cfg(not(feature = "fetch"))]
    {
        let message = format!(
            "{network} is not in the cache {}, and this build of convscope can't export it",
            cache.root.display()
        );
        let help =
            "add the feature `fetch` to the dependency on convscope, or run `convscope fetch` once";
        Err(Error::new(ErrorKind::Fetch, message).help(help))
    }
}

fn offline_error(network: &LibraryNetwork, cache: &Cache) -> Error {
    let message = format!(
        "{network} is not in the cache {}, and nothing is exported offline",
        cache.root.display()
    );
    Error::new(ErrorKind::Fetch, message).help(
        "run `convscope fetch` once with PyTorch, or leave out `--offline`; to use another cache, set CONVSCOPE_CACHE",
    )
}
