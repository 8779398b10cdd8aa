//! The lock: the experiment with every default filled in, and the sha256 of its weights and images. It can be run like
//! any spec, from its own folder; weights and images with another sha256 are then errors.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use super::record::Results;
use crate::error::{Error, ErrorKind, Result};
use crate::spec::{ExperimentSpec, LockSpec, SpecFile};

/// The text of the `experiment.lock.yaml` that is written into `folder`.
///
/// # Errors
/// If it can't be written as YAML.
pub fn to_yaml(results: &Results, spec: &SpecFile, folder: &Path) -> Result<String> {
    let mut experiment = results.experiment.clone();
    rebase(&mut experiment, spec.folder(), folder);
    experiment.lock = Some(LockSpec {
        convscope: results.environment.convscope.clone(),
        libtorch: results.environment.libtorch.clone(),
        weights: by_id(results.models.iter().map(|m| (&m.id, &m.weights.sha256))),
        images: by_id(results.images.iter().map(|i| (&i.id, &i.sha256))),
        collection: results.collection.as_ref().map(|c| c.sha256.clone()),
    });
    let yaml = serde_yaml::to_string(&experiment)
        .map_err(|error| Error::new(ErrorKind::Io, "can't write the lock").caused_by(error))?;
    Ok(format!(
        "# The experiment with every default filled in, and the sha256 of its weights and images.\n\
         # It can be run itself: convscope run experiment.lock.yaml\n{yaml}"
    ))
}

/// sha256 by id.
fn by_id<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    pairs
        .map(|(id, sha256)| (id.clone(), sha256.clone()))
        .collect()
}

/// Changes the paths of `experiment` that start at the folder `from` so that they start at `to`.
fn rebase(experiment: &mut ExperimentSpec, from: &Path, to: &Path) {
    let moved = |path: &Path| relative_to(&from.join(path), to);
    for image in experiment
        .images
        .iter_mut()
        .chain(&mut experiment.collection.0)
    {
        for path in image.paths_mut() {
            *path = moved(path);
        }
    }
    for model in &mut experiment.models {
        if let Some(labels) = &mut model.labels {
            *labels = moved(labels);
        }
        if let Some(weights) = &mut model.weights
            && from.join(&*weights).is_file()
        {
            *weights = moved(Path::new(&*weights)).display().to_string();
        }
    }
}

/// `path` relative to `folder`; the path itself where the current folder is not known.
pub fn relative_to(path: &Path, folder: &Path) -> PathBuf {
    let (Ok(path), Ok(folder)) = (std::path::absolute(path), std::path::absolute(folder)) else {
        return path.to_owned();
    };
    let (path, folder) = (normalised(&path), normalised(&folder));
    let shared = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let up = folder.iter().skip(shared).map(|_| PathBuf::from(".."));
    let down = path.iter().skip(shared).map(PathBuf::from);
    up.chain(down).collect()
}

/// The parts of an absolute path, without `.` and `..`.
fn normalised(path: &Path) -> Vec<std::ffi::OsString> {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                if parts.len() > 1 {
                    parts.pop();
                }
            }
            other => parts.push(other.as_os_str().to_owned()),
        }
    }
    parts
}

/// Compares the sha256 of an input with the one that the lock names for `id`; any is right where it names none.
/// `what` says which input it is: `weights`, `images`.
///
/// # Errors
/// If the two differ.
pub fn verify_sha256(
    locked: &BTreeMap<String, String>,
    id: &str,
    sha256: &str,
    what: &str,
) -> Result<()> {
    match locked.get(id) {
        Some(expected) if expected != sha256 => {
            let message =
                format!("the {what} of `{id}` have sha256 {sha256}, but the lock names {expected}");
            Err(Error::new(ErrorKind::Weights, message).help(
                "use the file that the lock was written for, or remove its entry from `lock`",
            ))
        }
        _ => Ok(()),
    }
}
