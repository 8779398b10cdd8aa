//! What a network's outputs mean: exclusive classes, independent classes, values, or a code.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a network's outputs mean.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// The logits of classes of which one is true: probabilities are their softmax. A single logit is that of the second of
    /// two classes, no and yes: its probability is the sigmoid.
    #[default]
    Classes,
    /// The logits of classes of which several can be true: each probability is a sigmoid.
    MultiLabel,
    /// Values, such as an age: there are no classes and no probabilities.
    Regression,
    /// A vector that describes the image, from a network without a classifier: there are no classes.
    Codes,
}

impl Task {
    /// The names of all tasks, as an experiment has them.
    pub const NAMES: [&str; 4] = ["classes", "multi-label", "regression", "codes"];

    /// The name in an experiment.
    pub fn name(self) -> &'static str {
        match self {
            Task::Classes => "classes",
            Task::MultiLabel => "multi-label",
            Task::Regression => "regression",
            Task::Codes => "codes",
        }
    }

    /// How many classes or values `outputs` outputs stand for.
    pub fn classes(self, outputs: usize) -> usize {
        match self {
            Task::Classes if outputs == 1 => 2,
            Task::Codes => 0,
            _ => outputs,
        }
    }

    /// Whether the outputs are logits, which have probabilities.
    pub fn has_probabilities(self) -> bool {
        matches!(self, Task::Classes | Task::MultiLabel)
    }
}
