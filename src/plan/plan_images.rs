//! Resolves the image entries of an experiment to files.

use std::path::{Path, PathBuf};

use super::planned_image::{ImageLabel, PlannedImage, TargetRegion};
use super::spec_origin::Origin;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache};
use crate::image::image_paths;
use crate::progress::Progress;
use crate::spec::{ImageSpec, PathStep, id_from_path, unique_ids};

/// Every image of `entries`, in their order, with unique ids. Errors point into the spec's `list`: `images` or
/// `collection`.
///
/// # Errors
/// For a file or a folder that doesn't exist, a folder without images, or a pack that can't be fetched.
pub fn plan_images(
    entries: &[ImageSpec],
    list: &'static str,
    origin: &Origin,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<PlannedImage>> {
    let mut images: Vec<PlannedImage> = Vec::new();
    let mut explicit_ids: Vec<Option<String>> = Vec::new();
    for (index, spec) in entries.iter().enumerate() {
        let entry = ImageEntry {
            list,
            index,
            origin,
        };
        let mut planned = match spec {
            ImageSpec::Pack { pack, pick, bounds } => {
                entry.pack_images(pack, pick, *bounds, cache, progress)?
            }
            ImageSpec::Path {
                path,
                class,
                bounds,
                mask,
                ..
            } => vec![entry.file_image(path, class, *bounds, mask.as_deref())?],
            ImageSpec::Dir { dir, limit, .. } => entry.folder_images(dir, *limit)?,
        };
        if let ImageSpec::Path { show, .. } | ImageSpec::Dir { show, .. } = spec {
            for image in &mut planned {
                image.show = show.clone();
            }
        }
        let explicit = match spec {
            ImageSpec::Path { id, .. } => id.clone(),
            _ => None,
        };
        explicit_ids.extend(planned.iter().map(|_| explicit.clone()));
        images.extend(planned);
    }
    let wanted = images.iter().zip(&explicit_ids);
    let ids = unique_ids(wanted.map(|(image, id)| (id.as_deref(), image.id.clone())));
    for (image, id) in images.iter_mut().zip(ids) {
        image.id = id;
    }
    Ok(images)
}

/// The image in the file at `path`, which the experiment names outside of its lists of images.
///
/// # Errors
/// If there is none.
pub(super) fn plan_image(path: &Path, origin: &Origin) -> Result<PlannedImage> {
    let full = origin.resolve(path);
    if !full.is_file() {
        let message = format!(
            "there is no image {}, and none with that id",
            full.display()
        );
        return Err(Error::new(ErrorKind::Spec, message).help(origin.paths_help()));
    }
    Ok(PlannedImage {
        id: id_from_path(&full),
        source: path.display().to_string(),
        path: full,
        labels: Vec::new(),
        target: None,
        show: Vec::new(),
        entry: 0,
        decoded: None,
    })
}

/// One entry of a list of images.
struct ImageEntry<'a> {
    list: &'static str,
    index: usize,
    origin: &'a Origin,
}

impl ImageEntry<'_> {
    /// Makes the error point at the entry's `key`.
    fn locate(&self, key: &'static str, error: Error) -> Error {
        let entry = [PathStep::Key(self.list), PathStep::Index(self.index)];
        // A single entry may be written without a list around it.
        let path = if self.origin.has(&entry) {
            [&entry[..], &[PathStep::Key(key)]].concat()
        } else {
            vec![PathStep::Key(self.list), PathStep::Key(key)]
        };
        self.origin.locate(&path, error)
    }

    fn missing(&self, key: &'static str, message: String) -> Error {
        let error = Error::new(ErrorKind::Spec, message).help(self.origin.paths_help());
        self.locate(key, error)
    }

    fn pack_images(
        &self,
        pack: &str,
        pick: &[String],
        bounds: Option<[f64; 4]>,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Vec<PlannedImage>> {
        let mut picked =
            fetch::fetch_pack(pack, cache, progress).map_err(|error| self.locate("pack", error))?;
        if !pick.is_empty() {
            picked =
                fetch::pick_images(&picked, pick).map_err(|error| self.locate("pick", error))?;
        }
        if let (Some(_), [first, second, ..]) = (bounds, &picked[..]) {
            let (first, second) = (&first.id, &second.id);
            let message =
                format!("`box` must belong to one image, but `pick` has `{first}` and `{second}`");
            let error =
                Error::new(ErrorKind::Spec, message).help("pick one image by its file's stem");
            return Err(self.locate("pick", error));
        }
        let planned = picked.into_iter().map(|image| PlannedImage {
            source: format!("{pack}: {}", file_name(&image.path)),
            labels: (image.label.iter())
                .map(|index| ImageLabel::Named(index.to_string()))
                .collect(),
            id: image.id,
            path: image.path,
            target: bounds.map(TargetRegion::Box),
            show: Vec::new(),
            entry: self.index,
            decoded: None,
        });
        Ok(planned.collect())
    }

    fn file_image(
        &self,
        path: &Path,
        classes: &[String],
        bounds: Option<[f64; 4]>,
        mask: Option<&Path>,
    ) -> Result<PlannedImage> {
        let full = self.origin.resolve(path);
        if full.is_dir() {
            let message = format!("{} is a folder, not an image file", full.display());
            let error = Error::new(ErrorKind::Spec, message)
                .help("write `{dir: …}` for every image below a folder");
            return Err(self.locate("path", error));
        }
        if !full.is_file() {
            return Err(self.missing("path", format!("there is no image {}", full.display())));
        }
        let mask: Option<PathBuf> = mask.map(|mask| self.origin.resolve(mask));
        if let Some(mask) = mask.as_ref().filter(|mask| !mask.is_file()) {
            return Err(self.missing("mask", format!("there is no mask {}", mask.display())));
        }
        Ok(PlannedImage {
            target: bounds
                .map(TargetRegion::Box)
                .or(mask.map(TargetRegion::Mask)),
            id: id_from_path(&full),
            source: path.display().to_string(),
            path: full,
            labels: classes.iter().cloned().map(ImageLabel::Named).collect(),
            show: Vec::new(),
            entry: self.index,
            decoded: None,
        })
    }

    fn folder_images(&self, dir: &Path, limit: Option<usize>) -> Result<Vec<PlannedImage>> {
        let full = self.origin.resolve(dir);
        let paths = image_paths(&full).map_err(|error| self.locate("dir", error))?;
        let paths = paths.into_iter().take(limit.unwrap_or(usize::MAX));
        let planned = paths.map(|path| {
            let below = path.strip_prefix(&full).unwrap_or(&path);
            PlannedImage {
                id: id_from_path(&path),
                source: dir.join(below).display().to_string(),
                labels: inferred_label(below).into_iter().collect(),
                target: None,
                path,
                show: Vec::new(),
                entry: self.index,
                decoded: None,
            }
        });
        Ok(planned.collect())
    }
}

/// The class that a file's path below the named folder suggests: the WordNet id that the file's name begins with, as in
/// `n02108422_bull_mastiff.jpg`, else the name of the folder that contains it.
fn inferred_label(below: &Path) -> Option<ImageLabel> {
    let stem = below.file_stem()?.to_str()?;
    let id = stem.split(['_', '-', '.', ' ']).next().unwrap_or(stem);
    let digits = id.strip_prefix('n').unwrap_or_default();
    if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(ImageLabel::Inferred(id.to_owned()));
    }
    let folder = below.parent()?.file_name()?.to_str()?;
    Some(ImageLabel::Inferred(folder.to_owned()))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
