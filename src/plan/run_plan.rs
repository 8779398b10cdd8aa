//! The plan of a run.

use super::models::{PlannedModel, plan_models};
use super::planned_image::PlannedImage;
use super::references::{PlannedReference, plan_references};
use super::spec_origin::Origin;
use super::{classes, collection, plan_images, single_step};
use crate::error::{ErrorKind, Mistakes, Result};
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
    /// For all names that don't exist, pointing at them in the spec.
    pub fn new(spec: &SpecFile, cache: &Cache, progress: &dyn Progress) -> Result<Self> {
        let origin = Origin::spec(spec);
        let planning = Planning {
            experiment: &spec.experiment,
            origin: &origin,
            cache,
            progress,
        };
        let mut mistakes = Mistakes::default();
        let models = planning.models(&mut mistakes)?;
        let images = if mistakes.is_empty() {
            planning.images(models.as_deref(), cache, progress, &mut mistakes)?
        } else {
            // Nothing is fetched for a spec that is wrong.
            planning.images_in_cache(models.as_deref(), &mut mistakes)?
        };
        mistakes.into_result()?;
        let (models, images) = (models.unwrap_or_default(), images.unwrap_or_default());
        let PlannedImages {
            images,
            collection,
            references,
        } = images;
        Ok(Plan {
            experiment: spec.experiment.clone(),
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
        let planning = Planning {
            experiment: &spec.experiment,
            origin: &Origin::spec(spec),
            cache,
            progress,
        };
        let mut mistakes = Mistakes::default();
        let models = planning.models(&mut mistakes)?;
        let images = planning.images_in_cache(models.as_deref(), &mut mistakes)?;
        mistakes.into_result()?;
        Ok((models.unwrap_or_default(), images))
    }

    /// Looks for further mistakes in the rest of a spec of which something could not be read; nothing is fetched or exported.
    ///
    /// # Errors
    /// If there are some.
    pub fn check_rest(spec: &SpecFile, cache: &Cache) -> Result<()> {
        match Self::check(spec, &offline(cache), &Silent) {
            Ok(_) => Ok(()),
            // Nothing of it is wrong: it is not there yet.
            Err(error) => error.without(ErrorKind::Fetch).map_or(Ok(()), Err),
        }
    }
}

fn offline(cache: &Cache) -> Cache {
    Cache {
        offline: true,
        ..cache.clone()
    }
}

/// The images of an experiment, its collection, and the images that these are compared with.
#[derive(Debug, Default)]
pub struct PlannedImages {
    /// The images.
    pub images: Vec<PlannedImage>,
    /// The collection.
    pub collection: Vec<PlannedImage>,
    /// The references.
    pub references: Vec<PlannedReference>,
}

/// What a plan is made from. Its parts collect the mistakes of entries that don't depend on each other; what depends on a part
/// with a mistake is not looked at.
struct Planning<'a> {
    experiment: &'a ExperimentSpec,
    origin: &'a Origin,
    cache: &'a Cache,
    progress: &'a dyn Progress,
}

impl Planning<'_> {
    /// The networks, with the classes that the experiment asks them about.
    fn models(&self, mistakes: &mut Mistakes) -> Result<Option<Vec<PlannedModel>>> {
        let models = plan_models(self.experiment, self.origin, self.cache, self.progress);
        let models = mistakes.collect(models)?;
        if let Some(models) = self.complete("models", models.as_deref()) {
            for model in models {
                if let Some(assumed) = model.assumed_preprocess {
                    let message = format!("{}: {}", model.id, assumed.sentence());
                    self.progress.warn(&message);
                }
            }
            mistakes.add(classes::check_classes(self.experiment, models, self.origin))?;
        }
        Ok(models)
    }

    /// The images and the collection; `None` also where a pack is not in the cache.
    fn images_in_cache(
        &self,
        models: Option<&[PlannedModel]>,
        mistakes: &mut Mistakes,
    ) -> Result<Option<PlannedImages>> {
        let mut own = Mistakes::default();
        let images = self.images(models, &offline(self.cache), &Silent, &mut own)?;
        let error = own.into_result().err();
        if let Some(error) = error.and_then(|error| error.without(ErrorKind::Fetch)) {
            mistakes.add(Err(error))?;
        }
        Ok(images)
    }

    /// The images and the collection, from this cache.
    fn images(
        &self,
        models: Option<&[PlannedModel]>,
        cache: &Cache,
        progress: &dyn Progress,
        mistakes: &mut Mistakes,
    ) -> Result<Option<PlannedImages>> {
        let (experiment, origin) = (self.experiment, self.origin);
        let seed = experiment.seed;
        let images =
            plan_images::plan_images(&experiment.images, "images", seed, origin, cache, progress);
        let images = mistakes.collect(images)?;
        let models = self.complete("models", models);
        if let (Some(models), Some(images)) = (models, &images) {
            mistakes.add(classes::check_labels("images", images, models, origin))?;
        }
        let whole = self.complete("images", images.as_deref());
        let collection = collection::plan_collection(
            experiment, whole, models, origin, cache, progress, mistakes,
        )?;
        let references = match (models, whole) {
            (Some(models), Some(images)) => {
                mistakes.collect(plan_references(experiment, models, images, origin))?
            }
            _ => None,
        };
        let parts = images.zip(collection).zip(references);
        Ok(
            parts.map(|((images, collection), references)| PlannedImages {
                images,
                collection,
                references,
            }),
        )
    }

    /// The value that was planned for a key of the spec, unless some of its entries are missing.
    fn complete<'t, T: ?Sized>(&self, key: &str, planned: Option<&'t T>) -> Option<&'t T> {
        planned.filter(|_| !self.origin.is_incomplete(key))
    }
}
