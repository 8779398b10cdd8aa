//! The pictures of an experiment: which files its words mean, and what each network sees of one.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache};
use crate::image::{DecodedImage, image_paths};
use crate::network::labels::Labels;
use crate::progress::Progress;
use crate::spec::{ImageSpec, SpecFile, Step, id_of_file, unique_ids};

/// A picture that the experiment names, not opened yet.
#[derive(Debug, Clone)]
pub struct PlannedImage {
    /// Unique in the experiment; the second part of its tensors' keys.
    pub id: String,
    pub path: PathBuf,
    /// As the spec names it.
    pub source: String,
    /// Its true class.
    pub label: Option<Label>,
    /// Where it shows its class, where the spec says it.
    pub shows: Option<Shows>,
    /// Its place in the spec's list.
    pub place: usize,
    /// Its pixels, where they are in memory already.
    pub photo: Option<DecodedImage>,
}

impl PlannedImage {
    /// Its pixels, from memory or from its file.
    ///
    /// # Errors
    /// If the file is no picture that can be read.
    pub fn open(&self) -> Result<DecodedImage> {
        match &self.photo {
            Some(photo) => Ok(photo.clone()),
            None => DecodedImage::open(&self.path),
        }
    }
}

/// Where a picture shows its class.
#[derive(Debug, Clone, PartialEq)]
pub enum Shows {
    /// Left, top, right and bottom, in pixels of the picture.
    Box([f64; 4]),
    /// Where a picture of the same size is bright.
    Mask(PathBuf),
}

/// A picture's true class in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// By the spec or the pack: some network has to know it.
    Said(String),
    /// From a file's or a folder's name: it may be no class at all.
    Guessed(String),
}

impl Label {
    /// The class of `labels` that is meant, if there is one.
    pub fn of(&self, labels: &Labels) -> Option<usize> {
        match self {
            Label::Said(text) => labels.resolve(text).ok(),
            Label::Guessed(text) => labels.exact(text),
        }
    }
}

/// Every picture of the experiment, in the spec's order, with ids given.
///
/// # Errors
/// For a file or a folder that is not there, a folder without pictures, a pack that can't be had.
pub fn list(spec: &SpecFile, cache: &Cache, progress: &dyn Progress) -> Result<Vec<PlannedImage>> {
    entries(spec, "images", &spec.experiment.images, cache, progress)
}

/// Every image of the collection; the experiment's pictures where it names none.
///
/// # Errors
/// As [`list`].
pub fn collection(
    spec: &SpecFile,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<PlannedImage>> {
    match &spec.experiment.collection.0[..] {
        [] => list(spec, cache, progress),
        all => entries(spec, "collection", all, cache, progress),
    }
}

fn entries(
    spec: &SpecFile,
    list: &'static str,
    all: &[ImageSpec],
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<PlannedImage>> {
    let mut pictures: Vec<PlannedImage> = Vec::new();
    let mut named: Vec<Option<String>> = Vec::new();
    for (place, image) in all.iter().enumerate() {
        // A single entry may stand there without a list around it.
        let at = |key: &'static str| match [Step::Key(list), Step::Index(place)] {
            inside if spec.has(&inside) => [&inside[..], &[Step::Key(key)]].concat(),
            _ => vec![Step::Key(list), Step::Key(key)],
        };
        match image {
            ImageSpec::Pack { pack, pick, bounds } => {
                let all = fetch::fetch_pack(pack, cache, progress)
                    .map_err(|error| spec.locate(&at("pack"), error))?;
                let photos = match pick.is_empty() {
                    true => all,
                    false => fetch::pick_images(&all, pick)
                        .map_err(|error| spec.locate(&at("pick"), error))?,
                };
                if let (Some(_), [_, second, ..]) = (bounds, &photos[..]) {
                    let message =
                        format!("a box is that of one photo, and `{}` is another", second.id);
                    let error = Error::new(ErrorKind::Spec, message)
                        .help("pick one photo by its file's stem");
                    return Err(spec.locate(&at("pick"), error));
                }
                for photo in photos {
                    pictures.push(PlannedImage {
                        source: format!("{pack}: {}", file_name(&photo.path)),
                        label: photo.label.map(|index| Label::Said(index.to_string())),
                        id: photo.id,
                        path: photo.path,
                        shows: bounds.map(Shows::Box),
                        place,
                        photo: None,
                    });
                    named.push(None);
                }
            }
            ImageSpec::Path {
                path,
                id,
                class,
                bounds,
                mask,
            } => {
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
                let mask = mask.as_deref().map(|mask| spec.resolve(mask));
                if let Some(mask) = mask.as_ref().filter(|mask| !mask.is_file()) {
                    let message = format!("there is no mask {}", mask.display());
                    let error = Error::new(ErrorKind::Spec, message)
                        .help("paths are meant from the experiment file's folder");
                    return Err(spec.locate(&at("mask"), error));
                }
                pictures.push(PlannedImage {
                    shows: bounds.map(Shows::Box).or(mask.map(Shows::Mask)),
                    id: id_of_file(&full),
                    source: path.display().to_string(),
                    path: full,
                    label: class.clone().map(Label::Said),
                    place,
                    photo: None,
                });
                named.push(id.clone());
            }
            ImageSpec::Dir { dir, limit } => {
                let full = spec.resolve(dir);
                let paths = image_paths(&full).map_err(|error| spec.locate(&at("dir"), error))?;
                for path in paths.into_iter().take(limit.unwrap_or(usize::MAX)) {
                    let below = path.strip_prefix(&full).unwrap_or(&path);
                    pictures.push(PlannedImage {
                        id: id_of_file(&path),
                        source: dir.join(below).display().to_string(),
                        label: label_in(below),
                        shows: None,
                        path,
                        place,
                        photo: None,
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

/// The label that a file's place in a folder says: the WordNet id that its name begins with, as in
/// `n02108422_bull_mastiff.jpg`, else the name of the folder it lies in below the one named.
fn label_in(below: &Path) -> Option<Label> {
    let stem = below.file_stem()?.to_str()?;
    let id = stem.split(['_', '-', '.', ' ']).next().unwrap_or(stem);
    let digits = id.strip_prefix('n').unwrap_or_default();
    if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Label::Guessed(id.to_owned()));
    }
    let folder = below.parent()?.file_name()?.to_str()?;
    Some(Label::Guessed(folder.to_owned()))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
