//! A pass over the collection, batch by batch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::model::RunModel;
use super::super::result_cache::ResultCache;
use super::super::run_output::{PartialResults, failure};
use super::batches::{DecodedBatch, Preprocessings, decode_batches};
use super::checkpoint::{Checkpoint, pass_fingerprint};
use super::task::{CollectionTask, FinishedTask, failed_results, member};
use crate::error::{Error, ErrorKind, Result};
use crate::image::{RgbImage, View};
use crate::methods::{Batch, CollectionImage, MethodOutput};
use crate::plan::Plan;
use crate::progress::{Progress, ProgressUnit};
use crate::results::Failure;

/// A pass over the collection.
pub(super) struct CollectionPass<'a> {
    plan: &'a Plan,
    models: &'a [RunModel],
    preprocessings: Arc<Preprocessings>,
    tasks: Vec<CollectionTask<'a>>,
    cache: Option<&'a ResultCache>,
    /// What its checkpoint is stored under.
    fingerprint: String,
    /// The images that could not be read.
    skipped: Vec<Failure>,
    /// The index of the first image that no task has observed.
    next: usize,
}

impl<'a> CollectionPass<'a> {
    /// A pass that begins with the first image.
    ///
    /// # Errors
    /// If the tasks can't be fingerprinted.
    pub(super) fn new(
        plan: &'a Plan,
        models: &'a [RunModel],
        tasks: Vec<CollectionTask<'a>>,
        cache: Option<&'a ResultCache>,
    ) -> Result<Self> {
        Ok(CollectionPass {
            plan,
            models,
            preprocessings: Arc::new(Preprocessings::new(models)),
            fingerprint: pass_fingerprint(&tasks)?,
            tasks,
            cache,
            skipped: Vec::new(),
            next: 0,
        })
    }

    /// Restores the state of an earlier pass that was interrupted, if there is one.
    pub(super) fn resume(&mut self) {
        let read = |cache| Checkpoint::read(cache, &self.fingerprint);
        let Some(checkpoint) = self.cache.and_then(read) else {
            return;
        };
        for (task, state) in self.tasks.iter_mut().zip(checkpoint.states) {
            if task.collector.resume(state).is_err() {
                // Earlier tasks have the checkpoint's state already.
                self.restart();
                return;
            }
        }
        self.next = checkpoint.next;
        self.skipped = checkpoint.skipped;
    }

    /// Gives every task a new collector.
    fn restart(&mut self) {
        let (models, methods) = (self.models, &self.plan.experiment.methods);
        for task in &mut self.tasks {
            let Some(method) = methods[task.method].method().for_collection() else {
                continue;
            };
            // There was a collector for the same network and layers before.
            if let Ok(collector) = method.collector(&models[task.model].loaded, task.layers) {
                task.collector = collector;
            }
        }
    }

    fn save(&self) {
        if let Some(cache) = self.cache {
            let states = self.tasks.iter().map(|task| task.collector.state());
            let checkpoint = Checkpoint {
                next: self.next,
                skipped: self.skipped.clone(),
                states: states.collect(),
            };
            checkpoint.write(cache, &self.fingerprint);
        }
    }

    /// Observes every image from the checkpoint on.
    ///
    /// # Errors
    /// If no image can be read, or for a libtorch error in a forward pass.
    pub(super) fn run(
        &mut self,
        checkpoint_interval: Duration,
        progress: &dyn Progress,
    ) -> Result<()> {
        let (images, first) = (&self.plan.collection, self.next);
        let total = images.len();
        if first > 0 {
            progress.step(&format!("collection: resuming at image {first} of {total}"));
        }
        let preprocessings = self.preprocessings.clone();
        std::thread::scope(|scope| -> Result<()> {
            let began = Instant::now();
            let mut saved = Instant::now();
            for batch in decode_batches(scope, images, first, &preprocessings) {
                let count = batch.images.len();
                self.observe(batch, progress)?;
                self.next += count;
                let rate = (self.next - first) as f64 / began.elapsed().as_secs_f64();
                let next = self.next;
                progress.step(&format!(
                    "collection: {next} of {total} images, {rate:.1} images/s"
                ));
                progress.advance(next as u64, Some(total as u64), ProgressUnit::Items);
                if saved.elapsed() >= checkpoint_interval && next < total {
                    self.save();
                    saved = Instant::now();
                }
            }
            Ok(())
        })?;
        if self.skipped.len() == total {
            let message = format!("none of the collection's {total} images can be read");
            let first = self.skipped.first().map(|failure| failure.message.clone());
            return Err(Error::new(ErrorKind::Image, message).help(first.unwrap_or_default()));
        }
        Ok(())
    }

