//! `convscope render`: the report again, from what a run stored.

use std::path::PathBuf;

use convscope::Result;
use convscope::results::store;

use super::{Done, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// A folder that `convscope run` wrote.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Draw with the templates in this folder where it has them.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl Arguments {
    pub fn execute(&self) -> Result<Done> {
        let options = convscope::report::Options {
            templates: self.templates.clone(),
        };
        for folder in &self.folders {
            let (results, tensors) = store::read(folder)?;
            let page = convscope::report::render(&results, &tensors, &options)?;
            store::write(folder, &[(store::REPORT, page.as_bytes())])?;
            print(&folder.join(store::REPORT).display().to_string())?;
        }
        Ok(Done::Well)
    }
}
