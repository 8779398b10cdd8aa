//! The prediction of a network for an image, and the classes that methods are asked about.

use std::collections::BTreeSet;

use tch::{Kind, Tensor};

use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, ClassInfo};
use crate::methods::{LoadedModel, to_array};
use crate::network::ClassSpec;
use crate::results::{ClassScore, Prediction};

/// How many classes a prediction lists.
const TOP: usize = 5;

/// The prediction from the logits `[1, classes]` of an image whose true class is `label`, and the logits `[classes]`
/// to be stored under its key.
///
/// # Errors
/// If a logit is not finite, or for a libtorch error.
pub(super) fn predict(
    loaded: &LoadedModel,
    image: &str,
    logits: &Tensor,
    label: Option<usize>,
) -> Result<(Prediction, Array)> {
    let logits = logits.f_squeeze_dim(0)?;
    let array = to_array(&logits)?;
    let values = floats(&array)?;
    if let Some(class) = values.iter().position(|logit| !logit.is_finite()) {
        let message = format!(
            "the logits of `{}` must be finite, got {} for class {class}",
            loaded.id, values[class]
        );
        return Err(Error::new(ErrorKind::Network, message)
            .help("the weights may belong to another architecture or preprocessing"));
    }
    let probabilities = softmax(&logits)?;
    let probabilities = floats(&probabilities)?;
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[b].total_cmp(&values[a]).then(a.cmp(&b)));
    let score = |rank: usize| ClassScore {
        class: loaded.class(order[rank]),
        rank: rank + 1,
        logit: values[order[rank]],
        probability: probabilities[order[rank]],
    };
    let label = label.and_then(|label| order.iter().position(|&class| class == label));
    let prediction = Prediction {
        model: loaded.id.clone(),
        image: image.to_owned(),
        top: (0..TOP.min(order.len())).map(score).collect(),
        label: label.map(score),
        tensor: format!("{}/{image}/logits", loaded.id),
    };
    Ok((prediction, array))
}

/// The classes that the experiment asks about, each once, in its order. A class that the network doesn't know is left
/// out.
pub(super) fn requested_classes(
    classes: &[ClassSpec],
    loaded: &LoadedModel,
    prediction: &Prediction,
    label: Option<usize>,
) -> Vec<ClassInfo> {
    let labels = &loaded.labels;
    let mut seen = BTreeSet::new();
    let indices = classes.iter().filter_map(|class| match class {
        ClassSpec::Predicted => prediction.top.first().map(|top| top.class.index),
        ClassSpec::Label => label,
        ClassSpec::Index(index) => (*index < labels.len()).then_some(*index),
        ClassSpec::Name(name) => labels.resolve(name).ok(),
    });
    indices
        .filter(|index| seen.insert(*index))
        .map(|index| loaded.class(index))
        .collect()
}

/// The softmax of the logits, in float64: of their differences to the largest one.
fn softmax(logits: &Tensor) -> Result<Array> {
    let logits = logits.detach();
    let differences = logits.f_sub(&logits.f_max()?)?;
    to_array(&differences.f_softmax(-1, Kind::Double)?)
}

fn floats(array: &Array) -> Result<&[f32]> {
    array
        .floats()
        .ok_or_else(|| Error::new(ErrorKind::Network, "the logits must be float32"))
}
