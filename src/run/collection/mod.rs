//! The pass over the collection: every image is decoded once, goes through all networks that a method needs, and is
//! dropped.
//!
//! ```text
//! one run:   tasks ─► pass over all images ─► finish
//! in parts:  tasks ─► pass over a part ─► its folder       (once for each part, anywhere)
//!            tasks ─► the parts' folders, in order ─► finish
//! ```
//!
//! The next batch is decoded while the networks compute the current one. The state of the methods is saved from time to
//! time, so that a run that was interrupted goes on from there; the batches, and so the results, are the same either
//! way, and in parts, too.

mod batches;
mod collection_sha256;
mod merge;
mod part_pass;
mod parts_folder;
mod pass;
mod pass_folder;
mod task;

use std::path::Path;
use std::time::Duration;

use tch::Device;

use super::fingerprint::fingerprint;
use super::machine::Machine;
use super::model::RunModel;
use super::result_cache::ResultCache;
use super::run_output::RunOutput;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::progress::Progress;
use crate::results::{CollectionInfo, UnreadableImage, lock};

use collection_sha256::{collection_sha256, file_hashes};
use pass::CollectionPass;
use pass_folder::{PassFolder, PassIdentity};
use task::{CollectionTask, FinishedTask, PlannedTask, find_results, plan_tasks};

pub(super) use merge::merge_collection;
pub(super) use part_pass::run_part_of_collection;
pub use parts_folder::{PARTS, missing_parts};

/// Runs every method that searches the collection; the state of a pass is saved every `checkpoint_interval`.
///
/// # Errors
/// If the files are not those of the experiment's lock, no image could be read, or the run is interrupted.
pub(super) fn run_collection(
    plan: &Plan,
    models: &[RunModel],
    cache: Option<&ResultCache>,
    checkpoint_interval: Duration,
    device: Device,
    progress: &dyn Progress,
    output: &mut RunOutput,
) -> Result<()> {
    let images = &plan.collection;
    if images.is_empty() {
        return Ok(());
    }
    progress.step(&format!("collection: hashing {} images", images.len()));
    // Another sample of the same files has a file of its own.
    let kept = fingerprint(&(
        "file hashes",
        &plan.experiment.collection,
        plan.origin.resolve(Path::new("")),
    ))?;
    let kept = cache.map(|cache| cache.folder(&kept).with_extension("sha256"));
    let sha256 = collection_sha256(&file_hashes(images, kept.as_deref()));
    verify_lock(plan, &sha256)?;
    let (tasks, mut finished) = find_results(plan_tasks(plan, models, &sha256)?, cache);
    let mut unreadable = Vec::new();
    if !tasks.is_empty() {
        let identity = pass_identity(plan, &tasks, (0, images.len()))?;
        let name = fingerprint(&("collection pass", &identity, &sha256))?;
        let folder = pass_folder(cache, &name, progress)?;
        let machine = Machine::current(device);
        let mut pass =
            CollectionPass::new(plan, models, tasks, identity, machine, &folder, progress);
        pass.run(checkpoint_interval, progress)?;
        // To finish may take long (gradient ascent), and may be interrupted, too.
        if let Err(error) = pass.save() {
            progress.warn(&format!("collection: {}", error.full_message()));
        }
        let (tasks, skipped) = pass.into_tasks();
        let results = finish_tasks(plan, models, tasks, &skipped, cache, progress)?;
        if results.iter().all(|task| task.results.failures.is_empty()) {
            folder.remove();
        }
        finished.extend(results);
        unreadable = skipped;
    }
    add_results(plan, finished, unreadable, sha256, output);
    Ok(())
}

/// The folder of a pass in the cache; a temporary one without a cache, or if another process uses the same.
fn pass_folder(
    cache: Option<&ResultCache>,
    name: &str,
    progress: &dyn Progress,
) -> Result<PassFolder> {
    let Some(cache) = cache else {
        return PassFolder::temporary();
    };
    match PassFolder::open(&cache.folder(name)) {
        Ok(Some(folder)) => return Ok(folder),
        Ok(None) => progress.warn(
            "collection: another process runs the same; this run can't be continued if it is interrupted",
        ),
        Err(error) => progress.warn(&format!("collection: {}", error.full_message())),
    }
    PassFolder::temporary()
}

/// What a pass of these tasks over some images computes.
fn pass_identity(
    plan: &Plan,
    tasks: &[PlannedTask],
    images: (usize, usize),
) -> Result<PassIdentity> {
    let tasks = tasks.iter().map(|task| task.identity.clone());
    Ok(PassIdentity {
        program: env!("CONVSCOPE_SOURCES").to_owned(),
        experiment: fingerprint(&plan.experiment)?,
        collection: sources_hash(plan),
        tasks: tasks.collect(),
        images,
    })
}

/// A hash of the collection's images as the experiment names them.
fn sources_hash(plan: &Plan) -> String {
    let mut hasher = blake3::Hasher::new();
    for image in &plan.collection {
        hasher.update(image.id.as_bytes());
        hasher.update(&[0]);
        hasher.update(image.source.as_bytes());
        hasher.update(&[0]);
    }
    hasher.finalize().to_hex().to_string()
}

/// Compares the sha256 of the collection with the experiment's lock.
fn verify_lock(plan: &Plan, sha256: &str) -> Result<()> {
    let locked = plan.experiment.lock.as_ref();
    if let Some(locked) = locked.and_then(|lock| lock.collection.as_ref()) {
        let locked = [("collection".to_owned(), locked.clone())].into();
        lock::verify_sha256(&locked, "collection", sha256, "images")?;
    }
    Ok(())
}

/// The results of tasks that have observed all images.
///
/// # Errors
/// If none of the images could be read.
fn finish_tasks(
    plan: &Plan,
    models: &[RunModel],
    tasks: Vec<CollectionTask>,
    unreadable: &[UnreadableImage],
    cache: Option<&ResultCache>,
    progress: &dyn Progress,
) -> Result<Vec<FinishedTask>> {
    let total = plan.collection.len();
    if unreadable.len() == total {
        let message = format!("none of the collection's {total} images can be read");
        let first = unreadable.first().map(|image| image.message.clone());
        return Err(Error::new(ErrorKind::Image, message).help(first.unwrap_or_default()));
    }
    // Not stored where an image could not be read: the next run has to report it, too.
    let cache = cache.filter(|_| unreadable.is_empty());
    let mut finished = Vec::new();
    for task in tasks {
        let (model, method) = (task.planned.model, task.planned.method);
        let fingerprint = task.planned.fingerprint.clone();
        let results = task.finish(plan, models, progress);
        if let Some(cache) = cache.filter(|_| results.failures.is_empty()) {
            cache.store(&fingerprint, &results);
        }
        finished.push(FinishedTask {
            model,
            method,
            results,
        });
    }
    Ok(finished)
}

/// Adds the results of all tasks to the output, in the experiment's order.
fn add_results(
    plan: &Plan,
    mut finished: Vec<FinishedTask>,
    unreadable: Vec<UnreadableImage>,
    sha256: String,
    output: &mut RunOutput,
) {
    finished.sort_by_key(|task| (task.method, task.model));
    for task in finished {
        output.add(task.results);
    }
    output.results.collection = Some(CollectionInfo {
        images: plan.collection.len(),
        sha256,
        own: plan.experiment.collection.is_empty(),
        unreadable,
    });
}
