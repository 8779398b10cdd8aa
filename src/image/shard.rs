//! Lists the images of tar files, as WebDataset writes them: the files of a sample follow each other and have the same name
//! up to the first dot, `0017.jpg` and `0017.cls`.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::folder::is_image_name;
use super::image_file::{FilePart, ImageFile};
use super::limits::MAX_BYTES;
use crate::error::{Error, ErrorKind, Result};

/// The ending of the file that holds a sample's class.
const CLASS: &str = "cls";
/// The longest class that is read, in bytes.
const MAX_CLASS: u64 = 1024;

/// An image in a tar file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ShardImage {
    /// Its path in the tar file.
    pub(crate) name: PathBuf,
    /// Where its bytes are.
    pub(crate) file: ImageFile,
    /// The content of the `.cls` file of its sample, if there is one.
    pub(crate) class: Option<String>,
}

/// The images of the tar file at `path`, in its order.
///
/// # Errors
/// If the file can't be read, is no tar file, is cut short, or has no image.
pub(crate) fn shard_images(path: &Path) -> Result<Vec<ShardImage>> {
    let fault =
        |problem: &str| Error::new(ErrorKind::Image, format!("{} {problem}", path.display()));
    let no_tar = |error: std::io::Error| {
        fault("is no tar file, or is damaged")
            .help("a compressed one must be unpacked first: `gunzip shard.tar.gz`")
            .caused_by(error)
    };
    let mut file = File::open(path).map_err(|error| Error::io("read", path, error))?;
    let length = file
        .metadata()
        .map_err(|error| Error::io("read", path, error))?
        .len();
    check_end(&mut file, length).map_err(no_tar)?;
    let mut archive = tar::Archive::new(file);
    let mut images = Vec::new();
    let mut classes: HashMap<PathBuf, String> = HashMap::new();
    for entry in archive.entries_with_seek().map_err(no_tar)? {
        let mut entry = entry.map_err(no_tar)?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().map_err(no_tar)?.into_owned();
        let (offset, size) = (entry.raw_file_position(), entry.size());
        if offset.saturating_add(size) > length {
            let problem = format!(
                "is cut short: {} has {size} bytes, of which {} are there",
                name.display(),
                length.saturating_sub(offset)
            );
            return Err(fault(&problem).help("fetch or write the file again"));
        }
        if is_image_name(&name) && size <= MAX_BYTES && !is_hidden(&name) {
            images.push(ShardImage {
                name,
                file: ImageFile {
                    path: path.to_owned(),
                    part: Some(FilePart { offset, size }),
                },
                class: None,
            });
        } else if name.extension().is_some_and(|ending| ending == CLASS) && size <= MAX_CLASS {
            let mut text = String::new();
            entry.read_to_string(&mut text).map_err(|error| {
                let problem = format!("has a class that is no text: {}", name.display());
                fault(&problem).caused_by(error)
            })?;
            classes.insert(sample_key(&name), text.trim().to_owned());
        }
    }
    if images.is_empty() {
        return Err(fault("has no images in it"));
    }
    for image in &mut images {
        image.class = classes.get(&sample_key(&image.name)).cloned();
    }
    Ok(images)
}

/// The name of a sample: the path up to the first dot of the file's name.
fn sample_key(name: &Path) -> PathBuf {
    let file_name = name.file_name().unwrap_or_default().to_string_lossy();
    let stem = file_name.split('.').next().unwrap_or_default();
    name.with_file_name(stem)
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().starts_with('.')
}

/// Checks that a tar file of this length is a whole number of blocks and ends with an empty one.
fn check_end(file: &mut File, length: u64) -> std::io::Result<()> {
    use std::io::{Error, ErrorKind, SeekFrom};
    let cut_short = |problem| Err(Error::new(ErrorKind::UnexpectedEof, problem));
    if length == 0 {
        return cut_short("it is empty");
    }
    if !length.is_multiple_of(512) {
        return cut_short("it is cut short: its length is no multiple of 512 bytes");
    }
    let mut last = [0; 512];
    file.seek(SeekFrom::End(-512))?;
    file.read_exact(&mut last)?;
    file.rewind()?;
    if last.iter().any(|&byte| byte != 0) {
        return cut_short("it is cut short: the blocks that end a tar file are missing");
    }
    Ok(())
}
