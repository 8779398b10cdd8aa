//! How to run an experiment, as opposed to what it is about.

use std::path::PathBuf;
use std::time::Duration;

use tch::Device;

use crate::error::Result;
use crate::fetch::Cache;

/// How to run an experiment.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Where the networks run.
    pub device: Device,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// Whether results of earlier runs may be reused, where everything they depend on is the same.
    pub cached: bool,
    /// The folder of weights, image packs and results; `None` for the one that the environment names.
    pub cache: Option<PathBuf>,
    /// How often a pass over the collection saves where it is, so that it can be resumed.
    pub checkpoint_interval: Duration,
}

impl Default for RunOptions {
    fn default() -> Self {
        RunOptions {
            device: Device::Cpu,
            offline: false,
            cached: true,
            cache: None,
            checkpoint_interval: Duration::from_secs(15),
        }
    }
}

impl RunOptions {
    /// The cache that `cache` and `offline` describe.
    ///
    /// # Errors
    /// If the environment names no folder for it.
    pub fn cache(&self) -> Result<Cache> {
        match &self.cache {
            Some(root) => Ok(Cache {
                root: root.clone(),
                offline: self.offline,
            }),
            None => Cache::from_env(self.offline),
        }
    }
}
