//! The pass over the images: every image is decoded once and goes through all networks.

use std::sync::Arc;

use super::image_views::{ImageView, image_views, store_views};
use super::model::RunModel;
use super::model_on_image::ModelOnImage;
use super::result_cache::ResultCache;
use super::run_output::{RunOutput, failure};
use super::target_mask::target_mask;
use crate::error::{Error, Result};
use crate::image::DecodedImage;
use crate::network::Task;
use crate::plan::{Plan, PlannedImage};
use crate::progress::{Progress, ProgressUnit};
use crate::results::{ImageInfo, lock};
use crate::spec::PathStep;

/// Runs every method on every network and image.
///
/// # Errors
/// If no image could be read.
pub(super) fn run_images(
    plan: &Plan,
    models: &mut [RunModel],
    cache: Option<&ResultCache>,
    progress: &dyn Progress,
    output: &mut RunOutput,
) -> Result<()> {
    let mut first_error = None;
    let total = plan.images.len() * models.len();
    for (number, image) in plan.images.iter().enumerate() {
        check_interrupted(plan, number, progress)?;
        let pass = ImagePass {
            plan,
            image,
            cache,
            progress,
            done: number * models.len(),
            total,
        };
        match pass.decode() {
            Ok(decoded) => pass.run(&decoded, models, output),
            Err(error) => {
                progress.warn(&error.full_message());
                let failure = failure(None, Some(&image.source), None, &error);
                output.results.failures.push(failure);
                first_error = first_error.or(Some(error));
            }
        }
    }
    check_interrupted(plan, plan.images.len(), progress)?;
    match first_error {
        Some(error) if output.results.images.is_empty() => Err(error),
        _ => Ok(()),
    }
}

/// # Errors
/// If the run is interrupted. What it has computed is in the cache.
fn check_interrupted(plan: &Plan, done: usize, progress: &dyn Progress) -> Result<()> {
    if progress.interrupted() {
        let message = format!("interrupted after {done} of {} images", plan.images.len());
        return Err(Error::interrupted(message).help("the same command goes on from there"));
    }
    Ok(())
}

/// One image, on its way through all networks.
struct ImagePass<'a> {
    plan: &'a Plan,
    image: &'a PlannedImage,
    cache: Option<&'a ResultCache>,
    progress: &'a dyn Progress,
    /// How many pairs of an image and a network came before it.
    done: usize,
    total: usize,
}

impl ImagePass<'_> {
    /// The image's pixels, if they are those of the experiment's lock.
    fn decode(&self) -> Result<Arc<DecodedImage>> {
        let decoded = self.image.decode().map_err(|error| self.locate(error))?;
        if let Some(lock) = &self.plan.experiment.lock {
            lock::verify_sha256(&lock.images, &self.image.id, &decoded.sha256, "bytes")?;
        }
        Ok(decoded)
    }

    /// Makes the error of an image whose bands are chosen point at that choice.
    fn locate(&self, error: Error) -> Error {
        let path = [
            PathStep::Key("images"),
            PathStep::Index(self.image.entry),
            PathStep::Key("show"),
        ];
        if self.image.show.is_empty() {
            return error;
        }
        self.plan.origin.locate(&path, error)
    }

    fn run(&self, decoded: &DecodedImage, models: &mut [RunModel], output: &mut RunOutput) {
        let id = &self.image.id;
        let views = self.views(decoded, models, output);
        if output.results.images.is_empty() {
            record_input_sizes(models, &views);
        }
        let view_infos = store_views(id, models, &views, &mut output.tensors);
        for (index, (model, view)) in models.iter().zip(&views).enumerate() {
            let Some(view) = view else { continue };
            if self.progress.interrupted() {
                return;
            }
            self.progress.step(&format!("{id}: {}", model.loaded.id));
            let mask = self.target_mask(decoded, model, output);
            let job = ModelOnImage {
                experiment: &self.plan.experiment,
                model,
                image: id,
                view,
                labels: true_classes(self.image, model),
                target_mask: mask.as_deref(),
            };
            output.add(job.find_or_run(self.cache));
            let (done, total) = (self.done + index + 1, self.total as u64);
            self.progress
                .advance(done as u64, Some(total), ProgressUnit::Items);
        }
        let labels = models.iter().map(|model| {
            let indices = true_classes(self.image, model).into_iter();
            let labels = indices.map(|index| model.loaded.class(index));
            labels.collect::<Vec<_>>()
        });
        // Of the first network that has the most of them.
        let labels = labels.reduce(|most, other| {
            if other.len() > most.len() {
                other
            } else {
                most
            }
        });
        let mut labels = labels.unwrap_or_default().into_iter();
        output.results.images.push(ImageInfo {
            id: id.clone(),
            source: self.image.source.clone(),
            sha256: decoded.sha256.clone(),
            width: decoded.pixels.width(),
            height: decoded.pixels.height(),
            label: labels.next(),
            other_labels: labels.collect(),
            drawing: decoded
                .drawing
                .clone()
                .filter(|drawing| !drawing.is_plain()),
            views: view_infos,
        });
    }

    /// The view of every network; `None`, and a failure, where there can be none.
    fn views(
        &self,
        decoded: &DecodedImage,
        models: &[RunModel],
        output: &mut RunOutput,
    ) -> Vec<Option<Arc<ImageView>>> {
        let views = image_views(decoded, models).into_iter().zip(models);
        let views = views.map(|(view, model)| {
            view.map_err(|error| self.record(model, &error, output))
                .ok()
        });
        views.collect()
    }

    /// The mask of the pixels that show the image's class, where the experiment has a box or a mask.
    fn target_mask(
        &self,
        decoded: &DecodedImage,
        model: &RunModel,
        output: &mut RunOutput,
    ) -> Option<Vec<f32>> {
        let region = self.image.target.as_ref()?;
        let size = decoded.pixels.dimensions();
        let mask = target_mask(region, size, &model.loaded.preprocess);
        mask.map_err(|error| {
            self.progress.warn(&error.full_message());
            self.record(model, &error, output);
        })
        .ok()
    }

    fn record(&self, model: &RunModel, error: &Error, output: &mut RunOutput) {
        let failure = failure(Some(&model.loaded.id), Some(&self.image.id), None, error);
        output.results.failures.push(failure);
    }
}

/// The indices of the image's true classes in a network; none in a network without classes.
fn true_classes(image: &PlannedImage, model: &RunModel) -> Vec<usize> {
    let indices = image.class_indices(&model.loaded.labels);
    match model.loaded.task {
        Task::Classes => indices.take(1).collect(),
        Task::MultiLabel => indices.collect(),
        Task::Regression | Task::Codes => Vec::new(),
    }
}

/// Records the size of the input that the first image gives, which differs from the nominal one where images are fed
/// without resizing and cropping.
fn record_input_sizes(models: &mut [RunModel], views: &[Option<Arc<ImageView>>]) {
    for (model, view) in models.iter_mut().zip(views) {
        if let Some(view) = view {
            let (width, height) = view.view.pixels.dimensions();
            model.info.input = [model.info.input[0], height, width];
        }
    }
}
