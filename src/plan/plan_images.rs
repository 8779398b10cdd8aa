//! Resolves the image entries of an experiment to files.

use std::path::Path;

use super::image_entry::ImageEntry;
use super::label_rows::is_table;
use super::planned_image::PlannedImage;
use super::spec_origin::Origin;
use crate::error::{Error, ErrorKind, Mistakes, Result};
use crate::fetch::Cache;
use crate::progress::Progress;
use crate::rng::Rng;
use crate::spec::{ImageSpec, unique_ids};

/// Every image of `entries`, in their order, with unique ids. Errors point into the spec's `list`: `images` or
/// `collection`. Samples are drawn with `seed`.
///
/// # Errors
/// For a file or a folder that doesn't exist, a folder without images, a file of labels that can't be used, or a pack that can't be
/// fetched.
pub fn plan_images(
    entries: &[ImageSpec],
    list: &'static str,
    seed: u64,
    origin: &Origin,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<PlannedImage>> {
    let mut images: Vec<PlannedImage> = Vec::new();
    let mut explicit_ids: Vec<Option<String>> = Vec::new();
    let mut mistakes = Mistakes::default();
    for (index, spec) in entries.iter().enumerate() {
        let entry = ImageEntry {
            list,
            index,
            origin,
        };
        let planned = plan_entry(spec, &entry, cache, progress);
        let Some(mut planned) = mistakes.collect(planned)? else {
            continue;
        };
        let (limit, sample) = spec.limit_and_sample();
        if let Some(count) = sample {
            planned = drawn(planned, count, seed, index);
        }
        planned.truncate(limit.unwrap_or(usize::MAX));
        for image in &mut planned {
            image.show = spec.shown_bands().to_vec();
        }
        let explicit = match spec {
            ImageSpec::Path { id, .. } => id.clone(),
            _ => None,
        };
        explicit_ids.extend(planned.iter().map(|_| explicit.clone()));
        images.extend(planned);
    }
    mistakes.into_result()?;
    let wanted = images.iter().zip(&explicit_ids);
    let ids = unique_ids(wanted.map(|(image, id)| (id.as_deref(), image.id.clone())));
    for (image, id) in images.iter_mut().zip(ids) {
        image.id = id;
    }
    Ok(images)
}

/// The images of one entry, all of them.
fn plan_entry(
    spec: &ImageSpec,
    entry: &ImageEntry,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<Vec<PlannedImage>> {
    Ok(match spec {
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
        ImageSpec::Dir {
            dir, labels, split, ..
        } => match labels {
            None => entry.folder_images(dir)?,
            Some(labels) if is_table(labels) => {
                entry.table_images(labels, split.as_deref(), Some(dir), progress)?
            }
            Some(labels) => entry.labelled_folder(dir, labels, split.as_deref(), progress)?,
        },
        ImageSpec::List { list, labels, .. } => {
            entry.list_images(list, labels.as_deref(), progress)?
        }
        ImageSpec::Tar { tar, .. } => entry.shard_images(tar)?,
        ImageSpec::Table { labels, split, .. } => {
            entry.table_images(labels, split.as_deref(), None, progress)?
        }
    })
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
    let source = path.display().to_string();
    Ok(PlannedImage::file(full, source))
}

/// `count` of the images, drawn at random, in their order.
fn drawn(images: Vec<PlannedImage>, count: usize, seed: u64, entry: usize) -> Vec<PlannedImage> {
    let mut rng = Rng::new(seed, &format!("sample of entry {entry}"));
    // Selection sampling: each image is kept with the share of the images that are still wanted.
    let (mut left, mut wanted) = (images.len(), count.min(images.len()));
    let kept = images.into_iter().filter(|_| {
        let keep = rng.uniform() * (left as f64) < wanted as f64;
        left -= 1;
        wanted -= usize::from(keep);
        keep
    });
    kept.collect()
}
