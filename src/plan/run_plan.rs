//! The plan of a run.

use super::models::{PlannedModel, plan_models};
use super::planned_image::PlannedImage;
use super::references::{PlannedReference, plan_references};
use super::spec_origin::Origin;
use super::{classes, collection, plan_images, single_step};
use crate::error::{ErrorKind, Result};
use crate::fetch::Cache;
use crate::methods::MethodSpec;
use crate::network::ClassSpec;
use crate::progress::{Progress, Silent};
use crate::spec::{ExperimentSpec, ModelSpec, SpecFile};

/// Everything that a run needs: every name in the experiment is resolved, no network is loaded and no image is read.
#[derive(Debug)]
pub struct Plan {
    /// The settings of the run: classes, methods, checks, seed.
    pub experiment: ExperimentSpec,
    /// The networks, in the experiment's order.
    pub models: Vec<PlannedModel>,
    /// The images, in the experiment's order.
    pub images: Vec<PlannedImage>,
    /// The images that some methods search; empty if the experiment has no such method.
    pub collection: Vec<PlannedImage>,
    /// The images that the experiment's images are compared with.
    pub references: Vec<PlannedReference>,
    /// The spec that errors point at, if there is one.
    pub origin: Origin,
}

impl Plan {
    /// Resolves everything that the spec names. Image packs and networks of Python libraries come from the cache or, unless it
    /// is offline, are fetched and exported.
    ///
    /// # Errors
    /// For the first name that doesn't exist, pointing at it in the spec.
    pub fn new(spec: &SpecFile, cache: &Cache, progress: &dyn Progress) -> Result<Self> {
        let (experiment, origin) = (&spec.experiment, Origin::spec(spec));
        let models = plan_models(experiment, &origin, cache, progress)?;
        warn_of_assumptions(&models, progress);
        let [images, collection] = plan_all_images(experiment, &models, &origin, cache, progress)?;
        let references = plan_references(experiment, &models, &images, &origin)?;
        Ok(Plan {
            experiment: experiment.clone(),
            models,
            images,
            collection,
            references,
            origin,
        })
    }

    /// A plan from values: one network, these images, and at most one method, about `class`.
    ///
    /// # Errors
    /// If the network, the class or a layer of the method doesn't exist, or an option is out of range; also if the
    /// method searches a collection and an image has no file.
    pub fn for_step(
        model: &ModelSpec,
        images: &[PlannedImage],
        class: ClassSpec,
        method: Option<MethodSpec>,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Self> {
        let experiment = single_step::experiment(model, class, method)?;
        let origin = Origin::none();
        let models = plan_models(&experiment, &origin, cache, progress)?;
        classes::check_classes(&experiment, &models, &origin)?;
        classes::check_labels("images", images, &models, &origin)?;
        let references = plan_references(&experiment, &models, images, &origin)?;
        let collection = collection::images_as_collection(&experiment, images)?;
        collection::check_collection_size(&experiment, collection.len(), &origin)?;
        Ok(Plan {
            experiment,
            models,
            images: images.to_vec(),
            collection,
            references,
            origin,
        })
    }

    /// The models of a spec, its images and its collection, without fetching an image pack: `None` for both where a pack is not in
    /// the cache. A network of a Python library that is not in the cache is exported, unless the cache is offline.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn check(
        spec: &SpecFile,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<(Vec<PlannedModel>, Option<PlannedImages>)> {
        let (experiment, origin) = (&spec.experiment, Origin::spec(spec));
        let models = plan_models(experiment, &origin, cache, progress)?;
        warn_of_assumptions(&models, progress);
        let offline = Cache {
            offline: true,
            ..cache.clone()
        };
        match plan_all_images(experiment, &models, &origin, &offline, &Silent) {
            Ok(images) => {
                plan_references(experiment, &models, &images[0], &origin)?;
                Ok((models, Some(images)))
            }
            Err(error) if error.kind() == ErrorKind::Fetch => Ok((models, None)),
            Err(error) => Err(error),
        }
    }
}

/// Says of which networks the preprocessing had to be assumed.
fn warn_of_assumptions(models: &[PlannedModel], progress: &dyn Progress) {
    for model in models {
        if let Some(assumed) = model.assumed_preprocess {
            progress.warn(&format!("{}: {}", model.id, assumed.sentence()));
        }
    }
}

/// The images of an experiment, and its collection.
type PlannedImages = [Vec<PlannedImage>; 2];

/// The images and the collection of an experiment.
fn plan_all_images(
    experiment: &ExperimentSpec,
    models: &[PlannedModel],
    origin: &Origin,
    cache: &Cache,
    progress: &dyn Progress,
) -> Result<[Vec<PlannedImage>; 2]> {
    classes::check_classes(experiment, models, origin)?;
    let images = plan_images::plan_images(
        &experiment.images,
        "images",
        experiment.seed,
        origin,
        cache,
        progress,
    )?;
    classes::check_labels("images", &images, models, origin)?;
    let collection =
        collection::plan_collection(experiment, &images, models, origin, cache, progress)?;
    Ok([images, collection])
}
