//! `convscope render`: writes the report again from stored results.

use std::path::PathBuf;

use convscope::Result;
use convscope::results::store;

use super::exit_status::{Status, print};

#[derive(Debug, clap::Args)]
pub struct RenderArgs {
    /// Output folders of `convscope run`.
    #[arg(required = true, value_name = "DIR")]
    folders: Vec<PathBuf>,
    /// Use the templates in this folder instead of the built-in ones of the same name.
    #[arg(long, value_name = "DIR")]
    templates: Option<PathBuf>,
}

impl RenderArgs {
    /// Renders each folder's report and prints its path.
    pub fn run(&self) -> Result<Status> {
        let options = convscope::report::RenderOptions {
            templates: self.templates.clone(),
        };
        for folder in &self.folders {
            let (results, tensors) = store::read(folder)?;
            let page = convscope::report::render(&results, &tensors, &options)?;
            store::write(folder, &[(store::REPORT, page.as_bytes())])?;
            print(&folder.join(store::REPORT).display().to_string())?;
        }
        Ok(Status::Success)
    }
}
