//! Checks that the classes of an experiment exist: each must be a class of at least one of its networks.

use std::collections::BTreeSet;

use super::models::PlannedModel;
use super::planned_image::{FileLine, ImageLabel, PlannedImage};
use super::spec_origin::Origin;
use crate::error::{Error, Result};
use crate::network::ClassSpec;
use crate::spec::{ExperimentSpec, PathStep};

/// Checks the experiment's `classes`, and those in its methods' options.
///
/// # Errors
/// For the first class that no network has.
pub(super) fn check_classes(
    experiment: &ExperimentSpec,
    models: &[PlannedModel],
    origin: &Origin,
) -> Result<()> {
    for (index, class) in experiment.classes.iter().enumerate() {
        let entry = [PathStep::Key("classes"), PathStep::Index(index)];
        let located = match class {
            ClassSpec::Contrast { a, instead_of } => vec![(a, "a"), (instead_of, "instead_of")],
            class => {
                require_named(class, models).map_err(|error| origin.locate(&entry, error))?;
                continue;
            }
        };
        for (class, key) in located {
            let path = [&entry[..], &[PathStep::Key(key)]].concat();
            require_named(class, models).map_err(|error| origin.locate(&path, error))?;
        }
    }
    for (index, entry) in experiment.methods.iter().enumerate() {
        for class in entry.method().classes() {
            require_known(&class, models).map_err(|error| {
                let path = [
                    PathStep::Key("methods"),
                    PathStep::Index(index),
                    PathStep::Key(entry.name()),
                ];
                origin.locate(&path, error)
            })?;
        }
    }
    Ok(())
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
            require_known(label, models).map_err(|error| {
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
            })?;
        }
    }
    Ok(())
}

/// Fails unless a network has the class that the spec names, if it names one.
fn require_named(class: &ClassSpec, models: &[PlannedModel]) -> Result<()> {
    match class {
        ClassSpec::Index(index) => require_known(&index.to_string(), models),
        ClassSpec::Name(name) => require_known(name, models),
        _ => Ok(()),
    }
}

/// Fails unless a network has the class, or may have it after its weight file is read.
fn require_known(class: &str, models: &[PlannedModel]) -> Result<()> {
    let mut first_error = None;
    for model in models {
        match model.labels.as_ref().map(|labels| labels.resolve(class)) {
            None | Some(Ok(_)) => return Ok(()),
            Some(Err(error)) => first_error = first_error.or(Some(error)),
        }
    }
    first_error.map_or(Ok(()), Err)
}
