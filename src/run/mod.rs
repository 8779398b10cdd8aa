//! Carries out a plan: networks, images, methods, checks, the pass over the collection, the comparison.
//!
//! ```text
//! plan ─┬─► models (loaded, or from the network cache) ─┐
//!       ├─► images: image by image, network by network ─┼─► output
//!       └─► collection: batch by batch, all networks ───┘
//! ```
//!
//! What fails (a weight file, an image, a method) is recorded as a [`Failure`]; the rest of the run
//! continues.

mod collection;
mod comparison;
mod device;
mod evaluation;
mod fingerprint;
mod image_views;
mod images_pass;
mod load_weights;
mod machine;
mod map_checks;
mod model;
mod model_info;
mod model_on_image;
mod network_cache;
mod network_methods;
mod options;
mod part;
mod precision_note;
mod prediction;
mod result_cache;
mod run_output;
mod stored_tensor;
mod target_mask;
mod targets;

use std::path::{Path, PathBuf};

use tch::Device;

use crate::error::{Error, ErrorKind, Result};
use crate::figures::Tensors;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::results::{Environment, Failure, Results};
use crate::spec::SpecFile;

use device::require_device;
use model::load_planned;
use result_cache::ResultCache;

pub use collection::{PARTS, missing_parts};
pub use device::device_name;
pub use model::{RunModel, load_model};
pub use network_cache::NetworkCache;
pub use options::RunOptions;
pub use part::Part;
pub use run_output::RunOutput;

/// The libtorch that convscope is built against; `torch-sys` accepts no other.
const LIBTORCH: &str = "2.13.0";

/// Runs the experiment of a spec.
///
/// # Errors
/// If the spec names something that doesn't exist, or as [`run`].
pub fn run_spec(
    spec: &SpecFile,
    options: &RunOptions,
    progress: &dyn Progress,
) -> Result<RunOutput> {
    let plan = Plan::new(spec, &options.cache()?, progress)?;
    run(&plan, options, &NetworkCache::default(), progress)
}

/// Carries out a plan. Networks that `networks` holds are not loaded again, and those that are loaded are kept there.
///
/// # Errors
/// If no network could be loaded, no image could be read, or the run is interrupted. Every other failure is recorded in
/// the results.
pub fn run(
    plan: &Plan,
    options: &RunOptions,
    networks: &NetworkCache,
    progress: &dyn Progress,
) -> Result<RunOutput> {
    run_with_parts(plan, options, networks, None, progress)
}

/// Carries out a plan whose collection has been searched in parts, which lie below `folder`, the experiment's output
/// folder. The results are those of [`run`], to the last bit, if all machines compute alike.
///
/// # Errors
/// As [`run`]; also if a part is missing, or is one of another experiment, collection or version of the program.
pub fn merge(
    plan: &Plan,
    options: &RunOptions,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<RunOutput> {
    check_parts(plan)?;
    run_with_parts(
        plan,
        options,
        &NetworkCache::default(),
        Some(folder),
        progress,
    )
}

/// Searches a part of the collection, and keeps what the methods gathered below `folder`, the experiment's output
/// folder. Returns the part's own folder there. A part that was interrupted goes on where it stopped.
///
/// # Errors
/// If a network can't be loaded, the folder can't be written, or the run is interrupted.
pub fn run_part(
    plan: &Plan,
    part: Part,
    options: &RunOptions,
    folder: &Path,
    progress: &dyn Progress,
) -> Result<PathBuf> {
    check_parts(plan)?;
    let device = require_device(options.device)?;
    let networks = NetworkCache::default();
    let (models, _) = load_networks(plan, device, options, &networks, progress)?;
    let (go_on, interval) = (options.cached, options.checkpoint_interval);
    collection::run_part_of_collection(
        plan, &models, part, folder, go_on, interval, device, progress,
    )
}

/// Checks that a plan can be carried out in parts.
fn check_parts(plan: &Plan) -> Result<()> {
    if plan.collection.is_empty() {
        let message = "no method of the experiment searches a collection: there is nothing to split into parts";
        return Err(
            Error::new(ErrorKind::Usage, message).help("run it as a whole, without `--part`")
        );
    }
    Ok(())
}

fn run_with_parts(
    plan: &Plan,
    options: &RunOptions,
    networks: &NetworkCache,
    parts: Option<&Path>,
    progress: &dyn Progress,
) -> Result<RunOutput> {
    let device = require_device(options.device)?;
    let mut output = empty_output(plan, device_name(device));
    let (mut models, failures) = load_networks(plan, device, options, networks, progress)?;
    output.results.failures = failures;
    let cache = options.cache()?;
    let cache = options.cached.then(|| ResultCache::new(&cache));
    let cache = cache.as_ref();
    for model in &mut models {
        for error in model.add_likenesses(&plan.references) {
            progress.warn(&format!("{}: {}", model.loaded.id, error.full_message()));
            let failure = run_output::failure(Some(&model.loaded.id), None, None, &error);
            output.results.failures.push(failure);
        }
    }
    for model in &models {
        let experiment = &plan.experiment;
        output.add(network_methods::run_network(experiment, model, progress));
    }
    images_pass::run_images(plan, &mut models, cache, progress, &mut output)?;
    match parts {
        None => {
            let interval = options.checkpoint_interval;
            collection::run_collection(
                plan,
                &models,
                cache,
                interval,
                device,
                progress,
                &mut output,
            )?;
        }
        Some(folder) => collection::merge_collection(
            plan,
            &models,
            cache,
            folder,
            device,
            progress,
            &mut output,
        )?,
    }
    evaluation::evaluate(plan, &models, cache, progress, &mut output)?;
    output.results.models = models.into_iter().map(|model| model.info).collect();
    output.results.comparison = comparison::compare(&output.results, &mut output.tensors)?;
    Ok(output)
}

/// The networks of a plan that can be loaded, and the failures of the others.
///
/// # Errors
/// If there is none.
fn load_networks(
    plan: &Plan,
    device: Device,
    options: &RunOptions,
    networks: &NetworkCache,
    progress: &dyn Progress,
) -> Result<(Vec<RunModel>, Vec<Failure>)> {
    let (mut models, mut failures) = (Vec::new(), Vec::new());
    let mut first_error = None;
    for planned in &plan.models {
        match load_planned(plan, planned, device, options, networks, progress) {
            Ok(model) => {
                for note in &planned.notes {
                    progress.warn(&format!("{}: {}", planned.id, note.text));
                }
                models.push(model);
            }
            Err(error) => {
                progress.warn(&format!("{}: {}", planned.id, error.full_message()));
                failures.push(run_output::failure(Some(&planned.id), None, None, &error));
                first_error = first_error.or(Some(error));
            }
        }
    }
    match first_error {
        Some(error) if models.is_empty() => Err(error),
        _ => Ok((models, failures)),
    }
}

/// Results without content: the environment and the experiment alone.
fn empty_output(plan: &Plan, device: String) -> RunOutput {
    let results = Results {
        format: 1,
        environment: Environment {
            convscope: env!("CARGO_PKG_VERSION").to_owned(),
            libtorch: LIBTORCH.to_owned(),
            device,
        },
        experiment: plan.experiment.clone(),
        spec: plan.origin.text().to_owned(),
        models: Vec::new(),
        images: Vec::new(),
        collection: None,
        predictions: Vec::new(),
        targets: Vec::new(),
        figures: Vec::new(),
        checks: Vec::new(),
        comparison: None,
        evaluation: None,
        failures: Vec::new(),
    };
    RunOutput {
        results,
        tensors: Tensors::new(),
    }
}
