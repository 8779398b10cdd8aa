//! Photo packs: photos that can be fetched together, most with the class they show.

use std::path::PathBuf;

use super::catalogue::unknown;
use super::{Cache, RemoteFile, fetch_files, photo_pack};
use crate::error::{Error, ErrorKind, Result};
use crate::network::labels::Labels;
use crate::progress::Progress;

/// A photo of a pack, in the cache, its sum checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackPhoto {
    pub path: PathBuf,
    /// The file's stem, unique in the pack.
    pub id: String,
    /// ImageNet's index of what it shows, where it has a class for it.
    pub label: Option<usize>,
    pub licence: String,
    /// Of the file.
    pub sha256: String,
}

/// All photos of the pack `name`, in the catalogue's order.
///
/// # Errors
/// If there is no such pack, or it can't be fetched.
pub fn fetch_pack(name: &str, cache: &Cache, progress: &dyn Progress) -> Result<Vec<PackPhoto>> {
    let pack = photo_pack(name)?;
    let files: Vec<RemoteFile> = pack.photos.iter().map(|photo| photo.file.clone()).collect();
    let what = format!("the photos {name}");
    let folder = format!("packs/{name}");
    let fetched = fetch_files(&what, &folder, &files, &pack.sources, cache, progress)?;
    let photos = fetched.into_iter().zip(&pack.photos);
    Ok(photos
        .map(|(file, photo)| PackPhoto {
            id: match file.path.file_stem() {
                Some(stem) => stem.to_string_lossy().into_owned(),
                None => photo.file.path.clone(),
            },
            path: file.path,
            label: photo.label,
            licence: photo.licence.as_ref().unwrap_or(&pack.licence).clone(),
            sha256: file.sha256,
        })
        .collect())
}

/// The photos that `names` name, in that order: each a class (by name or WordNet id: all photos of
/// it), a file's stem, or a photo's number, from 0. A photo named twice comes once.
///
/// # Errors
/// If a name fits no photo, with the nearest one that does.
pub fn pick(photos: &[PackPhoto], names: &[String]) -> Result<Vec<PackPhoto>> {
    let labels = Labels::imagenet();
    let mut picked: Vec<PackPhoto> = Vec::new();
    for name in names {
        for photo in one(photos, name, &labels)? {
            if !picked.contains(photo) {
                picked.push(photo.clone());
            }
        }
    }
    Ok(picked)
}

fn one<'a>(photos: &'a [PackPhoto], name: &str, labels: &Labels) -> Result<Vec<&'a PackPhoto>> {
    let number = name.trim().parse::<usize>().ok();
    // Digits mean a photo's number here, not a class's index.
    let class = match number {
        None => labels.resolve_all(name),
        Some(_) => Vec::new(),
    };
    let shows = |photo: &&PackPhoto| photo.label.is_some_and(|label| class.contains(&label));
    let found: Vec<&PackPhoto> = photos.iter().filter(shows).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    if let Some(photo) = photos.iter().find(|photo| photo.id == name.trim()) {
        return Ok(vec![photo]);
    }
    if let Some(number) = number {
        return match photos.get(number) {
            Some(photo) => Ok(vec![photo]),
            None => Err(Error::new(
                ErrorKind::Spec,
                format!("there is no photo {number} in a pack of {}", photos.len()),
            )
            .help(format!(
                "numbers go from 0 to {}",
                photos.len().saturating_sub(1)
            ))),
        };
    }
    let mut known: Vec<String> = Vec::new();
    for photo in photos {
        let name = match photo.label {
            Some(label) => labels.name(label),
            None => photo.id.clone(),
        };
        if !known.contains(&name) {
            known.push(name);
        }
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let message = format!("the pack has no photo of `{name}`");
    Err(unknown(ErrorKind::Spec, message, name, &known))
}
