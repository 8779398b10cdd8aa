//! The images of a pack, and the selection of some of them.

use std::path::PathBuf;

use super::cache::Cache;
use super::catalogue::{RemoteFile, image_pack, unknown_name};
use super::fetch_files::FileSet;
use crate::error::{Error, ErrorKind, Result};
use crate::network::labels::Labels;
use crate::progress::Progress;

/// An image of a pack in the cache; its sha256 was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackImage {
    /// The file.
    pub path: PathBuf,
    /// The file's stem, unique in the pack.
    pub id: String,
    /// The index of its class in ImageNet, if ImageNet has one for it.
    pub label: Option<usize>,
    /// Its licence.
    pub licence: String,
    /// The sha256 of the file.
    pub sha256: String,
}

/// All images of the pack `name`, in the catalogue's order.
///
/// # Errors
/// If there is no such pack, or it can't be fetched.
pub fn fetch_pack(name: &str, cache: &Cache, progress: &dyn Progress) -> Result<Vec<PackImage>> {
    let pack = image_pack(name)?;
    let files: Vec<RemoteFile> = pack.images.iter().map(|image| image.file.clone()).collect();
    let set = FileSet {
        name: format!("the image pack {name}"),
        folder: format!("packs/{name}"),
        files: &files,
        sources: &pack.sources,
    };
    let images = set.fetch(cache, progress)?.into_iter().zip(&pack.images);
    Ok(images
        .map(|(file, image)| PackImage {
            id: match file.path.file_stem() {
                Some(stem) => stem.to_string_lossy().into_owned(),
                None => image.file.path.clone(),
            },
            path: file.path,
            label: image.label,
            licence: image.licence.as_ref().unwrap_or(&pack.licence).clone(),
            sha256: file.sha256,
        })
        .collect())
}

/// The images that `names` select, in that order. A name is a class (its name or WordNet id: all images
/// of the class), a file's stem, or an image's index from 0. An image selected twice is returned once.
///
/// # Errors
/// If a name matches no image; the help has the nearest name.
pub fn pick_images(images: &[PackImage], names: &[String]) -> Result<Vec<PackImage>> {
    let labels = Labels::imagenet();
    let mut picked: Vec<PackImage> = Vec::new();
    for name in names {
        for image in find_images(images, name, &labels)? {
            if !picked.contains(image) {
                picked.push(image.clone());
            }
        }
    }
    Ok(picked)
}

fn find_images<'a>(
    images: &'a [PackImage],
    name: &str,
    labels: &Labels,
) -> Result<Vec<&'a PackImage>> {
    let index = name.trim().parse::<usize>().ok();
    // Digits are the index of an image here, not of a class.
    let classes = match index {
        None => labels.resolve_all(name),
        Some(_) => Vec::new(),
    };
    let has_class = |image: &&PackImage| image.label.is_some_and(|label| classes.contains(&label));
    let found: Vec<&PackImage> = images.iter().filter(has_class).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if let Some(image) = images.iter().find(|image| image.id == name.trim()) {
        return Ok(vec![image]);
    }
    if let Some(index) = index {
        let image = images.get(index).ok_or_else(|| {
            let last = images.len().saturating_sub(1);
            let message = format!("an index in `pick` must be 0 to {last}, got {index}");
            Error::new(ErrorKind::Spec, message)
        })?;
        return Ok(vec![image]);
    }
    let mut known: Vec<String> = Vec::new();
    for image in images {
        let name = match image.label {
            Some(label) => labels.name(label),
            None => image.id.clone(),
        };
        if !known.contains(&name) {
            known.push(name);
        }
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let message = format!("the pack has no image of `{name}`");
    Err(unknown_name(ErrorKind::Spec, message, name, &known))
}
