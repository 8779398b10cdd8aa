//! `convscope run`: runs experiments and writes their reports.

use std::path::{Path, PathBuf};

use convscope::results::{Failure, store};
use convscope::run::{self, RunOptions};
use convscope::spec::SpecFile;
use convscope::{Error, ErrorKind, Report, Result, notebook};
use tch::Device;

use super::exit_status::{Status, print_error};
use super::kernel::dependency_line::dependency_line;
use super::spec_files::experiment_paths;
use super::terminal::TerminalProgress;

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Experiment files; a folder means every YAML file below it.
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// The folder for the reports; each experiment writes into a folder of its own below it.
    #[arg(long, value_name = "DIR", default_value = "output")]
    out: PathBuf,
    /// Set a key of the experiment: `--set seed=3`, `--set models.0.weights=mine.pth`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The device of the networks: `cpu`, `cuda` or `cuda:N`.
    #[arg(long, default_value = "cpu", value_parser = parse_device)]
    device: Device,
    /// Fetch nothing; weights and images come from the cache.
    #[arg(long)]
    offline: bool,
    /// Compute everything; don't use cached results.
    #[arg(long)]
    no_cache: bool,
    /// Use the templates in this folder instead of the built-in ones of the same name.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
    /// Also write a notebook with the experiment, the calls, and the figures as their outputs.
    #[arg(long, value_name = "FILE.ipynb")]
    notebook: Option<PathBuf>,
    /// Open each report in the browser.
    #[arg(long)]
    open: bool,
}

/// `cpu`, `cuda` or `cuda:N`.
fn parse_device(text: &str) -> Result<Device, String> {
    match text.split_once(':') {
        None if text == "cpu" => Ok(Device::Cpu),
        None if text == "cuda" => Ok(Device::Cuda(0)),
        Some(("cuda", number)) => number
            .parse()
            .map(Device::Cuda)
            .map_err(|_| format!("N in `cuda:N` must be a device index, got `{number}`")),
        _ => Err("allowed: `cpu`, `cuda`, `cuda:N`".to_owned()),
    }
}

impl RunArgs {
    /// Runs each file and prints the paths of its report and notebook.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        let files = experiment_paths(&self.specs)?;
        if let (Some(file), true) = (&self.notebook, files.len() > 1) {
            let message = format!(
                "`--notebook {}` needs one experiment file, got {}",
                file.display(),
                files.len()
            );
            return Err(Error::new(ErrorKind::Usage, message)
                .help("call `convscope run` once for each experiment"));
        }
        let mut status = Status::Success;
        let mut worst: Option<Error> = None;
        for file in &files {
            match self.run_file(&file.path, &self.out.join(&file.name), progress) {
                Ok(Status::Success) => {}
                Ok(Status::PartialFailure) => status = Status::PartialFailure,
                // The other files still run; the error with the largest exit code is returned.
                Err(error) => {
                    progress.finish();
                    worst = Some(match worst.take() {
                        Some(earlier) if earlier.exit_code() > error.exit_code() => {
                            print_error(error);
                            earlier
                        }
                        Some(earlier) => {
                            print_error(earlier);
                            error
                        }
                        None => error,
                    });
                }
            }
        }
        worst.map_or(Ok(status), Err)
    }

    fn run_file(&self, path: &Path, folder: &Path, progress: &TerminalProgress) -> Result<Status> {
        let spec = SpecFile::read_with_overrides(path, &self.set)?;
        let _folder = store::prepare_folder(folder)?;
        let options = RunOptions {
            device: self.device,
            offline: self.offline,
            cached: !self.no_cache,
            ..RunOptions::default()
        };
        let notebook = self.notebook.as_deref().map(notebook_folder).transpose()?;
        let report = Report::new(run::run_spec(&spec, &options, progress)?, spec);
        let report_options = convscope::report::RenderOptions {
            templates: self.templates.clone(),
        };
        let page = report.save_with(folder, &report_options)?;
        if let Some((folder, name, _prepared)) = &notebook {
            let text = notebook::text(&report, folder, &dependency_line())?;
            store::write(folder, &[(name, text.as_bytes())])?;
        }
        progress.finish();
        println!("{}", page.display());
        if let Some(file) = &self.notebook {
            println!("{}", file.display());
        }
        if self.open {
            open_in_browser(&page)?;
        }
        Ok(print_failures(report.failures()))
    }
}

/// The folder for a notebook, which is created if it doesn't exist, and the file's name in it.
fn notebook_folder(file: &Path) -> Result<(&Path, &str, store::OutputFolder)> {
    let name = file.file_name().and_then(|name| name.to_str());
    let name = name
        .filter(|name| name.ends_with(".ipynb"))
        .ok_or_else(|| {
            let message = format!(
                "the file of `--notebook` must end in .ipynb, got {}",
                file.display()
            );
            Error::new(ErrorKind::Usage, message)
        })?;
    let folder = match file.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    Ok((folder, name, store::prepare_folder(folder)?))
}

/// Prints the failures to stderr. Returns the run's status.
fn print_failures(failures: &[Failure]) -> Status {
    if failures.is_empty() {
        return Status::Success;
    }
    eprintln!("failed: {} (also shown in the report)", failures.len());
    for failure in failures {
        let parts = [&failure.model, &failure.image, &failure.method];
        let subject: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        eprintln!("  {}: {}", subject.join(", "), failure.message);
        if let Some(help) = &failure.help {
            eprintln!("    {help}");
        }
    }
    Status::PartialFailure
}

fn open_in_browser(page: &Path) -> Result<()> {
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
