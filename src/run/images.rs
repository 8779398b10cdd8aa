//! The passes over all pictures and networks: what each network sees of a picture, what comes of it from
//! the cache or from a pass of its own, and what could not be done.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::model_on_image::Job;
use super::models::Model;
use super::result_cache::Units;
use super::target_mask;
use crate::error::{Error, Result};
use crate::figures::{Array, CheckedMap, Figure, Tensors};
use crate::image::{DecodedImage, Preprocess};
use crate::methods::MethodOutput;
use crate::plan::images::PlannedImage;
use crate::progress::{Progress, Unit as Counted};
use crate::results::lock;
use crate::results::{Failure, ImageInfo, Prediction, Results, View};
use crate::spec::Experiment;

/// What came of one network, or of one network and one picture: what the cache keeps together.
#[derive(Debug, Default, Serialize, Deserialize)]
pub struct PartialResults {
    pub prediction: Option<Prediction>,
    pub figures: Vec<Figure>,
    #[serde(default)]
    pub checks: Vec<CheckedMap>,
    pub failures: Vec<Failure>,
    #[serde(skip)]
    pub tensors: Tensors,
}

/// Runs every method on every network and picture.
///
/// # Errors
/// If no picture could be opened.
pub fn all(
    experiment: &Experiment,
    pictures: &[PlannedImage],
    models: &mut [Model],
    units: Option<&Units>,
    progress: &dyn Progress,
    results: &mut Results,
    tensors: &mut Tensors,
) -> Result<()> {
    for model in models.iter() {
        let found = of_network(experiment, model, progress);
        keep(found, results, tensors);
    }
    let mut first_refused = None;
    let total = (pictures.len() * models.len()) as u64;
    let mut done = 0;
    for picture in pictures {
        let opened = picture.open().and_then(|photo| {
            if let Some(lock) = &experiment.lock {
                lock::hold(&lock.images, &picture.id, &photo.sha256, "bytes")?;
            }
            Ok(photo)
        });
        let photo = match opened {
            Ok(photo) => photo,
            Err(error) => {
                progress.warn(&error.one_line());
                results.failures.push(Failure {
                    model: None,
                    image: Some(picture.source.clone()),
                    method: None,
                    message: error.one_line(),
                    help: error.advice().map(str::to_owned),
                });
                first_refused = first_refused.or(Some(error));
                done += models.len() as u64;
                continue;
            }
        };
        let views = views(picture, &photo, models, results);
        let label = |model: &Model| picture.label.as_ref()?.of(&model.subject.labels);
        let mut seen: Vec<View> = Vec::new();
        for (model, view) in models.iter_mut().zip(&views) {
            let Some(view) = view else { continue };
            if model.record.input[1..] != [view.height(), view.width()] && results.images.is_empty()
            {
                model.record.input = [3, view.height(), view.width()];
            }
            progress.step(&format!("{}: {}", picture.id, model.subject.id));
            let shared = seen.iter_mut().find(|s| same_pixels(tensors, s, view));
            match shared {
                Some(shared) => shared.models.push(model.subject.id.clone()),
                None => {
                    let key = format!("_photos/{}/{}", picture.id, seen.len());
                    let shape = [view.height() as usize, view.width() as usize, 3];
                    tensors.insert(key.clone(), Array::u8(&shape, view.as_raw().clone()));
                    seen.push(View {
                        tensor: key,
                        width: view.width(),
                        height: view.height(),
                        models: vec![model.subject.id.clone()],
                    });
                }
            }
            let shown = picture.shows.as_ref().map(|shows| {
                target_mask::inside(shows, photo.pixels.dimensions(), &model.subject.preprocess)
            });
            let shown = shown.transpose().unwrap_or_else(|error| {
                progress.warn(&error.one_line());
                results
                    .failures
                    .push(failure(model, Some(picture), None, &error));
                None
            });
            let job = Job {
                experiment,
                model,
                picture,
                view,
                label: label(model),
                inside: shown.as_deref(),
            };
            let found = match units {
                Some(units) => units.find_or(&job.fingerprint(), || job.run()),
                None => job.run(),
            };
            keep(found, results, tensors);
            done += 1;
            progress.advance(done, Some(total), Counted::Items);
        }
        let named = models
            .iter()
            .find_map(|model| Some(model.subject.class(label(model)?)));
        results.images.push(ImageInfo {
            id: picture.id.clone(),
            source: picture.source.clone(),
            sha256: photo.sha256.clone(),
            width: photo.pixels.width(),
            height: photo.pixels.height(),
            label: named,
            views: seen,
        });
    }
    match (results.images.is_empty(), first_refused) {
        (true, Some(error)) => Err(error),
        _ => Ok(()),
    }
}

