//! What a network predicts for a photo.

use serde::Serialize;

use super::net::NetView;
use crate::report::words::Words;
use crate::results::{ClassScore, Prediction, Results};

/// How many classes are listed.
const LISTED: usize = 5;

/// A network's prediction for a photo.
#[derive(Debug, Serialize)]
pub struct PredictionView {
    /// The network.
    pub net: NetView,
    /// The most probable classes, the first one first; empty where there is no prediction.
    pub top: Vec<ClassScoreView>,
    /// The true class, where it is not among them.
    pub label: Option<ClassScoreView>,
    /// Whether the first class is the true one, where that is known.
    pub right: Option<bool>,
}

/// A class with its probability.
#[derive(Debug, Serialize)]
pub struct ClassScoreView {
    /// The class's name.
    pub name: String,
    /// 1 for the most probable one.
    pub rank: usize,
    /// The probability in per cent.
    pub percent: String,
    /// Width of its bar in per cent.
    pub bar: f64,
    /// Whether it is the true class.
    pub is_label: bool,
}

impl PredictionView {
    /// The prediction of the network `net` for the image `image`.
    pub fn new(results: &Results, net: &NetView, image: &str, words: &Words) -> PredictionView {
        let prediction = prediction(results, &net.id, image);
        let label = prediction.and_then(|p| p.label.as_ref());
        let score = |scored: &ClassScore| ClassScoreView {
            name: scored.class.name.clone(),
            rank: scored.rank,
            percent: words.percent(f64::from(scored.probability)),
            bar: bar(scored.probability),
            is_label: label.is_some_and(|l| l.class.index == scored.class.index),
        };
        let top = prediction.map_or(&[][..], |p| &p.top).iter();
        let top: Vec<ClassScoreView> = top.take(LISTED).map(score).collect();
        let listed = top.iter().any(|score| score.is_label);
        PredictionView {
            net: net.clone(),
            right: label.map(|l| l.rank == 1),
            label: label.filter(|_| !listed).map(score),
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
