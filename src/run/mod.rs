//! Carries out a plan: networks, images, methods, checks, the pass over the collection, the comparison.
//!
//! ```text
//! plan ─┬─► models (loaded, or from the network cache) ─┐
//!       ├─► images: image by image, network by network ─┼─► output
//!       └─► collection: batch by batch, all networks ───┘
//! ```
//!
//! What fails (a weight file, an image, a method) is recorded as a [`Failure`](crate::results::Failure); the rest of the run
//! continues.

mod collection;
mod comparison;
mod device;
mod evaluation;
mod fingerprint;
mod image_views;
mod images_pass;
mod load_weights;
mod map_checks;
mod model;
mod model_info;
mod model_on_image;
mod network_cache;
mod network_methods;
mod options;
mod prediction;
mod result_cache;
mod run_output;
mod stored_tensor;
mod target_mask;
mod targets;

use crate::error::Result;
use crate::figures::Tensors;
use crate::plan::Plan;
use crate::progress::Progress;
use crate::results::{Environment, Results};
use crate::spec::SpecFile;

use device::require_device;
use model::load_planned;
use result_cache::ResultCache;

pub use device::device_name;
pub use model::{RunModel, load_model};
pub use network_cache::NetworkCache;
pub use options::RunOptions;
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
/// If no network could be loaded or no image could be read. Every other failure is recorded in the results.
pub fn run(
    plan: &Plan,
    options: &RunOptions,
    networks: &NetworkCache,
    progress: &dyn Progress,
) -> Result<RunOutput> {
    let device = require_device(options.device)?;
    let mut output = empty_output(plan, device_name(device));
    let mut models = Vec::new();
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
                let failure = run_output::failure(Some(&planned.id), None, None, &error);
                output.results.failures.push(failure);
                first_error = first_error.or(Some(error));
            }
        }
    }
    if let (true, Some(error)) = (models.is_empty(), first_error) {
        return Err(error);
    }
    let cache = options.cache()?;
    let cache = options.cached.then(|| ResultCache::new(&cache));
    for model in &mut models {
        for error in model.add_likenesses(&plan.references) {
            progress.warn(&format!("{}: {}", model.loaded.id, error.full_message()));
            let failure = run_output::failure(Some(&model.loaded.id), None, None, &error);
            output.results.failures.push(failure);
        }
    }
    for model in &models {
        output.add(network_methods::run_network(
            &plan.experiment,
            model,
            progress,
        ));
    }
    images_pass::run_images(plan, &mut models, cache.as_ref(), progress, &mut output)?;
    let interval = options.checkpoint_interval;
    collection::run_collection(
        plan,
        &models,
        cache.as_ref(),
        interval,
        progress,
        &mut output,
    )?;
    output.results.evaluation = evaluation::evaluate(plan, &output.results, &mut output.tensors)?;
    output.results.models = models.into_iter().map(|model| model.info).collect();
    output.results.comparison = comparison::compare(&output.results, &mut output.tensors)?;
    Ok(output)
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
