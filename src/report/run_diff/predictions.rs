//! What a network predicts for an image in two runs.

use serde::Serialize;

use super::finished_run::FinishedRun;
use crate::figures::ClassInfo;
use crate::network::Task;
use crate::report::words::Words;
use crate::results::{ModelInfo, Prediction};

/// The predictions of a network for one image.
#[derive(Debug, Serialize)]
pub struct PredictionView {
    model: String,
    rows: Vec<RowView>,
}

/// A class in both runs.
#[derive(Debug, Serialize)]
struct RowView {
    class: String,
    /// Its probability, or the value of an output.
    values: [String; 2],
    change: String,
}

/// The classes that either run has among its first, in the order of the second run's values; `None` for a network without them.
pub fn view(
    runs: [FinishedRun; 2],
    models: &[&ModelInfo; 2],
    image: &str,
    words: &Words,
) -> Option<PredictionView> {
    let of = |side: usize| {
        let mut predictions = runs[side].results.predictions.iter();
        predictions.find(|found| found.model == models[side].id && found.image == image)
    };
    let predictions = [of(0)?, of(1)?];
    let mut classes: Vec<&ClassInfo> = Vec::new();
    for prediction in predictions {
        let scores = prediction
            .top
            .iter()
            .chain(&prediction.label)
            .chain(&prediction.labels);
        for score in scores {
            if classes.iter().all(|known| known.index != score.class.index) {
                classes.push(&score.class);
            }
        }
    }
    let value = |side: usize, class: &ClassInfo| {
        value(
            runs[side],
            models[side].task,
            predictions[side],
            class.index,
        )
    };
    let mut rows: Vec<(&ClassInfo, [Option<f64>; 2])> = classes
        .into_iter()
        .map(|class| (class, [value(0, class), value(1, class)]))
        .collect();
    rows.sort_by(|(_, a), (_, b)| {
        let key = |values: &[Option<f64>; 2]| values[1].unwrap_or(f64::NEG_INFINITY);
        key(b).total_cmp(&key(a))
    });
    let has_shares = models[0].task.has_probabilities();
    let rows = rows.into_iter().map(|(class, values)| {
        let written = values.map(|value| match value {
            Some(value) if has_shares => words.percent_fixed(value, 1),
            Some(value) => words.number(value),
            None => "–".to_owned(),
        });
        let change = match values {
            [Some(a), Some(b)] if has_shares => words.signed(100.0 * (b - a), 1),
            [Some(a), Some(b)] => words.signed(b - a, 3),
            _ => "–".to_owned(),
        };
        RowView {
            class: class.name.clone(),
            values: written,
            change,
        }
    });
    Some(PredictionView {
        model: models[0].id.clone(),
        rows: rows.collect(),
    })
}

/// The probability of a class, or the value of an output, from the stored outputs where it is not among the first.
fn value(run: FinishedRun, task: Task, prediction: &Prediction, index: usize) -> Option<f64> {
    let mut scores = prediction
        .top
        .iter()
        .chain(&prediction.label)
        .chain(&prediction.labels);
    if let Some(score) = scores.find(|score| score.class.index == index) {
        return Some(f64::from(score.probability.unwrap_or(score.logit)));
    }
    let outputs = run.tensors.get(&prediction.tensor)?.floats()?;
    let own = f64::from(*outputs.get(index)?);
    match task {
        Task::Classes if outputs.len() > 1 => {
            let largest = outputs
                .iter()
                .fold(f64::NEG_INFINITY, |max, v| max.max(f64::from(*v)));
            let sum: f64 = outputs
                .iter()
                .map(|v| (f64::from(*v) - largest).exp())
                .sum();
            Some((own - largest).exp() / sum)
        }
        Task::MultiLabel => Some(1.0 / (1.0 + (-own).exp())),
        Task::Regression => Some(own),
        _ => None,
    }
}
