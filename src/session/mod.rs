//! Work step by step: a session keeps the networks that it has loaded, for single steps and for whole experiments.
//!
//! ```text
//! Experiment (YAML or Rust) ─┐
//!                            ├─► Session ─► Report
//! Model, Image, method ──────┘         └──► Predictions, Figures, LayerTable
//! ```
//!
//! A single step is a run with one network and one image, so it gives the same values.
//!
//! A session is a value, not global state: in a notebook, statics are reset in every cell.

mod chart;
mod experiment;
mod figures;
mod image;
mod layers;
mod model;
mod report;
mod state;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::error::{Error, ErrorKind, Result};
use crate::plan::{self, Origin, Plan};
use crate::progress::{Lines, Progress, Silent, is_notebook};
use crate::run::{self, NetworkCache, RunOptions};
use crate::spec::{ImageSpec, ModelSpec};

use state::SessionState;

pub use crate::report::ChartKind;
pub use chart::Chart;
pub use experiment::Experiment;
pub use figures::{Figures, Predictions};
pub use image::Image;
pub use layers::{Layer, LayerTable};
pub use model::Model;
pub use report::Report;

/// Loads networks and images, runs experiments, and keeps the loaded networks.
///
/// Clones share the loaded networks.
#[derive(Clone)]
pub struct Session {
    state: Rc<SessionState>,
}

impl Session {
    /// A session on the CPU with the user's cache. In a notebook it prints a line for each step; elsewhere it
    /// prints nothing.
    pub fn new() -> Self {
        if is_notebook() {
            Self::with(RunOptions::default(), Lines)
        } else {
            Self::with(RunOptions::default(), Silent)
        }
    }

    /// A session with the given options, which reports its progress to `progress`.
    pub fn with(options: RunOptions, progress: impl Progress + 'static) -> Self {
        let state = SessionState {
            options,
            networks: NetworkCache::default(),
            progress: Box::new(progress),
        };
        Session {
            state: Rc::new(state),
        }
    }

    /// A network: an architecture's name, a `.pt2` file, a library's network (`timm:NAME`), or a [`ModelSpec`] with other weights. It is loaded once in a session.
    ///
    /// # Errors
    /// If there is no such network, or its weights can't be fetched or read.
    pub fn network(&self, network: impl Into<ModelSpec>) -> Result<Model> {
        Model::load(&self.state, network.into())
    }

    /// An image: a path, or an [`ImageSpec`] of one image.
    ///
    /// # Errors
    /// If it can't be fetched or read, or if the entry has several images.
    pub fn image(&self, image: impl Into<ImageSpec>) -> Result<Image> {
        let images = self.images(image)?;
        let count = images.len();
        <[Image; 1]>::try_from(images)
            .map(|[image]| image)
            .map_err(|_| {
                let message = format!("`image` takes one image, got {count}");
                Error::new(ErrorKind::Usage, message)
                    .help("pick one of them, or take all of them with `images`")
            })
    }

    /// Every image of a folder, a list, a table or a pack; a `sample` is drawn with the seed 0.
    ///
    /// # Errors
    /// If one can't be fetched or read.
    pub fn images(&self, images: impl Into<ImageSpec>) -> Result<Vec<Image>> {
        let SessionState {
            options, progress, ..
        } = &*self.state;
        let entries = [images.into()];
        let cache = options.cache()?;
        let (seed, origin) = (0, Origin::none());
        let planned = plan::plan_images(&entries, "images", seed, &origin, &cache, &**progress)?;
        planned.into_iter().map(Image::decode).collect()
    }

    /// Runs an experiment. Networks that the session has loaded are not loaded again. If a part of the experiment
    /// fails, the report has the failure and the other results.
    ///
    /// # Errors
    /// If the experiment names something that doesn't exist, or if no network could be loaded or no image could be
    /// read.
    pub fn run(&self, experiment: &Experiment) -> Result<Report> {
        let spec = experiment.spec()?;
        let SessionState {
            options,
            networks,
            progress,
        } = &*self.state;
        let plan = Plan::new(&spec, &options.cache()?, &**progress)?;
        let output = run::run(&plan, options, networks, &**progress)?;
        Ok(Report::new(output, spec))
    }

    /// Runs the experiment of a file and writes its report into a folder; returns the path of the page.
    ///
    /// # Errors
    /// As [`run`](Self::run), and if the folder can't be written.
    pub fn run_file(&self, spec: impl AsRef<Path>, folder: impl AsRef<Path>) -> Result<PathBuf> {
        self.run(&Experiment::from_path(spec)?)?.save(folder)
    }

    /// The number of loaded networks.
    pub fn loaded(&self) -> usize {
        self.state.networks.len()
    }
}

impl Default for Session {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Display for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let device = run::device_name(self.state.options.device);
        write!(f, "session on {device}, networks loaded: {}", self.loaded())
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
