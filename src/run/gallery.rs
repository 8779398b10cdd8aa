//! The pictures of an experiment: which files its words mean, and what each network sees of one.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache};
use crate::picture::photo_paths;
use crate::progress::Progress;
use crate::spec::{ImageSpec, SpecFile, Step, id_of_file, unique_ids};

/// A picture that the experiment names, not opened yet.
#[derive(Debug, Clone)]
pub struct Picture {
    /// Unique in the experiment; the second part of its tensors' keys.
    pub id: String,
    pub path: PathBuf,
    /// As the spec names it.
    pub source: String,
    /// Its true class, in the spec's or the pack's words.
    pub label: Option<String>,
    /// Its place in the spec's list.
    pub place: usize,
}

/// Every picture of the experiment, in the spec's order, with ids given.
///
/// # Errors
/// For a file or a folder that is not there, a folder without pictures, a pack that can't be had.
pub fn list(spec: &SpecFile, cache: &Cache, progress: &dyn Progress) -> Result<Vec<Picture>> {
    let mut pictures: Vec<Picture> = Vec::new();
    let mut named: Vec<Option<String>> = Vec::new();
    for (place, image) in spec.experiment.images.iter().enumerate() {
        let at = |key: &'static str| [Step::Key("images"), Step::Index(place), Step::Key(key)];
        match image {
            ImageSpec::Pack { pack, pick } => {
                let all = fetch::fetch_pack(pack, cache, progress)
                    .map_err(|error| spec.locate(&at("pack"), error))?;
                let photos = match pick.is_empty() {
                    true => all,
                    false => {
                        fetch::pick(&all, pick).map_err(|error| spec.locate(&at("pick"), error))?
                    }
                };
                for photo in photos {
                    pictures.push(Picture {
                        source: format!("{pack}: {}", file_name(&photo.path)),
                        label: photo.label.map(|index| index.to_string()),
                        id: photo.id,
                        path: photo.path,
                        place,
                    });
                    named.push(None);
                }
            }
            ImageSpec::Path { path, id, class } => {
                let full = spec.resolve(path);
                if !full.is_file() {
                    let message = match full.is_dir() {
                        true => format!("{} is a folder", full.display()),
                        false => format!("there is no picture {}", full.display()),
                    };
                    let help = match full.is_dir() {
                        true => "write `{dir: …}` for every picture below a folder",
                        false => "paths are meant from the experiment file's folder",
                    };
                    let error = Error::new(ErrorKind::Spec, message).help(help);
                    return Err(spec.locate(&at("path"), error));
                }
                pictures.push(Picture {
                    id: id_of_file(&full),
                    source: path.display().to_string(),
                    path: full,
                    label: class.clone(),
                    place,
                });
                named.push(id.clone());
            }
            ImageSpec::Dir { dir, limit } => {
                let full = spec.resolve(dir);
                let paths = photo_paths(&full).map_err(|error| spec.locate(&at("dir"), error))?;
                for path in paths.into_iter().take(limit.unwrap_or(usize::MAX)) {
                    let below = path.strip_prefix(&full).unwrap_or(&path);
                    pictures.push(Picture {
                        id: id_of_file(&path),
                        source: dir.join(below).display().to_string(),
                        path,
                        label: None,
                        place,
                    });
                    named.push(None);
                }
            }
        }
    }
    let wanted = pictures.iter().zip(&named);
    let ids = unique_ids(wanted.map(|(picture, id)| (id.as_deref(), picture.id.clone())));
    for (picture, id) in pictures.iter_mut().zip(ids) {
        picture.id = id;
    }
    Ok(pictures)
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
