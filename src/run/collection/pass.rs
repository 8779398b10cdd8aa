//! A pass over the collection, or over a part of it, batch by batch.

use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::machine::Machine;
use super::super::model::RunModel;
use super::batches::{DecodedBatch, Preprocessings, decode_batches};
use super::pass_folder::{PassFolder, PassIdentity, PassState, StoredPass};
use super::task::{CollectionTask, PlannedTask, member};
use crate::error::{Error, Result};
use crate::image::{RgbImage, View};
use crate::methods::{Batch, CollectionImage};
use crate::plan::Plan;
use crate::progress::{Progress, ProgressUnit};
use crate::results::UnreadableImage;

/// A pass over the collection.
pub(super) struct CollectionPass<'a> {
    plan: &'a Plan,
    models: &'a [RunModel],
    preprocessings: Arc<Preprocessings>,
    tasks: Vec<CollectionTask<'a>>,
    identity: PassIdentity,
    machine: Machine,
    folder: &'a PassFolder,
    /// The images that could not be read.
    unreadable: Vec<UnreadableImage>,
    images: Range<usize>,
    /// The index of the first image that no task has observed.
    next: usize,
}

impl<'a> CollectionPass<'a> {
    /// A pass over the images of `identity`, which continues from the state in `folder` if that is one of this pass.
    pub(super) fn new(
        plan: &'a Plan,
        models: &'a [RunModel],
        tasks: Vec<PlannedTask>,
        identity: PassIdentity,
        machine: Machine,
        folder: &'a PassFolder,
        progress: &dyn Progress,
    ) -> Self {
        let begin = |(number, task)| CollectionTask::begin(task, number, plan, models, folder);
        let images = identity.images.0..identity.images.1;
        let mut pass = CollectionPass {
            plan,
            models,
            preprocessings: Arc::new(Preprocessings::new(models)),
            tasks: tasks.into_iter().enumerate().map(begin).collect(),
            identity,
            machine,
            folder,
            unreadable: Vec::new(),
            next: images.start,
            images,
        };
        pass.resume(progress);
        pass
    }

    /// Continues from the stored state, if there is one of this pass.
    fn resume(&mut self, progress: &dyn Progress) {
        let stored = match StoredPass::read(self.folder.path()) {
            Ok(Some(stored)) if *stored.identity() == self.identity => stored.into_state(),
            Ok(_) => return,
            Err(error) => Err(error),
        };
        let state = match stored {
            Ok(state) => state,
            Err(error) => {
                let problem = error.full_message();
                progress.warn(&format!(
                    "collection: begins with the first image: {problem}"
                ));
                return;
            }
        };
        if state.next <= self.images.start || state.tasks.len() != self.tasks.len() {
            return;
        }
        for (task, state) in self.tasks.iter_mut().zip(state.tasks) {
            if let Err(error) = task.resume(state) {
                // The task's results would lack images; the others are not worse for it.
                task.failed = Some(error);
            }
        }
        self.next = state.next;
        self.unreadable = state.unreadable;
        let (done, total) = (self.next - self.images.start, self.images.len());
        progress.note(&format!(
            "collection: goes on after {done} of {total} images, which an interrupted run has seen"
        ));
    }

