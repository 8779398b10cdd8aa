//! What a network predicts for an image: its classes with their probabilities, or the values of its outputs.

use tch::{Kind, Tensor};

use crate::error::{Error, ErrorKind, Result};
use crate::figures::Array;
use crate::methods::{LoadedModel, to_array};
use crate::network::Task;
use crate::results::{ClassScore, Prediction};

/// How many classes or outputs a prediction lists.
pub(super) const TOP: usize = 5;

/// The prediction from the output `[1, outputs]` for an image whose true classes are `labels`, and the output `[outputs]` to be
/// stored under its key.
///
/// # Errors
/// If a value is not finite, or for a libtorch error.
pub(super) fn predict(
    loaded: &LoadedModel,
    image: &str,
    output: &Tensor,
    labels: &[usize],
) -> Result<(Prediction, Array)> {
    let output = output.detach();
    let array = to_array(&output.f_squeeze_dim(0)?)?;
    if let Some(index) = floats(&array)?.iter().position(|value| !value.is_finite()) {
        let message = format!(
            "the outputs of `{}` must be finite, got {} for output {index}",
            loaded.id,
            floats(&array)?[index]
        );
        return Err(Error::new(ErrorKind::Network, message)
            .help("the weights may belong to another architecture or preprocessing"));
    }
    let scores = scores(loaded, &output)?;
    let mut labels: Vec<ClassScore> = labels
        .iter()
        .filter_map(|label| scores.iter().find(|score| score.class.index == *label))
        .cloned()
        .collect();
    let several = loaded.task == Task::MultiLabel;
    let prediction = Prediction {
        model: loaded.id.clone(),
        image: image.to_owned(),
        label: (!several && !labels.is_empty()).then(|| labels.swap_remove(0)),
        labels: if several { labels } else { Vec::new() },
        top: scores.into_iter().take(TOP).collect(),
        tensor: format!("{}/{image}/logits", loaded.id),
    };
    Ok((prediction, array))
}

/// The classes with their logits and probabilities, the most probable first; of a network without probabilities its outputs,
/// in their order.
fn scores(loaded: &LoadedModel, output: &Tensor) -> Result<Vec<ClassScore>> {
    if loaded.task == Task::Codes {
        return Ok(Vec::new());
    }
    let logits = to_array(&loaded.class_logits(output)?.f_squeeze_dim(0)?)?;
    let values = floats(&logits)?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    let mut probabilities = Vec::new();
    if loaded.task.has_probabilities() {
        order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
        probabilities = floats(&probability_array(loaded, output)?)?.to_vec();
    }
    let score = |(rank, &index): (usize, &usize)| ClassScore {
        class: loaded.class(index),
        rank: rank + 1,
        logit: values[index],
        probability: probabilities.get(index).copied(),
    };
    Ok(order.iter().enumerate().map(score).collect())
}

/// The probabilities of all classes, computed in float64.
fn probability_array(loaded: &LoadedModel, output: &Tensor) -> Result<Array> {
    // The softmax is that of the differences to the largest logit.
    let shifted = match loaded.task {
        Task::Classes if output.size().get(1) != Some(&1) => output.f_sub(&output.f_max()?)?,
        _ => output.shallow_clone(),
    };
    let probabilities = loaded.class_probabilities(&shifted, Kind::Double)?;
    to_array(&probabilities.f_squeeze_dim(0)?)
}

fn floats(array: &Array) -> Result<&[f32]> {
    array
        .floats()
        .ok_or_else(|| Error::new(ErrorKind::Network, "the outputs must be float32"))
}
