//! The experiment of a single step: one network and at most one method, from values instead of a spec.

use crate::error::{Error, ErrorKind, Result};
use crate::methods::MethodSpec;
use crate::network::{ClassSpec, selector};
use crate::spec::{Experiment, ModelSpec, is_id};

/// The settings of a step. They get the checks that a spec's values get when it is read.
///
/// # Errors
/// If the model's id can't be part of a key, or a layer selector is malformed.
pub(super) fn experiment(
    model: &ModelSpec,
    class: ClassSpec,
    method: Option<MethodSpec>,
) -> Result<Experiment> {
    if let Some(id) = model.id.as_deref().filter(|id| !is_id(id)) {
        let message = format!(
            "`id` of a model must be letters, digits, `_`, `-` and `.`, not `_` first, got `{id}`"
        );
        return Err(Error::new(ErrorKind::Usage, message));
    }
    if let Some(entry) = &method {
        for layer in entry.method().selectors() {
            selector::check(layer)?;
        }
    }
    Ok(Experiment {
        models: vec![model.clone()],
        classes: vec![class],
        methods: method.into_iter().collect(),
        ..Experiment::new("")
    })
}
