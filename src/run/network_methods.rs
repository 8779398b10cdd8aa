//! What the methods compute of a network alone.

use super::model::RunModel;
use super::run_output::{PartialResults, failure};
use crate::methods::MethodOutput;
use crate::progress::Progress;
use crate::spec::ExperimentSpec;

/// Runs every method on a network without an image.
pub(super) fn run_network(
    experiment: &ExperimentSpec,
    model: &RunModel,
    progress: &dyn Progress,
) -> PartialResults {
    let mut results = PartialResults::default();
    let id = &model.loaded.id;
    for (entry, layers) in experiment.methods.iter().zip(&model.layers) {
        let Some(method) = entry.method().for_network() else {
            continue;
        };
        let name = entry.name();
        let mut output = MethodOutput::default();
        tracing::debug!(model = id, method = name, "network");
        match method.network_figures(&model.loaded, layers, &mut output) {
            Ok(()) => {
                results.figures.extend(output.figures);
                results.tensors.extend(output.tensors);
            }
            Err(error) => {
                progress.warn(&format!("{id}: {name}: {}", error.full_message()));
                let failure = failure(Some(id), None, Some(name), &error);
                results.failures.push(failure);
            }
        }
    }
    results
}
