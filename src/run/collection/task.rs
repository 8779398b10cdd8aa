//! The tasks of a pass over the collection: one for each method that searches it, on each network.

use super::super::fingerprint::fingerprint;
use super::super::model::RunModel;
use super::super::result_cache::ResultCache;
use super::super::run_output::{PartialResults, failure};
use crate::error::{Error, Result};
use crate::methods::{CollectionImage, Collector, MethodSpec};
use crate::network::graph::NodeId;
use crate::plan::{Plan, PlannedImage};

/// One method that searches the collection with one network.
pub(super) struct CollectionTask<'a> {
    /// The network's index.
    pub(super) model: usize,
    /// The method's index in the experiment.
    pub(super) method: usize,
    /// A hash of everything that its results depend on.
    pub(super) fingerprint: String,
    /// The method's layers.
    pub(super) layers: &'a [NodeId],
    /// The method's state.
    pub(super) collector: Box<dyn Collector + 'a>,
    /// The error that ended the task before the last image.
    pub(super) failed: Option<Error>,
}

/// The results of one method with one network.
pub(super) struct FinishedTask {
    /// The network's index.
    pub(super) model: usize,
    /// The method's index in the experiment.
    pub(super) method: usize,
    pub(super) results: PartialResults,
}

/// The tasks that are to be run, and the results of those that are in the cache or can't begin.
pub(super) fn plan_tasks<'a>(
    plan: &'a Plan,
    models: &'a [RunModel],
    sha256: &str,
    cache: Option<&ResultCache>,
) -> (Vec<CollectionTask<'a>>, Vec<FinishedTask>) {
    let mut tasks = Vec::new();
    let mut finished = Vec::new();
    for (model_index, model) in models.iter().enumerate() {
        for (index, entry) in plan.experiment.methods.iter().enumerate() {
            let Some(method) = entry.method().for_collection() else {
                continue;
            };
            let mut finish = |results: PartialResults| {
                finished.push(FinishedTask {
                    model: model_index,
                    method: index,
                    results,
                });
            };
            let layers = &model.layers[index];
            let begun = task_fingerprint(model, entry, layers, sha256, &plan.collection).and_then(
                |fingerprint| {
                    let found = cache.and_then(|cache| cache.find(&fingerprint));
                    let collector = match found {
                        Some(_) => None,
                        None => Some(method.collector(&model.loaded, layers)?),
                    };
                    Ok((fingerprint, found, collector))
                },
            );
            match begun {
                Ok((_, Some(found), _)) => finish(found),
                Ok((fingerprint, None, Some(collector))) => tasks.push(CollectionTask {
                    model: model_index,
                    method: index,
                    fingerprint,
                    layers,
                    collector,
                    failed: None,
                }),
                Ok((_, None, None)) => {}
                Err(error) => finish(failed_results(model, entry, &error)),
            }
        }
    }
    (tasks, finished)
}

/// Results that hold the error of a method alone.
pub(super) fn failed_results(
    model: &RunModel,
    entry: &MethodSpec,
    error: &Error,
) -> PartialResults {
    let failure = failure(Some(&model.loaded.id), None, Some(entry.name()), error);
    PartialResults {
        failures: vec![failure],
        ..PartialResults::default()
    }
}

/// An image of the collection as a method of `model` gets it.
pub(super) fn member(image: &PlannedImage, model: &RunModel) -> CollectionImage {
    let loaded = &model.loaded;
    let class = image.class_index(&loaded.labels);
    CollectionImage {
        id: image.id.clone(),
        source: image.source.clone(),
        path: image.path.clone(),
        show: image.show.clone(),
        label: class.map(|class| loaded.class(class)),
    }
}

/// A hash of everything that the results of one method depend on.
fn task_fingerprint(
    model: &RunModel,
    entry: &MethodSpec,
    layers: &[NodeId],
    sha256: &str,
    images: &[PlannedImage],
) -> Result<String> {
    let labels = &model.loaded.labels;
    let members: Vec<_> = images
        .iter()
        .map(|image| {
            let classes: Vec<usize> = image.class_indices(labels).collect();
            let groups = image.groups.iter();
            let groups: Vec<[&str; 2]> = groups.map(|(name, text)| [&**name, &**text]).collect();
            (&image.id, &image.source, &image.show, classes, groups)
        })
        .collect();
    fingerprint(&(
        &model.fingerprint,
        entry,
        layers,
        model.loaded.seed,
        sha256,
        members,
    ))
}
