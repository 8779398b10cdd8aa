//! Recognises image files by their names, and lists those of a folder.

use std::path::{Path, PathBuf};

use walkdir::WalkDir;

use crate::error::{Error, ErrorKind, Result};

/// Lower-case extensions of the formats that [`DecodedImage`](super::DecodedImage) reads.
const EXTENSIONS: [&str; 9] = [
    "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "npy",
];

/// Every image file below `dir`, sorted by path. Image files are recognised by their extension, in upper or
/// lower case; links are followed; hidden files and folders are ignored.
///
/// # Errors
/// If `dir` is not a folder, can't be read, or has no image below it.
pub fn image_paths(dir: &Path) -> Result<Vec<PathBuf>> {
    let folder_error =
        |problem: &str| Error::new(ErrorKind::Image, format!("{} {problem}", dir.display()));
    match std::fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => {
            return Err(
                folder_error("is a file, not a folder").help("`path:` takes a single image")
            );
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(folder_error("doesn't exist"));
        }
        Err(error) => {
            return Err(
                Error::new(ErrorKind::Image, format!("can't read {}", dir.display()))
                    .caused_by(error),
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
            Ok(entry) if entry.file_type().is_file() && is_image_name(entry.path()) => {
                found.push(entry.into_path());
            }
            Ok(_) => {}
            // A link to a parent folder: its files are listed already.
            Err(error) if error.loop_ancestor().is_some() => {}
            // A broken link with an image's extension: opening it is an error of its own.
            Err(error)
                if error.io_error().map(|e| e.kind()) == Some(std::io::ErrorKind::NotFound) =>
            {
                let path = error
                    .path()
                    .filter(|path| !is_hidden(path) && is_image_name(path));
                found.extend(path.map(Path::to_owned));
            }
            Err(error) => {
                let path = error.path().unwrap_or(dir).display().to_string();
                return Err(
                    Error::new(ErrorKind::Image, format!("can't read {path}")).caused_by(error)
                );
            }
        }
    }
    if found.is_empty() {
        return Err(folder_error("has no images below it")
            .help(format!("image files end in {}", EXTENSIONS.join(", "))));
    }
    found.sort();
    Ok(found)
}

fn is_hidden(path: &Path) -> bool {
    path.file_name()
        .is_some_and(|name| name.to_string_lossy().starts_with('.'))
}

/// Whether a file's ending is that of an image, in upper or lower case.
pub fn is_image_name(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        EXTENSIONS
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
    })
}
