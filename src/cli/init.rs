//! `convscope init`: a commented experiment file to start from.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use convscope::{Error, ErrorKind, Result, spec};

use super::{Done, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The file to write; one that exists is left alone.
    #[arg(default_value = "experiment.yaml")]
    file: PathBuf,
}

impl Arguments {
    pub fn execute(&self) -> Result<Done> {
        let path = &self.file;
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(path)
            .map_err(|error| match error.kind() {
                std::io::ErrorKind::AlreadyExists => {
                    let message = format!("{} is there already", path.display());
                    Error::new(ErrorKind::Usage, message).help("name another file")
                }
                _ => Error::io("write", path, error),
            })?;
        file.write_all(spec::TEMPLATE.as_bytes())
            .map_err(|error| Error::io("write", path, error))?;
        let path = path.display();
        print(&format!("{path}\nrun it with: convscope run {path}"))
    }
}
