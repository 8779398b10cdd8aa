//! What a run computes, as a whole and in parts.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::figures::{CheckedMap, Figure, Tensors};
use crate::results::{ExplainedValue, Failure, Prediction, Results};

/// The results of a run, in memory.
#[derive(Debug)]
pub struct RunOutput {
    /// What was run, and every scalar.
    pub results: Results,
    /// Every map and matrix, by its key.
    pub tensors: Tensors,
}

/// The results of one network, of one network on one image, or of one method on the collection: a unit of the result
/// cache.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct PartialResults {
    pub(super) prediction: Option<Prediction>,
    pub(super) figures: Vec<Figure>,
    #[serde(default)]
    pub(super) targets: Vec<ExplainedValue>,
    #[serde(default)]
    pub(super) checks: Vec<CheckedMap>,
    pub(super) failures: Vec<Failure>,
    #[serde(skip)]
    pub(super) tensors: Tensors,
}

impl RunOutput {
    /// Adds the results of a part.
    pub(super) fn add(&mut self, part: PartialResults) {
        self.results.predictions.extend(part.prediction);
        self.results.targets.extend(part.targets);
        self.results.figures.extend(part.figures);
        self.results.checks.extend(part.checks);
        self.results.failures.extend(part.failures);
        self.tensors.extend(part.tensors);
    }
}

/// The record of an error, with the ids of the model and the image and the name of the method that it concerns.
pub(super) fn failure(
    model: Option<&str>,
    image: Option<&str>,
    method: Option<&str>,
    error: &Error,
) -> Failure {
    Failure {
        model: model.map(str::to_owned),
        image: image.map(str::to_owned),
        method: method.map(str::to_owned),
        message: error.full_message(),
        help: error.help_text().map(str::to_owned),
    }
}
