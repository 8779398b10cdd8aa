//! Joins the parts of a collection to the results of one run.

use std::path::Path;

use tch::Device;

use super::super::machine::Machine;
use super::super::model::RunModel;
use super::super::result_cache::ResultCache;
use super::super::run_output::RunOutput;
use super::collection_sha256::collection_sha256;
use super::parts_folder::{PARTS, all_parts, read_part};
use super::pass_folder::PassFolder;
use super::task::{CollectionTask, find_results, plan_tasks};
use super::{add_results, finish_tasks, pass_identity, verify_lock};
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::progress::Progress;

/// The name of the folder of the joined files, which is removed at the end.
const JOINED: &str = "joined";

/// Joins the parts below the experiment's `folder`, in order.
///
/// # Errors
/// If a part is missing, incomplete, damaged, or one of another experiment, collection or version of the program; if the
/// files are not those of the experiment's lock; if no image could be read.
pub(crate) fn merge_collection(
    plan: &Plan,
    models: &[RunModel],
    cache: Option<&ResultCache>,
    folder: &Path,
    device: Device,
    progress: &dyn Progress,
    output: &mut RunOutput,
) -> Result<()> {
    let total = plan.collection.len();
    let parts = all_parts(folder)?;
    let wanted = pass_identity(plan, &plan_tasks(plan, models, "")?, (0, total))?;
    let mut hashes = Vec::with_capacity(total);
    let own = Machine::current(device);
    for (part, path) in &parts {
        let stored = read_part(*part, path, &wanted, total)?;
        hashes.extend(stored.sha256().unwrap_or_default());
        if *stored.machine() != own {
            progress.warn(&format!(
                "part {part} was computed on another machine ({}) than this one ({own}): numbers may differ in the last digits",
                stored.machine()
            ));
        }
    }
    let sha256 = collection_sha256(&hashes);
    verify_lock(plan, &sha256)?;
    let planned = plan_tasks(plan, models, &sha256)?;
    let identities: Vec<String> = planned.iter().map(|task| task.identity.clone()).collect();
    let (open, mut finished) = find_results(planned, cache);
    let path = folder.join(PARTS).join(JOINED);
    let busy = || {
        let message = format!("another process joins the parts in {}", path.display());
        Error::new(ErrorKind::Usage, message).help("wait for it, or stop it")
    };
    let scratch = PassFolder::open(&path)?.ok_or_else(busy)?;
    let begin = |(number, task)| CollectionTask::begin(task, number, plan, models, &scratch);
    let mut tasks: Vec<CollectionTask> = open.into_iter().enumerate().map(begin).collect();
    let mut unreadable = Vec::new();
    for (part, path) in &parts {
        progress.step(&format!("collection: joining part {part}"));
        let state = read_part(*part, path, &wanted, total)?.into_state()?;
        unreadable.extend(state.unreadable);
        for (identity, state) in identities.iter().zip(state.tasks) {
            let mut own = tasks.iter_mut();
            if let Some(task) = own.find(|task| task.planned.identity == *identity) {
                task.append(state)?;
            }
        }
    }
    finished.extend(finish_tasks(
        plan,
        models,
        tasks,
        &unreadable,
        cache,
        progress,
    )?);
    scratch.remove();
    add_results(plan, finished, unreadable, sha256, output);
    Ok(())
}
