//! Writes the output of a run into a folder: the report, the results, the tensors and the lock.

use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::report;
use crate::results::{lock, store};
use crate::run::RunOutput;
use crate::spec::{OversizeAction, SpecFile};

/// Writes the report, the results, the tensors and the lock of a run of `spec` into `folder`; returns the path of the
/// report.
///
/// # Errors
/// If a template is wrong, the report is larger than the experiment allows, or a file can't be written; then nothing in
/// the folder has changed.
pub fn save(
    output: &RunOutput,
    spec: &SpecFile,
    folder: &Path,
    report: &report::RenderOptions,
) -> Result<PathBuf> {
    let page = report::render(&output.results, &output.tensors, report)?;
    check_size(&page, spec)?;
    let json = serde_json::to_vec_pretty(&output.results)
        .map_err(|error| Error::new(ErrorKind::Io, "can't write the results").caused_by(error))?;
    let tensors = store::to_safetensors(&output.tensors)?;
    let lock = lock::to_yaml(&output.results, spec, folder)?;
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

/// Warns or fails if the page is larger than the experiment's `max_size`.
fn check_size(page: &str, spec: &SpecFile) -> Result<()> {
    let Some(limit) = &spec.experiment.max_size else {
        return Ok(());
    };
    let megabytes = page.len() as f64 / 1e6;
    if megabytes <= limit.megabytes {
        return Ok(());
    }
    let message = format!(
        "the report must have at most {} MB (`max_size`), got {megabytes:.2} MB",
        limit.megabytes
    );
    let help = "choose fewer images, layers or channels, or raise `max_size`; nothing was written";
    match limit.over {
        OversizeAction::Warn => {
            tracing::warn!("{message}");
            Ok(())
        }
        OversizeAction::Fail => Err(Error::new(ErrorKind::Report, message).help(help)),
    }
}
