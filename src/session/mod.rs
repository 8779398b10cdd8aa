//! Work step by step: a session holds the networks that are loaded, and every step and every whole
//! experiment takes them from there.
//!
//! ```text
//! Experiment (YAML or Rust) ─┐
//!                            ├─► Session ─► Report
//! Model, Image, method ──────┘         └──► Predictions, Figures, LayerTable
//! ```
//!
//! A single step is an experiment of one network and one picture, so it gives the same numbers.
//!
//! A session is a value and no global state: in a notebook, statics begin anew with every cell.

mod chart;
mod experiment;
mod figures;
mod image;
mod layers;
mod model;
mod report;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::error::{Error, Result};
use crate::progress::{Lines, Progress, Silent, is_notebook};
use crate::run::{self, NetworkCache, Options};
use crate::spec::{ImageSpec, ModelSpec};

pub use crate::report::Measure;
pub use chart::Chart;
pub use experiment::Experiment;
pub use figures::{Figures, Predictions};
pub use image::Image;
pub use layers::{Layer, LayerTable};
pub use model::Model;
pub use report::Report;

/// Loaded networks, and how to run.
///
/// A clone is the same session, not a second one.
#[derive(Clone)]
pub struct Session {
    state: Rc<State>,
}

/// What a session and its models share.
struct State {
    options: Options,
    shelf: NetworkCache,
    progress: Box<dyn Progress>,
}

impl Session {
    /// A session on the CPU with the user's cache. It says one line a step in a notebook and nothing
    /// elsewhere.
    pub fn new() -> Self {
        match is_notebook() {
            true => Self::with(Options::default(), Lines),
            false => Self::with(Options::default(), Silent),
        }
    }

    /// A session that runs as `options` say and tells `progress`.
    pub fn with(options: Options, progress: impl Progress + 'static) -> Self {
        let state = State {
            options,
            shelf: NetworkCache::default(),
            progress: Box::new(progress),
        };
        Session {
            state: Rc::new(state),
        }
    }

    /// A network, loaded now if the session does not have it yet: an architecture's name, or a
    /// [`ModelSpec`] with weights of its own.
    ///
    /// # Errors
    /// If there is no such network, or its weights can't be had.
    pub fn network(&self, network: impl Into<ModelSpec>) -> Result<Model> {
        Model::load(self, network.into())
    }

    /// A picture: a path, or an [`ImageSpec`] that means one picture.
    ///
    /// # Errors
    /// If it can't be had or read, or if there is more than one.
    pub fn image(&self, image: impl Into<ImageSpec>) -> Result<Image> {
        let all = self.images(image)?;
        let count = all.len();
        match <[Image; 1]>::try_from(all) {
            Ok([image]) => Ok(image),
            Err(_) => {
                let message = format!("that means {count} pictures");
                Err(Error::new(crate::ErrorKind::Usage, message)
                    .help("pick one of them, or take them all with `images`"))
            }
        }
    }

    /// Every picture of a folder or a pack.
    ///
    /// # Errors
    /// If one can't be had or read.
    pub fn images(&self, image: impl Into<ImageSpec>) -> Result<Vec<Image>> {
        // The network is only there because an experiment has one.
        let spec = Experiment::new("pictures")
            .model("resnet18")
            .image(image)
            .spec()?;
        let State {
            options, progress, ..
        } = &*self.state;
        // Nobody wrote that experiment, so nobody is pointed into it.
        let all = run::pictures(&spec, options, &**progress).map_err(|error| {
            let error = error.without_place();
            match error.advice() {
                Some(help) if help.starts_with("paths are meant") => {
                    error.help("paths start at the current folder")
                }
                _ => error,
            }
        })?;
        all.into_iter().map(Image::opened).collect()
    }

    /// Runs an experiment. What fails on its own stands in the report; networks that the session has
    /// are not loaded again.
    ///
    /// # Errors
    /// If the experiment names what does not exist, or no network or no picture is left.
    pub fn run(&self, experiment: &Experiment) -> Result<Report> {
        let spec = experiment.spec()?;
        let State {
            options,
            shelf,
            progress,
        } = &*self.state;
        let outcome = run::run_with(&spec, options, shelf, &**progress)?;
        Ok(Report::new(outcome, spec))
    }

    /// Runs the experiment in a file and writes its report into a folder; says where the page is.
    ///
    /// # Errors
    /// As [`run`](Self::run), and if the disk refuses.
    pub fn run_file(&self, spec: impl AsRef<Path>, folder: impl AsRef<Path>) -> Result<PathBuf> {
        self.run(&Experiment::from_path(spec)?)?.save(folder)
    }

    /// How many networks are loaded.
    pub fn loaded(&self) -> usize {
        self.state.shelf.len()
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
