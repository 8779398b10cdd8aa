//! The lock: the experiment with every default filled in, and the sha256 of what went into it. It runs
//! as it is, from where it lies, and refuses other weights and pictures than those it names.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::results::Results;
use crate::spec::{Experiment, ImageSpec, Lock, SpecFile};

/// The text of `experiment.lock.yaml` in `folder`.
///
/// # Errors
/// If it can't be written as YAML.
pub fn text(results: &Results, spec: &SpecFile, folder: &Path) -> Result<String> {
    let mut experiment = results.experiment.clone();
    rebase(&mut experiment, spec.folder(), folder);
    experiment.lock = Some(Lock {
        convscope: results.environment.convscope.clone(),
        libtorch: results.environment.libtorch.clone(),
        weights: by_id(results.models.iter().map(|m| (&m.id, &m.weights.sha256))),
        images: by_id(results.images.iter().map(|i| (&i.id, &i.sha256))),
        collection: results.collection.as_ref().map(|c| c.sha256.clone()),
    });
    let yaml = serde_yaml::to_string(&experiment)
        .map_err(|error| Error::new(ErrorKind::Io, "can't write the lock").because(error))?;
    Ok(format!(
        "# The experiment with every default filled in, and the sha256 of its weights and pictures.\n\
         # It runs as it is: convscope run experiment.lock.yaml\n{yaml}"
    ))
}

fn by_id<'a>(pairs: impl Iterator<Item = (&'a String, &'a String)>) -> BTreeMap<String, String> {
    pairs
        .map(|(id, sha256)| (id.clone(), sha256.clone()))
        .collect()
}

/// Makes the paths of `experiment`, meant from `from`, mean the same from `to`.
fn rebase(experiment: &mut Experiment, from: &Path, to: &Path) {
    let moved = |path: &Path| relative(&from.join(path), to);
    for image in experiment
        .images
        .iter_mut()
        .chain(&mut experiment.collection.0)
    {
        match image {
            ImageSpec::Path { path, mask, .. } => {
                *path = moved(path);
                if let Some(mask) = mask {
                    *mask = moved(mask);
                }
            }
            ImageSpec::Dir { dir, .. } => *dir = moved(dir),
            ImageSpec::Pack { .. } => {}
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

/// `path` as seen from `folder`.
pub fn relative(path: &Path, folder: &Path) -> PathBuf {
    let (Ok(path), Ok(folder)) = (std::path::absolute(path), std::path::absolute(folder)) else {
        return path.to_owned();
    };
    let (path, folder) = (plain(&path), plain(&folder));
    let shared = path.iter().zip(&folder).take_while(|(a, b)| a == b).count();
    let up = folder.iter().skip(shared).map(|_| PathBuf::from(".."));
    let down = path.iter().skip(shared).map(PathBuf::from);
    up.chain(down).collect()
}

/// The parts of an absolute path, without `.` and `..`.
fn plain(path: &Path) -> Vec<std::ffi::OsString> {
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

/// Holds the sha256 of what a run reads against its lock, if that names it.
///
/// # Errors
/// If the lock names another.
pub fn hold(wanted: &BTreeMap<String, String>, id: &str, found: &str, what: &str) -> Result<()> {
    match wanted.get(id) {
        Some(named) if named != found => {
            let message =
                format!("the {what} of `{id}` have sha256 {found}; the lock names {named}");
            Err(Error::new(ErrorKind::Weights, message)
                .help("the file is not the one that the lock was written for"))
        }
        _ => Ok(()),
    }
}
