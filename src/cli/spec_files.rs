//! Finds and reads the experiment files of a command's SPEC arguments.

use std::path::{Path, PathBuf};

use convscope::fetch::Cache;
use convscope::plan::Plan;
use convscope::results::store;
use convscope::spec::SpecFile;
use convscope::{Error, ErrorKind, Mistakes, Result};

/// An experiment file.
#[derive(Debug)]
pub struct ExperimentPath {
    /// The file.
    pub path: PathBuf,
    /// The name of its output folder, unique among the files of a command.
    pub name: String,
}

/// The experiment files at `paths`: a file stands for itself, a folder for every YAML file below it except
/// the lock files of earlier runs.
///
/// # Errors
/// If a folder can't be read, or has no YAML file below it.
pub fn experiment_paths(paths: &[PathBuf]) -> Result<Vec<ExperimentPath>> {
    let mut files: Vec<ExperimentPath> = Vec::new();
    for path in paths {
        if path.is_dir() {
            files.extend(files_below(path)?);
        } else {
            let name = path.file_stem().unwrap_or_default();
            files.push(ExperimentPath {
                name: name.to_string_lossy().into_owned(),
                path: path.clone(),
            });
        }
    }
    // Two experiments must not write into the same folder.
    for at in 1..files.len() {
        let base = files[at].name.clone();
        let mut number = 2;
        while files[..at].iter().any(|other| other.name == files[at].name) {
            files[at].name = format!("{base}-{number}");
            number += 1;
        }
    }
    Ok(files)
}

/// Reads an experiment file with the keys that `set` sets.
///
/// # Errors
/// As [`whole`]; if it can't be read.
pub fn read_spec(path: &Path, set: &[String]) -> Result<SpecFile> {
    let (spec, mistakes) = SpecFile::read_tolerantly(path, set)?;
    whole(spec, mistakes)
}

/// The experiment, if it has no mistakes.
///
/// # Errors
/// For its mistakes, and those that a plan of the rest finds.
pub fn whole(spec: SpecFile, mut mistakes: Mistakes) -> Result<SpecFile> {
    if !mistakes.is_empty() {
        mistakes.add_elsewhere(Plan::check_rest(&spec, &Cache::from_env(true)?))?;
        mistakes.into_result()?;
    }
    Ok(spec)
}

/// Whether a file's name ends like that of a YAML file.
pub fn is_yaml_name(path: &Path) -> bool {
    let ending = path.extension();
    ending.is_some_and(|ending| ending == "yaml" || ending == "yml")
}

fn files_below(folder: &Path) -> Result<Vec<ExperimentPath>> {
    let mut files = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(|error| {
            let message = format!("can't read the folder {}", folder.display());
            Error::new(ErrorKind::Usage, message).caused_by(error)
        })?;
        // A lock file was written by a run: a second `run .` must not run it, too.
        if entry.file_type().is_file()
            && entry.file_name() != store::LOCK
            && is_yaml_name(entry.path())
        {
            let below = entry.path().strip_prefix(folder).unwrap_or(entry.path());
            let name = below
                .with_extension("")
                .to_string_lossy()
                .replace(['/', '\\'], "-");
            files.push(ExperimentPath {
                path: entry.into_path(),
                name,
            });
        }
    }
    if files.is_empty() {
        let message = format!("there is no YAML file below {}", folder.display());
        return Err(Error::new(ErrorKind::Usage, message));
    }
    Ok(files)
}
