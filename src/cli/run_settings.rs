//! The options that `run`, `merge` and `slurm` share.

use std::path::{Path, PathBuf};

use convscope::Result;
use convscope::run::RunOptions;
use convscope::spec::SpecFile;
use tch::Device;

use super::spec_files::read_spec;

#[derive(Debug, clap::Args)]
pub struct RunSettings {
    /// The folder for the reports; each experiment writes into a folder of its own below it.
    #[arg(long, value_name = "DIR", default_value = "output")]
    pub out: PathBuf,
    /// Set a key of the experiment: `--set seed=3`, `--set models.0.weights=mine.pth`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// The device of the networks: `cpu`, `cuda` or `cuda:N`.
    #[arg(long, default_value = "cpu", value_parser = parse_device)]
    pub device: Device,
    /// Fetch nothing; weights and images come from the cache.
    #[arg(long)]
    pub offline: bool,
    /// Compute everything; don't use cached results, and don't go on where an interrupted run stopped.
    #[arg(long)]
    pub no_cache: bool,
}

impl RunSettings {
    /// Reads an experiment file with the keys that are set.
    ///
    /// # Errors
    /// If it can't be read, or is invalid.
    pub fn read_spec(&self, path: &Path) -> Result<SpecFile> {
        read_spec(path, &self.set)
    }

    /// How to run an experiment.
    pub fn options(&self) -> RunOptions {
        RunOptions {
            device: self.device,
            offline: self.offline,
            cached: !self.no_cache,
            ..RunOptions::default()
        }
    }

    /// The arguments that give these settings, with an absolute output folder.
    ///
    /// # Errors
    /// If the current folder is not known.
    pub fn arguments(&self) -> Result<Vec<String>> {
        let out = std::path::absolute(&self.out)
            .map_err(|error| convscope::Error::io("find", &self.out, error))?;
        let mut arguments = vec!["--out".to_owned(), out.display().to_string()];
        for setting in &self.set {
            arguments.extend(["--set".to_owned(), setting.clone()]);
        }
        let device = convscope::run::device_name(self.device);
        if device != "cpu" {
            arguments.extend(["--device".to_owned(), device]);
        }
        if self.offline {
            arguments.push("--offline".to_owned());
        }
        Ok(arguments)
    }
}

/// `cpu`, `cuda` or `cuda:N`.
fn parse_device(text: &str) -> Result<Device, String> {
    match text.split_once(':') {
        None if text == "cpu" => Ok(Device::Cpu),
        None if text == "cuda" => Ok(Device::Cuda(0)),
        Some(("cuda", number)) => number
            .parse()
            .map(Device::Cuda)
            .map_err(|_| format!("N in `cuda:N` must be a device index, got `{number}`")),
        _ => Err("allowed: `cpu`, `cuda`, `cuda:N`".to_owned()),
    }
}
