//! The tasks of a pass over the collection: one for each method that searches it, on each network.

use super::super::fingerprint::fingerprint;
use super::super::model::RunModel;
use super::super::precision_note::add_precision_note;
use super::super::result_cache::ResultCache;
use super::super::run_output::{PartialResults, failure};
use super::pass_folder::PassFolder;
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{CollectionImage, Collector, CollectorState, ManyInputs, MethodOutput};
use crate::network::graph::NodeId;
use crate::network::labels::Labels;
use crate::plan::{Plan, PlannedImage};
use crate::progress::Progress;

/// A method that is to search the collection with one network.
#[derive(Debug)]
pub(super) struct PlannedTask {
    /// The network's index.
    pub(super) model: usize,
    /// The method's index in the experiment.
    pub(super) method: usize,
    /// A hash of everything that its results depend on, but for the images' content and the machine.
    pub(super) identity: String,
    /// A hash of everything that its results depend on.
    pub(super) fingerprint: String,
}

/// A method that searches the collection with one network.
pub(super) struct CollectionTask<'a> {
    pub(super) planned: PlannedTask,
    /// The method's layers.
    pub(super) layers: &'a [NodeId],
    /// The method's state; none if it could not begin.
    pub(super) collector: Option<Box<dyn Collector + 'a>>,
    /// The error that ended the task.
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

/// Every task of a plan.
///
/// # Errors
/// If the tasks can't be fingerprinted.
pub(super) fn plan_tasks(
    plan: &Plan,
    models: &[RunModel],
    sha256: &str,
) -> Result<Vec<PlannedTask>> {
    let mut tasks = Vec::new();
    for (model_index, model) in models.iter().enumerate() {
        let members = members_fingerprint(&plan.collection, &model.loaded.labels)?;
        for (index, entry) in plan.experiment.methods.iter().enumerate() {
            if entry.method().for_collection().is_none() {
                continue;
            }
            let options = (entry, &model.layers[index], model.loaded.seed, &members);
            tasks.push(PlannedTask {
                model: model_index,
                method: index,
                identity: fingerprint(&(&model.identity, &options))?,
                fingerprint: fingerprint(&(&model.fingerprint, &options, sha256))?,
            });
        }
    }
    Ok(tasks)
}

/// Splits tasks into those that are to be run, and the results of those that are in the cache.
pub(super) fn find_results(
    tasks: Vec<PlannedTask>,
    cache: Option<&ResultCache>,
) -> (Vec<PlannedTask>, Vec<FinishedTask>) {
    let mut open = Vec::new();
    let mut finished = Vec::new();
    for task in tasks {
        match cache.and_then(|cache| cache.find(&task.fingerprint)) {
            Some(results) => finished.push(FinishedTask {
                model: task.model,
                method: task.method,
                results,
            }),
            None => open.push(task),
        }
    }
    (open, finished)
}

impl<'a> CollectionTask<'a> {
    /// The task `number` of a pass, which has observed no image.
    pub(super) fn begin(
        planned: PlannedTask,
        number: usize,
        plan: &'a Plan,
        models: &'a [RunModel],
        folder: &PassFolder,
    ) -> Self {
        let model = &models[planned.model];
        let layers = &model.layers[planned.method];
        let method = plan.experiment.methods[planned.method].method();
        let scratch = folder.scratch(number);
        let collector = match method.for_collection() {
            Some(method) => method.collector(&model.loaded, layers, &scratch),
            None => Err(Error::new(
                ErrorKind::Network,
                "the method does not search a collection",
            )),
        };
        let (collector, failed) = match collector {
            Ok(collector) => (Some(collector), None),
            Err(error) => (None, Some(error)),
        };
        CollectionTask {
            planned,
            layers,
            collector,
            failed,
        }
    }

    /// What it has gathered.
    pub(super) fn state(&self) -> CollectorState {
        let collector = self.collector.as_ref();
        collector.map(|c| c.state()).unwrap_or_default()
    }

    /// Whether an error ended it after it had begun: its state lacks images.
    pub(super) fn is_broken(&self) -> bool {
        self.collector.is_some() && self.failed.is_some()
    }

    /// Continues from a state.
    ///
    /// # Errors
    /// If it is no state of this method.
    pub(super) fn resume(&mut self, state: CollectorState) -> Result<()> {
        match &mut self.collector {
            Some(collector) => collector.resume(state),
            None => Ok(()),
        }
    }

    /// Adds what the same task gathered from the images that follow.
    ///
    /// # Errors
    /// If it is no state of this method.
    pub(super) fn append(&mut self, later: CollectorState) -> Result<()> {
        match &mut self.collector {
            Some(collector) => collector.append(later),
            None => Ok(()),
        }
    }

    /// Its results after the last image.
    pub(super) fn finish(
        self,
        plan: &Plan,
        models: &[RunModel],
        progress: &dyn Progress,
    ) -> PartialResults {
        let model = &models[self.planned.model];
        let entry = &plan.experiment.methods[self.planned.method];
        let step = format!("{}: {}", model.loaded.id, entry.name());
        progress.step(&step);
        let mut output = MethodOutput::default();
        let done = match (self.failed, self.collector) {
            (Some(error), _) => Err(error),
            (None, Some(collector)) => {
                let member = |index: usize| member(&plan.collection[index], model);
                tch::no_grad(|| collector.finish(&member, &mut output, progress))
            }
            (None, None) => Ok(()),
        };
        let precisions = plan.experiment.precision.0;
        add_precision_note(&mut output.figures, Some(ManyInputs::Passes), precisions);
        match done {
            Ok(()) => PartialResults {
                figures: output.figures,
                tensors: output.tensors,
                ..PartialResults::default()
            },
            Err(error) => {
                progress.warn(&format!("{step}: {}", error.full_message()));
                let failure = failure(Some(&model.loaded.id), None, Some(entry.name()), &error);
                PartialResults {
                    failures: vec![failure],
                    ..PartialResults::default()
                }
            }
        }
    }
}

/// An image of the collection as a method of `model` gets it.
pub(super) fn member(image: &PlannedImage, model: &RunModel) -> CollectionImage {
    let loaded = &model.loaded;
    let labels: Vec<usize> = image.class_indices(&loaded.labels).collect();
    CollectionImage {
        id: image.id.clone(),
        source: image.source.clone(),
        file: image.file.clone(),
        show: image.show.clone(),
        label: labels.first().map(|class| loaded.class(*class)),
        labels,
        groups: image.groups.clone(),
    }
}

/// A hash of everything that a network's methods know of the images, but for their content.
fn members_fingerprint(images: &[PlannedImage], labels: &Labels) -> Result<String> {
    let mut hasher = blake3::Hasher::new();
    for image in images {
        let classes: Vec<usize> = image.class_indices(labels).collect();
        let groups = image.groups.iter();
        let groups: Vec<[&str; 2]> = groups.map(|(name, text)| [&**name, &**text]).collect();
        let known = fingerprint(&(&image.id, &image.source, &image.show, classes, groups))?;
        hasher.update(known.as_bytes());
    }
    Ok(hasher.finalize().to_hex().to_string())
}
