//! The pass over one part of the collection, whose state is kept in the part's folder.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tch::Device;

use super::super::machine::Machine;
use super::super::model::RunModel;
use super::super::part::Part;
use super::collection_sha256::file_hashes;
use super::parts_folder::part_path;
use super::pass::CollectionPass;
use super::pass_folder::{PassFolder, StoredPass};
use super::pass_identity;
use super::task::plan_tasks;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;
use crate::progress::Progress;

/// Runs every method that searches the collection on a part of it; the state lies below `output` and is saved every
/// `checkpoint_interval`. Without `go_on`, a state that is there is not used. Returns the part's folder.
///
/// # Errors
/// If the part's folder is used by another process or can't be written, a task fails, or the run is interrupted.
#[expect(clippy::too_many_arguments, reason = "each is a subject of its own")]
pub(crate) fn run_part_of_collection(
    plan: &Plan,
    models: &[RunModel],
    part: Part,
    output: &Path,
    go_on: bool,
    checkpoint_interval: Duration,
    device: Device,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    let path = part_path(output, part);
    let busy = || {
        let message = format!("another process runs part {part} in {}", path.display());
        Error::new(ErrorKind::Usage, message).help("wait for it, or stop it")
    };
    let folder = PassFolder::open(&path)?.ok_or_else(busy)?;
    if !go_on {
        folder.clear()?;
    }
    let images = part.images(plan.collection.len());
    // Where the content of a file changed between the parts, the sha256 of the collection does; it is no part of the tasks.
    let tasks = plan_tasks(plan, models, "")?;
    let identity = pass_identity(plan, &tasks, (images.start, images.end))?;
    let stored = StoredPass::read(&path).ok().flatten();
    if stored.is_some_and(|stored| stored.sha256().is_some() && *stored.identity() == identity) {
        progress.note(&format!("part {part} is complete already"));
        return Ok(path);
    }
    let machine = Machine::current(device);
    let mut pass = CollectionPass::new(plan, models, tasks, identity, machine, &folder, progress);
    pass.run(checkpoint_interval, progress)?;
    pass.check_tasks()?;
    progress.step(&format!("part {part}: hashing {} images", images.len()));
    pass.save_complete(file_hashes(&plan.collection[images], None))?;
    Ok(path)
}
