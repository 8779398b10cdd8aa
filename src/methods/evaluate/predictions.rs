//! What a network predicts for labelled images, by its task.

use tch::{Kind, Tensor};

use super::rows::Rows;
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{CollectionImage, LoadedModel, to_floats};
use crate::network::Task;

/// How many of the most probable classes are kept of an image.
pub(super) const KEPT: usize = 5;

/// The values of all images of a batch, row by row, and how many each has.
///
/// # Errors
/// If one is not finite, or libtorch fails.
pub(super) fn finite_rows(model: &LoadedModel, values: &Tensor) -> Result<(Vec<f32>, usize)> {
    let width = values.size().last().map_or(1, |&width| width.max(1)) as usize;
    let values = to_floats(values)?;
    if let Some(at) = values.iter().position(|value| !value.is_finite()) {
        let message = format!(
            "the outputs of `{}` must be finite, got {} for output {}",
            model.id,
            values[at],
            at % width
        );
        return Err(Error::new(ErrorKind::Network, message)
            .help("the weights may belong to another architecture or preprocessing"));
    }
    Ok((values, width))
}

/// The rank of a class among `logits`, from 1. Equal logits are in the order of their classes, as in the predictions of single images.
pub(super) fn rank(logits: &[f32], class: usize) -> usize {
    let own = logits[class];
    let above =
        |(other, logit): &(usize, &f32)| **logit > own || (**logit == own && *other < class);
    1 + logits.iter().enumerate().filter(above).count()
}

/// Whether an evaluation counts this image: it has a true class, or classes, that the network knows, or a true value for each output.
pub(super) fn is_labelled(
    model: &LoadedModel,
    columns: &[String],
    image: &CollectionImage,
) -> bool {
    match model.task {
        Task::Classes => image.label.is_some(),
        Task::MultiLabel => !image.labels.is_empty(),
        Task::Regression => true_values(model, columns, image).is_some(),
        Task::Codes => false,
    }
}

/// Adds what the network predicts for an image: the image's index, and
/// - of classes the true one, its rank, its probability, and the most probable ones each with its probability;
/// - of independent classes all logits, then 1 for each class that the image has and 0 for the others;
/// - of a regression the true values, then the outputs.
pub(super) fn push_prediction(
    rows: &mut Rows,
    model: &LoadedModel,
    columns: &[String],
    (index, image): (usize, &CollectionImage),
    (logits, probabilities): (&[f32], &[f32]),
) {
    let mut row = vec![index as f32];
    match model.task {
        Task::Classes => {
            let label = image.label.as_ref().map(|label| label.index);
            let Some(label) = label.filter(|label| *label < logits.len()) else {
                return;
            };
            row.extend([
                label as f32,
                rank(logits, label) as f32,
                probabilities[label],
            ]);
            for class in likeliest(logits) {
                row.extend([class as f32, probabilities[class]]);
            }
        }
        Task::MultiLabel => {
            row.extend(logits);
            row.extend(
                (0..logits.len()).map(|class| f32::from(u8::from(image.labels.contains(&class)))),
            );
        }
        Task::Regression => {
            row.extend(true_values(model, columns, image).unwrap_or_default());
            row.extend(logits);
        }
        Task::Codes => return,
    }
    rows.push(&row);
}

/// The classes with the largest logits, largest first.
fn likeliest(logits: &[f32]) -> Vec<usize> {
    let mut classes: Vec<usize> = (0..logits.len()).collect();
    let order = |a: &usize, b: &usize| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b));
    if classes.len() > KEPT {
        classes.select_nth_unstable_by(KEPT - 1, order);
        classes.truncate(KEPT);
    }
    classes.sort_unstable_by(order);
    classes
}

/// The probabilities of all classes, `[N, classes]`, computed in float64; the logits where there are none.
///
/// # Errors
/// If libtorch fails.
pub(super) fn probabilities(model: &LoadedModel, output: &Tensor) -> Result<Vec<f32>> {
    match model.task {
        Task::Classes => to_floats(&model.class_probabilities(output, Kind::Double)?),
        _ => Ok(vec![0.0; output.numel()]),
    }
}

/// The true values of an image, one for each output, from the columns of its CSV: `columns`, or those with the outputs' names,
/// or, for one output, `value`. `None` unless all are numbers.
fn true_values(
    model: &LoadedModel,
    columns: &[String],
    image: &CollectionImage,
) -> Option<Vec<f32>> {
    let outputs = model.labels.len();
    let number = |column: &str| {
        let mut groups = image.groups.iter();
        let (_, text) = groups.find(|(name, _)| **name == *column)?;
        text.parse::<f32>().ok().filter(|value| value.is_finite())
    };
    if !columns.is_empty() {
        let values: Option<Vec<f32>> = columns.iter().map(|column| number(column)).collect();
        return values.filter(|values| values.len() == outputs);
    }
    let named: Option<Vec<f32>> = (0..outputs)
        .map(|output| number(&model.labels.name(output)))
        .collect();
    named.or_else(|| {
        let value = number("value").filter(|_| outputs == 1)?;
        Some(vec![value])
    })
}
