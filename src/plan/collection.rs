//! Plans the collection: the images that some methods search.

use super::classes::check_labels;
use super::models::PlannedModel;
use super::plan_images::plan_images;
use super::planned_image::PlannedImage;
use super::spec_origin::Origin;
use crate::error::{Error, ErrorKind, Mistakes, Result};
use crate::fetch::Cache;
use crate::progress::Progress;
use crate::spec::{ExperimentSpec, PathStep};

/// Every image of the experiment's `collection`, or its `images` if it names no collection; none if no method searches
/// a collection. `None` if some could not be planned. `images` and `models` are absent where they have mistakes; what depends on
/// them is then not checked.
///
/// # Errors
/// If the work was stopped. `mistakes` gets those of entries without an image, labels that no network has, and a collection that
/// is too small for a method.
pub(super) fn plan_collection(
    experiment: &ExperimentSpec,
    images: Option<&[PlannedImage]>,
    models: Option<&[PlannedModel]>,
    origin: &Origin,
    cache: &Cache,
    progress: &dyn Progress,
    mistakes: &mut Mistakes,
) -> Result<Option<Vec<PlannedImage>>> {
    if !searches_collection(experiment) {
        return Ok(Some(Vec::new()));
    }
    let entries = &experiment.collection.0;
    let collection = if entries.is_empty() {
        images.map(<[PlannedImage]>::to_vec)
    } else {
        let seed = experiment.seed;
        mistakes.collect(plan_images(
            entries,
            "collection",
            seed,
            origin,
            cache,
            progress,
        ))?
    };
    if let Some(collection) = &collection {
        if let Some(models) = models {
            mistakes.add(check_labels("collection", collection, models, origin))?;
        }
        if !origin.is_incomplete("collection") {
            mistakes.add(check_collection_size(experiment, collection.len(), origin))?;
        }
    }
    Ok(collection)
}

/// The `images` themselves if a method of the experiment searches a collection; else none.
///
/// # Errors
/// If one of them has no file: a collection's images are read from their files batch by batch.
pub(super) fn images_as_collection(
    experiment: &ExperimentSpec,
    images: &[PlannedImage],
) -> Result<Vec<PlannedImage>> {
    if !searches_collection(experiment) {
        return Ok(Vec::new());
    }
    if let Some(image) = images.iter().find(|image| image.decoded.is_some()) {
        let message = format!(
            "image `{}` is in memory; a collection consists of files",
            image.id
        );
        return Err(Error::new(ErrorKind::Usage, message)
            .help("run an experiment with a `collection` for this method"));
    }
    Ok(images.to_vec())
}

/// Checks that `count` images are enough for every method that searches a collection.
///
/// # Errors
/// If one needs more.
pub(super) fn check_collection_size(
    experiment: &ExperimentSpec,
    count: usize,
    origin: &Origin,
) -> Result<()> {
    for (index, entry) in experiment.methods.iter().enumerate() {
        if let Some(method) = entry.method().for_collection() {
            method.check_collection(count).map_err(|error| {
                let path = [
                    PathStep::Key("methods"),
                    PathStep::Index(index),
                    PathStep::Key(entry.name()),
                ];
                origin.locate(&path, error)
            })?;
        }
    }
    Ok(())
}

fn searches_collection(experiment: &ExperimentSpec) -> bool {
    let mut methods = experiment.methods.iter();
    methods.any(|entry| entry.method().for_collection().is_some())
}
