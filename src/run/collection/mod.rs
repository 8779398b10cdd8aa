//! The pass over the collection: every image is decoded once, goes through all networks that a method needs, and is
//! dropped.
//!
//! The next batch is decoded while the networks compute the current one. The state of the methods is saved from time to
//! time, so that a run that was interrupted is resumed from there; the batches, and so the results, are the same either
//! way.

mod batches;
mod checkpoint;
mod collection_sha256;
mod pass;
mod task;

use std::time::Duration;

use super::model::RunModel;
use super::result_cache::ResultCache;
use super::run_output::RunOutput;
use crate::error::Result;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::results::{CollectionInfo, lock};

/// Runs every method that searches the collection; the state of a pass is saved every `checkpoint_interval`.
///
/// # Errors
/// If the files are not those of the experiment's lock, or no image could be read.
pub(super) fn run_collection(
    plan: &Plan,
    models: &[RunModel],
    cache: Option<&ResultCache>,
    checkpoint_interval: Duration,
    progress: &dyn Progress,
    output: &mut RunOutput,
) -> Result<()> {
    let (images, experiment) = (&plan.collection, &plan.experiment);
    if images.is_empty() {
        return Ok(());
    }
    progress.step(&format!("collection: hashing {} images", images.len()));
    let sha256 = collection_sha256::collection_sha256(images);
    if let Some(locked) = experiment
        .lock
        .as_ref()
        .and_then(|lock| lock.collection.as_ref())
    {
        let locked = [("collection".to_owned(), locked.clone())].into();
        lock::verify_sha256(&locked, "collection", &sha256, "images")?;
    }
    let (tasks, mut finished) = task::plan_tasks(plan, models, &sha256, cache);
    let mut skipped = Vec::new();
    if !tasks.is_empty() {
        let mut pass = pass::CollectionPass::new(plan, models, tasks, cache)?;
        pass.resume();
        pass.run(checkpoint_interval, progress)?;
        let (results, unreadable) = pass.finish(progress);
        finished.extend(results);
        skipped = unreadable;
    }
    finished.sort_by_key(|task| (task.method, task.model));
    for task in finished {
        output.add(task.results);
    }
    output.results.failures.extend(skipped);
    output.results.collection = Some(CollectionInfo {
        images: images.len(),
        sha256,
        own: experiment.collection.is_empty(),
    });
    Ok(())
}
