//! `convscope check`: resolves everything that an experiment names, without running anything. No weights or images are
//! fetched; a network of timm or torchvision is exported, as its layers are known from nothing else.

use std::path::{Path, PathBuf};

use convscope::fetch::Cache;
use convscope::plan::Plan;
use convscope::{Error, Result};

use super::exit_status::{Status, print, print_error};
use super::spec_files::{experiment_paths, read_spec};
use super::terminal::TerminalProgress;

#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// Experiment files; a folder means every YAML file below it.
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// Set a key of the experiment: `--set seed=3`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Export no network of timm or torchvision; each comes from the cache.
    #[arg(long)]
    offline: bool,
}

impl CheckArgs {
    /// Checks each file and prints its networks, layers and numbers of images, and `ok` at the end if all are right.
    pub fn run(&self, progress: &TerminalProgress) -> Result<Status> {
        let mut last: Option<Error> = None;
        for file in experiment_paths(&self.specs)? {
            match self.check_file(&file.path, progress) {
                Ok(text) => drop(print(&text)?),
                Err(error) => {
                    if let Some(earlier) = last.replace(error) {
                        print_error(earlier);
                    }
                }
            }
        }
        match last {
            Some(error) => Err(error),
            None => print("ok"),
        }
    }

    fn check_file(&self, path: &Path, progress: &TerminalProgress) -> Result<String> {
        let spec = read_spec(path, &self.set)?;
        let (models, images) = Plan::check(&spec, &Cache::from_env(self.offline)?, progress)?;
        progress.finish();
        let mut text = format!("{}:\n", path.display());
        for model in &models {
            text.push_str(&format!("  {}: {}\n", model.id, model.architecture.name()));
            let notes = model.notes.iter().map(|note| note.text.clone());
            for note in model.architecture.notes().into_iter().chain(notes) {
                text.push_str(&format!("    {note}\n"));
            }
            for selected in &model.selected {
                let layers = selected.layers.join(", ");
                text.push_str(&format!(
                    "    {}: {} → {layers}\n",
                    selected.method, selected.selector
                ));
            }
        }
        match images {
            Some(planned) => {
                let (images, collection) = (planned.images.len(), planned.collection.len());
                let counts = [("images", images), ("collection", collection)];
                for (list, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
                    text.push_str(&format!("  {list}: {count}\n"));
                }
            }
            None => text.push_str("  images: from a pack that is not in the cache\n"),
        }
        Ok(text)
    }
}
