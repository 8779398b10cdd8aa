//! What is explained for an image: the experiment's classes, contrasts and likenesses, as one network has them.

use std::collections::BTreeSet;

use super::model::{Likeness, RunModel};
use crate::error::{Error, Result};
use crate::methods::Target;
use crate::network::{ClassSpec, Task};
use crate::plan::PlannedReference;
use crate::results::Prediction;
use crate::spec::ExperimentSpec;

/// How many classes `predicted` and `label` stand for at most, in a network whose classes are independent.
const AT_MOST: usize = 5;

/// From which probability on a network whose classes are independent predicts a class.
const LIKELY: f32 = 0.5;

impl RunModel {
    /// Computes the codes of the reference images; returns the errors of those that can't be read or have no code.
    pub(super) fn add_likenesses(&mut self, references: &[PlannedReference]) -> Vec<Error> {
        let mut errors = Vec::new();
        for reference in references {
            match self.likeness(reference) {
                Ok(likeness) => self.likenesses.push(likeness),
                Err(error) => errors.push(error),
            }
        }
        errors
    }

    fn likeness(&self, reference: &PlannedReference) -> Result<Likeness> {
        let loaded = &self.loaded;
        let decoded = reference.image.decode()?;
        let view = loaded.preprocess.view_of(&decoded, loaded.channels())?;
        let input = loaded.input_of_views(&[&view])?;
        let node = reference.layers[self.position];
        Ok(Likeness {
            entry: reference.entry,
            sha256: decoded.sha256.clone(),
            target: loaded.likeness_target(&reference.id, node, &input)?,
        })
    }
}

/// What the experiment asks about, each once, in its order. A class that the network doesn't know is left out, as is a
/// contrast of a class with itself.
///
/// # Errors
/// If libtorch fails.
pub(super) fn requested_targets(
    experiment: &ExperimentSpec,
    model: &RunModel,
    prediction: &Prediction,
    labels: &[usize],
) -> Result<Vec<Target>> {
    let loaded = &model.loaded;
    let class_index = |class: &ClassSpec| -> Vec<usize> {
        match class {
            ClassSpec::Predicted => predicted(loaded.task, prediction),
            ClassSpec::Label => labels.iter().take(AT_MOST).copied().collect(),
            ClassSpec::Index(index) => (*index < loaded.labels.len())
                .then_some(*index)
                .into_iter()
                .collect(),
            ClassSpec::Name(name) => loaded.labels.resolve(name).into_iter().collect(),
            ClassSpec::Contrast { .. } | ClassSpec::Like { .. } => Vec::new(),
        }
    };
    let mut seen = BTreeSet::new();
    let mut targets = Vec::new();
    for (entry, class) in experiment.classes.iter().enumerate() {
        let found = match class {
            ClassSpec::Like { .. } => {
                let own = model.likenesses.iter().find(|own| own.entry == entry);
                own.map(|own| own.target.for_model(loaded))
                    .transpose()?
                    .into_iter()
                    .collect()
            }
            ClassSpec::Contrast { a, instead_of } => {
                let first = |class: &ClassSpec| class_index(class).into_iter().next();
                let pair = first(a).zip(first(instead_of)).filter(|(a, b)| a != b);
                let target = |(a, b)| {
                    loaded.contrast_target(loaded.class(a), loaded.class(b), experiment.target)
                };
                pair.map(target).into_iter().collect()
            }
            class => class_index(class)
                .into_iter()
                .map(|index| loaded.target_of_class(loaded.class(index), experiment.target))
                .collect::<Vec<_>>(),
        };
        targets.extend(
            found
                .into_iter()
                .filter(|target| seen.insert(target.info.key())),
        );
    }
    Ok(targets)
}

/// The classes that a network predicts: the most probable one; of independent classes all that are likely, but at least one; of
/// a network without classes its outputs.
fn predicted(task: Task, prediction: &Prediction) -> Vec<usize> {
    let top = prediction.top.iter();
    let count = match task {
        Task::Classes => 1,
        Task::MultiLabel => {
            let likely = |p: Option<f32>| p.is_some_and(|p| p >= LIKELY);
            top.clone()
                .take_while(|score| likely(score.probability))
                .count()
                .max(1)
        }
        Task::Regression => AT_MOST,
        Task::Codes => 0,
    };
    top.take(count).map(|score| score.class.index).collect()
}