    /// Passes a batch to every network that a task needs.
    fn observe(&mut self, batch: DecodedBatch, progress: &dyn Progress) -> Result<()> {
        let mut decoded: Vec<(usize, Vec<View>)> = Vec::new();
        for (offset, views) in batch.images.into_iter().enumerate() {
            let index = batch.first + offset;
            match views {
                Ok(views) => decoded.push((index, views)),
                Err(error) => {
                    progress.warn(&error.full_message());
                    let source = &self.plan.collection[index].source;
                    self.skipped.push(failure(None, Some(source), None, &error));
                }
            }
        }
        for model in 0..self.models.len() {
            let mut tasks = self.tasks.iter().filter(|task| task.model == model);
            if tasks.all(|task| task.failed.is_some()) {
                continue;
            }
            // Images fed without resizing may differ in size; only neighbours of one size form a batch.
            let view = self.preprocessings.index(model);
            let size = |(_, views): &(usize, Vec<View>)| views[view].pixels.dimensions();
            for same in decoded.chunk_by(|a, b| size(a) == size(b) && a.0 + 1 == b.0) {
                self.forward(model, same)?;
            }
        }
        Ok(())
    }

    /// One forward pass of a network for images of one size, which all its tasks then observe.
    fn forward(&mut self, model_index: usize, decoded: &[(usize, Vec<View>)]) -> Result<()> {
        let model = &self.models[model_index];
        let loaded = &model.loaded;
        let view = self.preprocessings.index(model_index);
        let views: Vec<&View> = decoded.iter().map(|(_, views)| &views[view]).collect();
        let Some((first, _)) = decoded.first() else {
            return Ok(());
        };
        let mut nodes = vec![loaded.network.graph().output()];
        let tasks = self.tasks.iter().filter(|task| task.model == model_index);
        nodes.extend(tasks.flat_map(|task| task.layers));
        nodes.sort_unstable();
        nodes.dedup();
        let input = loaded.input_of_views(&views)?;
        let values = tch::no_grad(|| loaded.network.forward(&input, &nodes))?;
        let members = decoded.iter();
        let members: Vec<CollectionImage> = members
            .map(|(index, _)| member(&self.plan.collection[*index], model))
            .collect();
        let views: Vec<&RgbImage> = views.iter().map(|view| &view.pixels).collect();
        let batch = Batch {
            first: *first,
            members: &members,
            views: &views,
            values: &values,
        };
        for task in self
            .tasks
            .iter_mut()
            .filter(|task| task.model == model_index)
        {
            if task.failed.is_none()
                && let Err(error) = tch::no_grad(|| task.collector.observe(&batch))
            {
                task.failed = Some(error);
            }
        }
        Ok(())
    }

    /// The results of every task, and the images that could not be read.
    pub(super) fn finish(self, progress: &dyn Progress) -> (Vec<FinishedTask>, Vec<Failure>) {
        // To finish may take long (gradient ascent), and may be interrupted, too.
        self.save();
        let cache = self.cache.filter(|_| self.skipped.is_empty());
        let mut finished = Vec::new();
        let mut all_succeeded = true;
        for task in self.tasks {
            let model = &self.models[task.model];
            let entry = &self.plan.experiment.methods[task.method];
            let step = format!("{}: {}", model.loaded.id, entry.name());
            progress.step(&step);
            let mut output = MethodOutput::default();
            let done = match task.failed {
                Some(error) => Err(error),
                None => {
                    let member = |index: usize| member(&self.plan.collection[index], model);
                    tch::no_grad(|| task.collector.finish(&member, &mut output, progress))
                }
            };
            let results = match done {
                Ok(()) => PartialResults {
                    figures: output.figures,
                    tensors: output.tensors,
                    ..PartialResults::default()
                },
                Err(error) => {
                    all_succeeded = false;
                    progress.warn(&format!("{step}: {}", error.full_message()));
                    failed_results(model, entry, &error)
                }
            };
            // Not stored where an image could not be read: the next run has to report it, too.
            if let Some(cache) = cache.filter(|_| results.failures.is_empty()) {
                cache.store(&task.fingerprint, &results);
            }
            finished.push(FinishedTask {
                model: task.model,
                method: task.method,
                results,
            });
        }
        if let Some(cache) = cache.filter(|_| all_succeeded) {
            cache.remove(&self.fingerprint);
        }
        (finished, self.skipped)
    }
}
