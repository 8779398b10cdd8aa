//! `convscope run`: runs experiments and writes their reports, or runs a part of each.

use std::path::{Path, PathBuf};

use convscope::plan::Plan;
use convscope::results::store;
use convscope::run::{self, Part};
use convscope::spec::SpecFile;
use convscope::{Error, ErrorKind, Report, Result, notebook};

use super::direct_run::{DirectArgs, folder_name};
use super::exit_status::{Status, print, print_error};
use super::interrupt;
use super::kernel::dependency_line::dependency_line;
use super::report_files::ReportSettings;
use super::run_settings::RunSettings;
use super::spec_files::experiment_paths;
use super::terminal::TerminalProgress;

#[derive(Debug, clap::Args)]
pub struct RunArgs {
    /// Experiment files; a folder means every YAML file below it. With `--models`: images and folders of images.
    #[arg(required = true, value_name = "SPEC|IMAGE")]
    specs: Vec<PathBuf>,
    #[command(flatten)]
    settings: RunSettings,
    #[command(flatten)]
    report: ReportSettings,
    /// Search only part I of N of the collection, counted from 1; `convscope merge` joins the parts to the report.
    #[arg(long, value_name = "I/N", conflicts_with_all = ["notebook", "open", "templates", "models"])]
    part: Option<Part>,
    /// Also write a notebook with the experiment, the calls, and the figures as their outputs.
    #[arg(long, value_name = "FILE.ipynb")]
    notebook: Option<PathBuf>,
    #[command(flatten)]
    direct: DirectArgs,
}

impl RunArgs {
    /// Runs each file and prints the paths of its report and notebook, or of its part.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        if let Some(spec) = self.direct.spec(&self.specs, &self.settings.set)? {
            if self.direct.only_prints() {
                return print(spec.text());
            }
            progress.print(spec.text());
            let folder = self.settings.out.join(folder_name(&self.specs));
            return self.run_spec(spec, &folder, progress);
        }
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
        for_each_experiment(
            &self.specs,
            &self.settings,
            progress,
            |path, folder| match self.part {
                Some(part) => self.run_part(part, path, folder, progress),
                None => self.run_spec(self.settings.read_spec(path)?, folder, progress),
            },
        )
    }

    fn run_spec(
        &self,
        spec: SpecFile,
        folder: &Path,
        progress: &TerminalProgress,
    ) -> Result<Status> {
        let output = store::prepare_folder(folder)?;
        interrupt::remove_if_empty(&output);
        let notebook = self.notebook.as_deref().map(notebook_folder).transpose()?;
        let results = run::run_spec(&spec, &self.settings.options(), progress)?;
        let report = Report::new(results, spec);
        let write_notebook = || {
            if let Some((folder, name, _prepared)) = &notebook {
                let text = notebook::text(&report, folder, &dependency_line())?;
                store::write(folder, &[(name, text.as_bytes())])?;
            }
            Ok(self.notebook.clone())
        };
        self.report.write(&report, folder, write_notebook, progress)
    }

    fn run_part(
        &self,
        part: Part,
        path: &Path,
        folder: &Path,
        progress: &TerminalProgress,
    ) -> Result<Status> {
        let spec = self.settings.read_spec(path)?;
        let output = store::prepare_folder(folder)?;
        interrupt::remove_if_empty(&output);
        let options = self.settings.options();
        let plan = Plan::new(&spec, &options.cache()?, progress)?;
        let part_folder = run::run_part(&plan, part, &options, folder, progress)?;
        progress.finish();
        print(&part_folder.display().to_string())
    }
}

/// Calls `run` with each experiment file and its output folder. The others still run after an error; the one with the
/// largest exit code is returned. An interruption ends all of them.
pub fn for_each_experiment(
    specs: &[PathBuf],
    settings: &RunSettings,
    progress: &TerminalProgress,
    run: impl Fn(&Path, &Path) -> Result<Status>,
) -> Result<Status> {
    let mut status = Status::Success;
    let mut worst: Option<Error> = None;
    for file in &experiment_paths(specs)? {
        match run(&file.path, &settings.out.join(&file.name)) {
            Ok(Status::Success) => {}
            Ok(Status::PartialFailure) => status = Status::PartialFailure,
            Err(error) => {
                progress.finish();
                if error.kind() == ErrorKind::Interrupted {
                    worst.into_iter().for_each(print_error);
                    return Err(error);
                }
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
