//! `convscope init`: writes a commented experiment file as a template.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use convscope::{Error, ErrorKind, Result, spec};

use super::exit_status::{Status, print};

#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The file to write; an existing file is not overwritten.
    #[arg(default_value = "experiment.yaml")]
    file: PathBuf,
}

impl InitArgs {
    /// Writes the template and prints its path.
    pub fn run(&self) -> Result<Status> {
        let path = &self.file;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    let message = format!("{} exists already", path.display());
                    Error::new(ErrorKind::Usage, message).help("write another file name")
                }
                _ => Error::io("write", path, error),
            })?;
        file.write_all(spec::TEMPLATE.as_bytes())
            .map_err(|error| Error::io("write", path, error))?;
        let path = path.display();
        print(&format!("{path}\nrun it with: convscope run {path}"))
    }
}
