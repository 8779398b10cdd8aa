//! The experiment of a single step: one network and at most one method, from values instead of a spec.

use crate::error::Result;
use crate::methods::MethodSpec;
use crate::network::ClassSpec;
use crate::spec::{ExperimentSpec, ModelSpec, validate_values};

/// The experiment of a step, checked as a spec's values are checked.
///
/// # Errors
/// If an option of the model or the method is invalid.
pub(super) fn experiment(
    model: &ModelSpec,
    class: ClassSpec,
    method: Option<MethodSpec>,
) -> Result<ExperimentSpec> {
    let experiment = ExperimentSpec {
        models: vec![model.clone()],
        classes: vec![class],
        methods: method.into_iter().collect(),
        ..ExperimentSpec::new("")
    };
    validate_values(&experiment)?;
    Ok(experiment)
}
