//! Writes the report of a run, and says what failed in it.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use convscope::report::RenderOptions;
use convscope::results::{Failure, UnreadableImage};
use convscope::{Error, ErrorKind, Report, Result};

use super::exit_status::{Status, print, print_note};
use super::terminal::TerminalProgress;

/// How many images that can't be read are named.
const NAMED: usize = 10;

#[derive(Debug, clap::Args)]
pub struct ReportSettings {
    /// Use the templates in this folder instead of the built-in ones of the same name.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Open each report in the browser.
    #[arg(long)]
    open: bool,
}

impl ReportSettings {
    /// Writes the report's files into `folder` and prints the page's path, then the paths of `others`, which `write_others`
    /// writes. Returns the run's status.
    ///
    /// # Errors
    /// If the report can't be made or written.
    pub fn write(
        &self,
        report: &Report,
        folder: &Path,
        others: impl FnOnce() -> Result<Option<PathBuf>>,
        progress: &TerminalProgress,
    ) -> Result<Status> {
        let options = RenderOptions {
            templates: self.templates.clone(),
        };
        let page = report.save_with(folder, &options)?;
        let other = others()?;
        progress.finish();
        for file in std::iter::once(&page).chain(&other) {
            print(&file.display().to_string())?;
        }
        if self.open {
            open_in_browser(&page)?;
        }
        print_unreadable(report.unreadable());
        Ok(print_failures(report.failures()))
    }
}

/// Prints to stderr which images of the collection were left out.
pub fn print_unreadable(unreadable: &[UnreadableImage]) {
    if unreadable.is_empty() {
        return;
    }
    let count = unreadable.len();
    print_note(format_args!(
        "images that can't be read and are left out: {count} (also listed in the report)"
    ));
    for image in unreadable.iter().take(NAMED) {
        print_note(format_args!("  {}", image.message));
    }
    if count > NAMED {
        print_note(format_args!("  and {} more", count - NAMED));
    }
}

/// Prints the failures to stderr. Returns the run's status.
pub fn print_failures(failures: &[Failure]) -> Status {
    if failures.is_empty() {
        return Status::Success;
    }
    print_note(format_args!(
        "failed: {} (also shown in the report)",
        failures.len()
    ));
    for failure in failures {
        let parts = [&failure.model, &failure.image, &failure.method];
        let subject: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        print_note(format_args!(
            "  {}: {}",
            subject.join(", "),
            failure.message
        ));
        if let Some(help) = &failure.help {
            print_note(format_args!("    {help}"));
        }
    }
    Status::PartialFailure
}

/// Opens a file or an address in the browser.
///
/// # Errors
/// If the system has no program for it.
pub fn open_in_browser(page: impl AsRef<OsStr>) -> Result<()> {
    let page = page.as_ref();
    let program = match std::env::consts::OS {
        "macos" => "open",
        "windows" => "explorer",
        _ => "xdg-open",
    };
    std::process::Command::new(program)
        .arg(page)
        .spawn()
        .map(drop)
        .map_err(|error| {
            let message = format!("can't open {} ({program})", page.display());
            Error::new(ErrorKind::Io, message).caused_by(error)
        })
}
