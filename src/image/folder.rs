//! Which files of a folder are pictures.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::{Error, ErrorKind, Result};

/// Lower-case endings of the formats that [`Photo`](super::Photo) reads.
const ENDINGS: [&str; 6] = ["jpg", "jpeg", "png", "webp", "gif", "bmp"];

/// Every picture below `dir`, sorted by path: by its ending in any case, links followed, hidden
/// files and folders left out.
///
/// # Errors
/// Where `dir` is no folder, can't be walked, or holds no picture.
pub fn photo_paths(dir: &Path) -> Result<Vec<PathBuf>> {
    let refuse = |what: &str| Error::new(ErrorKind::Picture, format!("{} {what}", dir.display()));
    match std::fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            return Err(refuse("is a file, not a folder").help("`path:` takes a single picture"));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(refuse("doesn't exist"));
        }
        Err(error) => {
            return Err(
                Error::new(ErrorKind::Picture, format!("can't read {}", dir.display()))
                    .because(error),
            );
        }
    }
    let walk = WalkDir::new(dir)
        .follow_links(true)
        .into_iter()
        .filter_entry(|entry| entry.depth() == 0 || !is_hidden(entry.path()));
    let mut found = Vec::new();
    for entry in walk {
        match entry {
            Ok(entry) if entry.file_type().is_file() && is_picture(entry.path()) => {
                found.push(entry.into_path());
            }
            Ok(_) => {}
            // A link back up: what is there has been seen.
            Err(error) if error.loop_ancestor().is_some() => {}
            // A link to nowhere: opening it says so in its own place, if it is a picture's name.
            Err(error)
                if error.io_error().map(|e| e.kind()) == Some(std::io::ErrorKind::NotFound) =>
            {
                let path = error
                    .path()
                    .filter(|path| !is_hidden(path) && is_picture(path));
                found.extend(path.map(Path::to_owned));
            }
            Err(error) => {
                let place = error.path().unwrap_or(dir).display().to_string();
                return Err(
                    Error::new(ErrorKind::Picture, format!("can't read {place}")).because(error),
                );
            }
        }
    }
    if found.is_empty() {
        return Err(refuse("has no pictures below it")
            .help(format!("files ending in {} count", ENDINGS.join(", "))));
    }
    found.sort();
    Ok(found)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

fn is_picture(path: &Path) -> bool {
    path.extension().is_some_and(|ending| {
        ENDINGS
            .iter()
            .any(|known| ending.eq_ignore_ascii_case(known))
    })
}
