//! `convscope check`: everything an experiment names is looked up, nothing runs or is fetched.

use std::path::PathBuf;

use convscope::fetch::Cache;
use convscope::plan::Plan;
use convscope::spec::SpecFile;
use convscope::{Error, Result};

use super::run::spec_files;
use super::{Done, complain, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Experiment files; a folder means every YAML file below it.
    #[arg(required = true, value_name = "SPEC")]
    specs: Vec<PathBuf>,
    /// Set a key of the experiment: `--set seed=3`.
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
}

impl Arguments {
    pub fn execute(&self) -> Result<Done> {
        let mut refused: Option<Error> = None;
        for file in spec_files(&self.specs)? {
            match self.one(&file.path) {
                Ok(text) => drop(print(&text)?),
                Err(error) => {
                    if let Some(earlier) = refused.replace(error) {
                        complain(earlier);
                    }
                }
            }
        }
        refused.map_or(Ok(Done::Well), Err)
    }

    fn one(&self, path: &std::path::Path) -> Result<String> {
        let spec = SpecFile::with_overrides(path, &self.set)?;
        let (models, pictures) = Plan::check(&spec, &Cache::from_env(true)?)?;
        let mut text = format!("{}: well\n", path.display());
        for model in &models {
            text.push_str(&format!("  {}: {}\n", model.id, model.arch.name));
            for selected in &model.selected {
                let layers = selected.layers.join(", ");
                text.push_str(&format!(
                    "    {}: {} → {layers}\n",
                    selected.method, selected.selector
                ));
            }
        }
        match pictures {
            Some(pictures) => text.push_str(&format!("  pictures: {}\n", pictures.len())),
            None => text.push_str("  pictures: from a pack that is not fetched yet\n"),
        }
        Ok(text)
    }
}
