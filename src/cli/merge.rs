//! `convscope merge`: joins the parts of experiments to their reports.

use std::path::{Path, PathBuf};

use convscope::plan::Plan;
use convscope::{Report, Result, run};

use super::exit_status::Status;
use super::report_files::ReportSettings;
use super::run::for_each_experiment;
use super::run_settings::RunSettings;
use super::terminal::TerminalProgress;

#[derive(Debug, clap::Args)]
pub struct MergeArgs {
    /// Experiment files; a folder means every YAML file below it.
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
    #[command(flatten)]
    settings: RunSettings,
    #[command(flatten)]
    report: ReportSettings,
}

impl MergeArgs {
    /// Joins the parts of each file and prints the path of its report.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        for_each_experiment(&self.specs, &self.settings, progress, |path, folder| {
            self.merge_file(path, folder, progress)
        })
    }

    fn merge_file(
        &self,
        path: &Path,
        folder: &Path,
        progress: &TerminalProgress,
    ) -> Result<Status> {
        let spec = self.settings.read_spec(path)?;
        let options = self.settings.options();
        let plan = Plan::new(&spec, &options.cache()?, progress)?;
        let results = run::merge(&plan, &options, folder, progress)?;
        let report = Report::new(results, spec);
        self.report.write(&report, folder, || Ok(None), progress)
    }
}