pub(super) fn keep(found: PartialResults, results: &mut Results, tensors: &mut Tensors) {
    results.predictions.extend(found.prediction);
    results.figures.extend(found.figures);
    results.checks.extend(found.checks);
    results.failures.extend(found.failures);
    tensors.extend(found.tensors);
}

fn same_pixels(tensors: &Tensors, shared: &View, view: &RgbImage) -> bool {
    let stored = tensors.get(&shared.tensor).and_then(Array::bytes);
    (shared.width, shared.height) == view.dimensions() && stored == Some(view.as_raw())
}

/// What each network sees of a photo, made once for those that preprocess alike.
fn views(
    picture: &PlannedImage,
    photo: &DecodedImage,
    models: &[Model],
    results: &mut Results,
) -> Vec<Option<RgbImage>> {
    let mut made: Vec<(Preprocess, RgbImage)> = Vec::new();
    let mut all = Vec::with_capacity(models.len());
    for model in models {
        let wanted = &model.subject.preprocess;
        let alike = |(other, _): &&(Preprocess, RgbImage)| other.has_same_view(wanted);
        let view = match made.iter().find(alike) {
            Some((_, view)) => Ok(view.clone()),
            None => wanted.view(&photo.pixels),
        };
        match view {
            Ok(view) => {
                made.push((wanted.clone(), view.clone()));
                all.push(Some(view));
            }
            Err(error) => {
                results
                    .failures
                    .push(failure(model, Some(picture), None, &error));
                all.push(None);
            }
        }
    }
    all
}

pub(super) fn failure(
    model: &Model,
    picture: Option<&PlannedImage>,
    method: Option<&str>,
    error: &Error,
) -> Failure {
    Failure {
        model: Some(model.subject.id.clone()),
        image: picture.map(|picture| picture.id.clone()),
        method: method.map(str::to_owned),
        message: error.one_line(),
        help: error.advice().map(str::to_owned),
    }
}

fn of_network(experiment: &Experiment, model: &Model, progress: &dyn Progress) -> PartialResults {
    let mut found = PartialResults::default();
    for (entry, layers) in experiment.methods.iter().zip(&model.layers) {
        let mut out = MethodOutput::default();
        tracing::debug!(model = model.subject.id, method = entry.name(), "network");
        match entry.method().of_network(&model.subject, layers, &mut out) {
            Ok(()) => {
                found.figures.extend(out.figures);
                found.tensors.extend(out.tensors);
            }
            Err(error) => {
                progress.warn(&format!(
                    "{}: {}: {}",
                    model.subject.id,
                    entry.name(),
                    error.one_line()
                ));
                found
                    .failures
                    .push(failure(model, None, Some(entry.name()), &error));
            }
        }
    }
    found
}

/// Everything about a network and the machine that numbers hang on, as text.
pub(super) fn network_words(model: &Model) -> String {
    let record = &model.record;
    let labels = &model.subject.labels;
    let class_names: Vec<String> = (0..labels.len()).map(|index| labels.name(index)).collect();
    serde_json::to_string(&(
        &model.subject.id,
        &record.arch,
        &record.weights.sha256,
        &record.weights.name,
        &model.subject.preprocess,
        class_names,
        super::device_name(model.subject.device),
        tch::get_num_threads(),
    ))
    .unwrap_or_default()
}
