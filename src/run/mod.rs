//! From an experiment to results: plan, shared passes, methods.
//!
//! ```text
//! spec ─► plan ─► models ─┐
//!           └──► gallery ─┴─► passes (picture by picture, network by network) ─┬─► outcome ─► files
//!                         └─► collection (batch by batch through all networks) ─┘
//! ```
//!
//! What fails on its own (a weight file, a picture, a method) is written down as a
//! [`Failure`](crate::results::Failure) and the rest goes on.

mod collection;
mod comparison;
mod images;
mod model_on_image;
mod models;
mod network_cache;
mod result_cache;
mod target_mask;

use std::path::PathBuf;
use std::time::Duration;

use tch::Device;

use crate::error::{Error, ErrorKind, Result};
use crate::fetch::Cache;
use crate::figures::Tensors;
use crate::plan::{Plan, images::PlannedImage};
use crate::progress::Progress;
use crate::results::{Environment, Failure, Results};
use crate::spec::SpecFile;

pub use models::Model;
pub use network_cache::NetworkCache;

/// The libtorch that convscope is built against; `torch-sys` refuses any other.
const LIBTORCH: &str = "2.13.0";

/// How to run, as opposed to what.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where the networks run.
    pub device: Device,
    /// Whether nothing may be fetched.
    pub offline: bool,
    /// Whether results of an earlier run with the same bytes may be taken up.
    pub cached: bool,
    /// The folder where weights, photos and results are kept; `None`: what the environment says.
    pub cache: Option<PathBuf>,
    /// How often what was found in the collection so far is written there.
    pub saved_every: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            device: Device::Cpu,
            offline: false,
            cached: true,
            cache: None,
            saved_every: Duration::from_secs(15),
        }
    }
}

impl Options {
    /// The cache that these options mean.
    fn cache(&self) -> Result<Cache> {
        match &self.cache {
            Some(root) => Ok(Cache {
                root: root.clone(),
                offline: self.offline,
            }),
            None => Cache::from_env(self.offline),
        }
    }
}

/// What a run produced, in memory.
#[derive(Debug)]
pub struct Outcome {
    pub results: Results,
    pub tensors: Tensors,
}

/// Runs an experiment.
///
/// # Errors
/// If the spec names what does not exist, or if no network or no picture is left to look at.
/// Everything else that fails stands in the results.
pub fn run(spec: &SpecFile, options: &Options, progress: &dyn Progress) -> Result<Outcome> {
    run_with(spec, options, &NetworkCache::default(), progress)
}

/// The same with networks that are loaded already; what it loads goes onto the shelf.
///
/// # Errors
/// As [`run`].
pub fn run_with(
    spec: &SpecFile,
    options: &Options,
    shelf: &NetworkCache,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let plan = Plan::new(spec, &options.cache()?, progress)?;
    go(spec, &plan, options, shelf, progress)
}

/// The same on pictures that are open already, whatever the spec's own are.
///
/// # Errors
/// As [`run`]; also where a method looks through a collection and a picture has no file.
pub fn look(
    spec: &SpecFile,
    pictures: &[PlannedImage],
    options: &Options,
    shelf: &NetworkCache,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let plan = Plan::with_pictures(spec, pictures)?;
    go(spec, &plan, options, shelf, progress)
}

/// The one network of `spec`, loaded.
///
/// # Errors
/// If the spec names what does not exist, or the weights can't be had.
pub fn load(
    spec: &SpecFile,
    options: &Options,
    shelf: &NetworkCache,
    progress: &dyn Progress,
) -> Result<Model> {
    let plan = Plan::with_pictures(spec, &[])?;
    let [planned] = &plan.models[..] else {
        let message = format!("{} names {} networks", spec.name, plan.models.len());
        return Err(Error::new(ErrorKind::Usage, message).help("load them one by one"));
    };
    let device = available(options.device)?;
    models::load(spec, planned, &options.cache()?, device, shelf, progress)
}

/// The pictures that `spec` names.
///
/// # Errors
/// For a file or a folder that is not there, or a pack that can't be had.
pub fn pictures(
    spec: &SpecFile,
    options: &Options,
    progress: &dyn Progress,
) -> Result<Vec<PlannedImage>> {
    crate::plan::images::list(spec, &options.cache()?, progress)
}

fn go(
    spec: &SpecFile,
    plan: &Plan,
    options: &Options,
    shelf: &NetworkCache,
    progress: &dyn Progress,
) -> Result<Outcome> {
    let device = available(options.device)?;
    let cache = options.cache()?;
    let mut results = Results {
        format: 1,
        environment: Environment {
            convscope: env!("CARGO_PKG_VERSION").to_owned(),
            libtorch: LIBTORCH.to_owned(),
            device: device_name(device),
        },
        experiment: spec.experiment.clone(),
        spec: spec.text.clone(),
        models: Vec::new(),
        images: Vec::new(),
        collection: None,
        predictions: Vec::new(),
        figures: Vec::new(),
        checks: Vec::new(),
        comparison: None,
        failures: Vec::new(),
    };
    let mut tensors = Tensors::new();
    let mut loaded = Vec::new();
    let mut first_refused = None;
    for planned in &plan.models {
        match models::load(spec, planned, &cache, device, shelf, progress) {
            Ok(model) => loaded.push(model),
            Err(error) => {
                progress.warn(&format!("{}: {}", planned.id, error.one_line()));
                results.failures.push(Failure {
                    model: Some(planned.id.clone()),
                    image: None,
                    method: None,
                    message: error.one_line(),
                    help: error.advice().map(str::to_owned),
                });
                first_refused = first_refused.or(Some(error));
            }
        }
    }
    if let (true, Some(error)) = (loaded.is_empty(), first_refused) {
        return Err(error);
    }
    let units = options.cached.then(|| result_cache::Units::new(&cache));
    images::all(
        &spec.experiment,
        &plan.pictures,
        &mut loaded,
        units.as_ref(),
        progress,
        &mut results,
        &mut tensors,
    )?;
    collection::look_through(
        &spec.experiment,
        &plan.collection,
        &loaded,
        units.as_ref(),
        options.saved_every,
        progress,
        &mut results,
        &mut tensors,
    )?;
    results.models = loaded.into_iter().map(|model| model.record).collect();
    results.comparison = comparison::networks(&results, &mut tensors);
    Ok(Outcome { results, tensors })
}

/// `cpu`, `cuda:0`.
pub fn device_name(device: Device) -> String {
    match device {
        Device::Cuda(number) => format!("cuda:{number}"),
        _ => "cpu".to_owned(),
    }
}

/// The device, if the machine and the libtorch have it.
fn available(device: Device) -> Result<Device> {
    if let Device::Cuda(number) = device {
        let count = tch::Cuda::device_count();
        if number as i64 >= count {
            let message = format!("there is no device cuda:{number}; libtorch sees {count}");
            return Err(Error::new(ErrorKind::Usage, message)
                .help("leave `--device` out, or set LIBTORCH to a CUDA build of libtorch"));
        }
    }
    Ok(device)
}
