//! What a network predicts for a photo.

use serde::Serialize;

use super::net::NetView;
use crate::network::Task;
use crate::report::words::Words;
use crate::results::{ClassScore, Prediction, Results};

/// How many classes are listed.
const LISTED: usize = 5;

/// A network's prediction for a photo.
#[derive(Debug, Serialize)]
pub struct PredictionView {
    /// The network.
    pub net: NetView,
    /// What the table lists.
    pub caption: String,
    /// The most probable classes, the first one first; empty where there is no prediction.
    pub top: Vec<ClassScoreView>,
    /// The true classes that are not among them.
    pub labels: Vec<ClassScoreView>,
    /// Whether the first class is the true one, where that is known and one class is true.
    pub right: Option<bool>,
}

/// A class with its probability.
#[derive(Debug, Serialize)]
pub struct ClassScoreView {
    /// The class's name.
    pub name: String,
    /// 1 for the most probable one.
    pub rank: usize,
    /// The probability in per cent; the value of an output that is no class.
    pub percent: String,
    /// Width of its bar in per cent, of a class.
    pub bar: Option<f64>,
    /// Whether it is the true class.
    pub is_label: bool,
}

impl PredictionView {
    /// The prediction of the network `net` for the image `image`.
    pub fn new(results: &Results, net: &NetView, image: &str, words: &Words) -> PredictionView {
        let prediction = prediction(results, &net.id, image);
        let label = prediction.and_then(|p| p.label.as_ref());
        let several = prediction.map_or(&[][..], |p| &p.labels);
        let is_label = |scored: &ClassScore| {
            let mut labels = label.into_iter().chain(several);
            labels.any(|label| label.class.index == scored.class.index)
        };
        let score = |scored: &ClassScore| ClassScoreView {
            name: scored.class.name.clone(),
            rank: scored.rank,
            percent: match scored.probability {
                Some(probability) => words.percent(f64::from(probability)),
                None => words.number(f64::from(scored.logit)),
            },
            bar: scored.probability.map(bar),
            is_label: is_label(scored),
        };
        let top = prediction.map_or(&[][..], |p| &p.top).iter();
        let top: Vec<ClassScoreView> = top.take(LISTED).map(score).collect();
        let is_listed = |label: &&ClassScore| top.iter().any(|score| score.rank == label.rank);
        let labels = label.into_iter().chain(several);
        let caption = match results.task(&net.id) {
            Task::Regression => "predictions.outputs",
            _ => "predictions.caption",
        };
        PredictionView {
            caption: words.text(caption, &[("network", &net.id), ("photo", image)]),
            net: net.clone(),
            right: label.map(|l| l.rank == 1),
            labels: labels.filter(|l| !is_listed(l)).map(score).collect(),
            top,
        }
    }
}

/// The prediction of `model` for `image`.
pub fn prediction<'a>(results: &'a Results, model: &str, image: &str) -> Option<&'a Prediction> {
    let mut all = results.predictions.iter();
    all.find(|p| p.model == model && p.image == image)
}

/// The width of a probability's bar: per cent with one decimal.
pub fn bar(probability: f32) -> f64 {
    (f64::from(probability) * 1000.0).round() / 10.0
}
