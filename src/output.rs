//! Writes what a run produced into a folder: the report, the record of the run, the tensors and the lock.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::report;
use crate::results::{lock, store};
use crate::run::Outcome;
use crate::spec::{Over, SpecFile};

/// Writes an outcome into `folder`: the report, the results, the tensors and the lock.
///
/// # Errors
/// If the page can't be drawn or the disk refuses; then nothing in the folder has changed.
pub fn save(
    outcome: &Outcome,
    spec: &SpecFile,
    folder: &Path,
    report: &report::Options,
) -> Result<PathBuf> {
    let page = report::render(&outcome.results, &outcome.tensors, report)?;
    fits(&page, spec)?;
    let json = serde_json::to_vec_pretty(&outcome.results)
        .map_err(|error| Error::new(ErrorKind::Io, "can't write the results").because(error))?;
    let tensors = store::to_safetensors(&outcome.tensors)?;
    let lock = lock::text(&outcome.results, spec, folder)?;
    store::write(
        folder,
        &[
            (store::TENSORS, &tensors),
            (store::RESULTS, &json),
            (store::LOCK, lock.as_bytes()),
            (store::REPORT, page.as_bytes()),
        ],
    )?;
    Ok(folder.join(store::REPORT))
}

/// Whether the page is as small as its experiment asks, or may be larger all the same.
fn fits(page: &str, spec: &SpecFile) -> Result<()> {
    let Some(most) = &spec.experiment.max_size else {
        return Ok(());
    };
    let megabytes = page.len() as f64 / 1e6;
    if megabytes <= most.megabytes {
        return Ok(());
    }
    let message = format!(
        "the report has {megabytes:.2} MB, and `max_size` lets it have {}",
        most.megabytes
    );
    let help = "ask for fewer photos, layers or channels, or let it be larger; nothing was written";
    match most.over {
        Over::Warn => {
            tracing::warn!("{message}");
            Ok(())
        }
        Over::Fail => Err(Error::new(ErrorKind::Report, message).help(help)),
    }
}