    /// Stores the state, unless a task has failed: it would lack the images since.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) fn save(&self) -> Result<()> {
        if self.tasks.iter().any(CollectionTask::is_broken) {
            return Ok(());
        }
        self.folder.write(&self.identity, self.state(None))
    }

    fn state(&self, sha256: Option<Vec<[u8; 32]>>) -> PassState {
        PassState {
            next: self.next,
            unreadable: self.unreadable.clone(),
            tasks: self.tasks.iter().map(CollectionTask::state).collect(),
            machine: self.machine.clone(),
            sha256,
        }
    }

    /// Stores the state of a complete pass, with the sha256 of each image's file.
    ///
    /// # Errors
    /// If it can't be written.
    pub(super) fn save_complete(&self, sha256: Vec<[u8; 32]>) -> Result<()> {
        self.folder.write(&self.identity, self.state(Some(sha256)))
    }

    /// Observes every image from the stored state on.
    ///
    /// # Errors
    /// If the run is interrupted: its state is stored then; or for a libtorch error in a forward pass.
    pub(super) fn run(
        &mut self,
        checkpoint_interval: Duration,
        progress: &dyn Progress,
    ) -> Result<()> {
        let (plan, first, total) = (self.plan, self.next, self.images.len() as u64);
        let images = &plan.collection[..self.images.end];
        let preprocessings = self.preprocessings.clone();
        std::thread::scope(|scope| -> Result<()> {
            let began = Instant::now();
            let mut saved = Instant::now();
            for batch in decode_batches(scope, images, first, &preprocessings) {
                let count = batch.images.len();
                self.observe(batch, progress)?;
                self.next += count;
                let done = (self.next - self.images.start) as u64;
                let rate = (self.next - first) as f64 / began.elapsed().as_secs_f64();
                progress.step(&format!(
                    "collection: {done} of {total} images, {rate:.1} images/s, {} left",
                    duration_text((total - done) as f64 / rate)
                ));
                progress.advance(done, Some(total), ProgressUnit::Items);
                let interrupted = progress.interrupted();
                if (saved.elapsed() >= checkpoint_interval || interrupted) && done < total {
                    if let Err(error) = self.save() {
                        progress.warn(&format!("collection: {}", error.full_message()));
                    }
                    saved = Instant::now();
                }
                if interrupted {
                    return Err(Error::interrupted(format!(
                        "interrupted after {done} of {total} images of the collection"
                    ))
                    .help("the same command goes on from there"));
                }
            }
            Ok(())
        })
    }

    /// Passes a batch to every network that a task needs.
    fn observe(&mut self, batch: DecodedBatch, progress: &dyn Progress) -> Result<()> {
        let mut decoded: Vec<(usize, Vec<View>)> = Vec::new();
        for (offset, views) in batch.images.into_iter().enumerate() {
            let index = batch.first + offset;
            match views {
                Ok(views) => decoded.push((index, views)),
                Err(error) => {
                    progress.warn(&format!("collection: {}", error.full_message()));
                    self.unreadable.push(UnreadableImage {
                        source: self.plan.collection[index].source.clone(),
                        message: error.full_message(),
                    });
                }
            }
        }
        for model in 0..self.models.len() {
            let mut tasks = self.tasks.iter();
            if tasks.all(|task| task.planned.model != model || task.failed.is_some()) {
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
        let tasks = self.tasks.iter();
        let tasks = tasks.filter(|task| task.planned.model == model_index);
        nodes.extend(tasks.flat_map(|task| task.layers));
        nodes.sort_unstable();
        nodes.dedup();
        let input = loaded.input_of_views(&views)?;
        let values = tch::no_grad(|| loaded.network.for_passes().forward(&input, &nodes))?;
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
        let tasks = self.tasks.iter_mut();
        for task in tasks.filter(|task| task.planned.model == model_index) {
            if let (None, Some(collector)) = (&task.failed, &mut task.collector)
                && let Err(error) = tch::no_grad(|| collector.observe(&batch))
            {
                task.failed = Some(error);
            }
        }
        Ok(())
    }

    /// Checks that every task has observed all images.
    ///
    /// # Errors
    /// The first task's error.
    pub(super) fn check_tasks(&mut self) -> Result<()> {
        let mut tasks = self.tasks.iter_mut().filter(|task| task.is_broken());
        match tasks.find_map(|task| task.failed.take()) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// The tasks after the last image, and the images that could not be read.
    pub(super) fn into_tasks(self) -> (Vec<CollectionTask<'a>>, Vec<UnreadableImage>) {
        (self.tasks, self.unreadable)
    }
}

/// A duration as people write it: `40 s`, `12 min`, `3 h 20 min`.
fn duration_text(seconds: f64) -> String {
    let seconds = seconds.max(0.0).round() as u64;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    }
}
