//! The folder of a run's parts, beside its report: which parts are there, and whether they are those of an experiment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::super::part::Part;
use super::pass_folder::{PassIdentity, StoredPass};
use super::pass_identity;
use crate::error::{Error, ErrorKind, Result};
use crate::plan::Plan;

/// The folder of the parts, in an experiment's output folder.
pub const PARTS: &str = "parts";

/// The folder of a part.
pub(super) fn part_path(output: &Path, part: Part) -> PathBuf {
    output.join(PARTS).join(part.folder_name())
}

/// The parts of `count` that are not complete, or are those of another experiment, collection or version of the program.
///
/// # Errors
/// If the folder of the parts can't be read.
pub fn missing_parts(plan: &Plan, output: &Path, count: usize) -> Result<Vec<Part>> {
    let wanted = pass_identity(plan, &[], (0, 0))?;
    let parts = (1..=count).filter_map(|number| Part::new(number, count));
    let mut missing = Vec::new();
    for part in parts {
        // One that is damaged is computed again.
        let stored = StoredPass::read(&part_path(output, part)).ok().flatten();
        let is_there = stored.is_some_and(|stored| {
            stored.sha256().is_some() && mismatch(stored.identity(), &wanted).is_none()
        });
        if !is_there {
            missing.push(part);
        }
    }
    Ok(missing)
}

/// The folders of all parts of a run, in order. Of several complete sets of parts, that with the fewest.
///
/// # Errors
/// If there are none, one is missing or there twice.
pub(super) fn all_parts(output: &Path) -> Result<Vec<(Part, PathBuf)>> {
    let folder = output.join(PARTS);
    let mut sets: BTreeMap<usize, BTreeMap<usize, PathBuf>> = BTreeMap::new();
    let entries = match std::fs::read_dir(&folder) {
        Ok(entries) => entries.collect::<std::io::Result<Vec<_>>>(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    };
    let entries = entries.map_err(|error| Error::io("read", &folder, error))?;
    for entry in entries {
        let name = entry.file_name();
        let Some(part) = name.to_str().and_then(Part::from_folder_name) else {
            continue;
        };
        let set = sets.entry(part.count()).or_default();
        if let Some(other) = set.insert(part.number(), entry.path()) {
            let message = format!(
                "part {part} is there twice: {} and {}",
                other.display(),
                entry.path().display()
            );
            return Err(usage(message, "remove one of them"));
        }
    }
    let complete = sets.iter().find(|(count, set)| set.len() == **count);
    if let Some((&count, set)) = complete {
        let parts = set.iter();
        let parts =
            parts.filter_map(|(number, path)| Some((Part::new(*number, count)?, path.clone())));
        return Ok(parts.collect());
    }
    let missing = sets.iter().map(|(&count, set)| {
        let missing: Vec<String> = (1..=count)
            .filter(|number| !set.contains_key(number))
            .map(|number| format!("{number}/{count}"))
            .collect();
        missing.join(", ")
    });
    let missing: Vec<String> = missing.collect();
    Err(match &missing[..] {
        [] => usage(
            format!("there are no parts in {}", folder.display()),
            "`convscope run SPEC --part 1/4` computes the first of four",
        ),
        [one] => usage(
            format!("{} lacks parts: {one}", folder.display()),
            "run them with `--part`; `convscope slurm` submits those that are missing",
        ),
        several => usage(
            format!(
                "{} has several sets of parts, none of them complete; they lack: {}",
                folder.display(),
                several.join("; ")
            ),
            "run those of one set with `--part`",
        ),
    })
}

/// A complete part of the experiment with this identity.
///
/// # Errors
/// If the part is not complete, is damaged, or is one of another experiment, collection or version of the program.
pub(super) fn read_part(
    part: Part,
    path: &Path,
    wanted: &PassIdentity,
    images: usize,
) -> Result<StoredPass> {
    let again = format!("run `--part {}/{}` again", part.number(), part.count());
    let stored = StoredPass::read(path)?;
    let Some(stored) = stored.filter(|stored| stored.next() > 0 || stored.sha256().is_some())
    else {
        let message = format!("part {part} has not computed anything yet");
        return Err(usage(message, again));
    };
    let found = stored.identity();
    let range = part.images(images);
    let different = mismatch(found, wanted).map(str::to_owned).or_else(|| {
        (found.images != (range.start, range.end)).then(|| {
            format!(
                "other images: {} to {} instead of {} to {}",
                found.images.0, found.images.1, range.start, range.end
            )
        })
    });
    let different = different
        .or_else(|| (found.tasks != wanted.tasks).then(|| "other weights or networks".to_owned()));
    if let Some(different) = different {
        let message = format!("part {part} in {} is of {different}", path.display());
        return Err(usage(message, again));
    }
    if stored.sha256().is_none() {
        let message = format!(
            "part {part} is not complete: {} of its {} images are done",
            stored.next().saturating_sub(range.start),
            range.len()
        );
        return Err(usage(message, again));
    }
    Ok(stored)
}

/// What a part is another one of, if it is.
fn mismatch(found: &PassIdentity, wanted: &PassIdentity) -> Option<&'static str> {
    if found.program != wanted.program {
        Some("another version of convscope")
    } else if found.experiment != wanted.experiment {
        Some("another experiment")
    } else if found.collection != wanted.collection {
        Some("another collection")
    } else {
        None
    }
}

fn usage(message: String, help: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message).help(help)
}
