//! Checks that the classes of an experiment exist: each must be a class of at least one of its networks.

use std::collections::BTreeSet;

use super::models::PlannedModel;
use super::planned_image::{FileLine, ImageLabel, PlannedImage};
use super::spec_origin::Origin;
use crate::error::{Error, Mistakes, Result};
use crate::network::ClassSpec;
use crate::network::labels::Labels;
use crate::spec::{ExperimentSpec, PathStep};

/// Checks the experiment's `classes`, and those in its methods' options.
///
/// # Errors
/// For all classes that no network has.
pub(super) fn check_classes(
    experiment: &ExperimentSpec,
    models: &[PlannedModel],
    origin: &Origin,
) -> Result<()> {
    let mut mistakes = Mistakes::default();
    for (index, class) in experiment.classes.iter().enumerate() {
        let entry = [PathStep::Key("classes"), PathStep::Index(index)];
        let located = match class {
            ClassSpec::Contrast { a, instead_of } => {
                vec![(&**a, Some("a")), (&**instead_of, Some("instead_of"))]
            }
            class => vec![(class, None)],
        };
        for (class, key) in located {
            let path = [
                &entry[..],
                &key.map(PathStep::Key).into_iter().collect::<Vec<_>>(),
            ]
            .concat();
            let checked = require_named(class, models);
            mistakes.add(checked.map_err(|error| origin.locate(&path, error)))?;
        }
    }
    for (index, entry) in experiment.methods.iter().enumerate() {
        let path = [
            PathStep::Key("methods"),
            PathStep::Index(index),
            PathStep::Key(entry.name()),
        ];
        for class in entry.method().classes() {
            let checked = require_known(&class, models);
            mistakes.add(checked.map_err(|error| origin.locate(&path, error)))?;
        }
    }
    mistakes.into_result()
}

/// Checks the true classes that the entries of `list` (`images`, `collection`) name.
///
/// # Errors
/// For the first class that no network has.
pub(super) fn check_labels(
    list: &'static str,
    images: &[PlannedImage],
    models: &[PlannedModel],
    origin: &Origin,
) -> Result<()> {
    let mut mistakes = Mistakes::default();
    // Large collections have few classes.
    let mut known = BTreeSet::new();
    for image in images {
        for label in &image.labels {
            let ImageLabel::Named(label) = label else {
                continue;
            };
            if !known.insert(label) {
                continue;
            }
            let checked = require_known(label, models).map_err(|error| {
                let entry = [PathStep::Key(list), PathStep::Index(image.entry)];
                match &image.label_line {
                    None => origin.locate(&[&entry[..], &[PathStep::Key("class")]].concat(), error),
                    Some(FileLine { file, line }) => {
                        let place = format!("line {line} of {}", file.display());
                        let help = error.help_text().map(str::to_owned);
                        let error =
                            Error::new(error.kind(), format!("{place}: {}", error.message()));
                        match help {
                            Some(help) => error.help(help),
                            None => error,
                        }
                    }
                }
            });
            match checked {
                // A CSV with other classes has as many mistakes as rows.
                Err(error) if !error.has_position() => {
                    mistakes.add(Err(error))?;
                    return mistakes.into_result();
                }
                checked => mistakes.add(checked)?,
            }
        }
    }
    mistakes.into_result()
}

/// Fails unless a network has the class that the spec names, if it names one.
fn require_named(class: &ClassSpec, models: &[PlannedModel]) -> Result<()> {
    match class {
        ClassSpec::Index(index) => require(models, |labels| labels.by_index(&index.to_string())),
        ClassSpec::Name(name) => require_known(name, models),
        _ => Ok(()),
    }
}

/// Fails unless a network has the class.
fn require_known(class: &str, models: &[PlannedModel]) -> Result<()> {
    require(models, |labels| labels.resolve(class))
}

/// Fails with the first network's error unless `find` finds the class among those of a network.
fn require(models: &[PlannedModel], find: impl Fn(&Labels) -> Result<usize>) -> Result<()> {
    let mut first_error = None;
    for model in models {
        match find(&model.labels) {
            Ok(_) => return Ok(()),
            Err(error) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(()), Err)
}
