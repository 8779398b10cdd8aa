//! On which images two networks, or all of them, are right.

use serde::Serialize;

use crate::figures::{Evaluation, PairEvaluation};
use crate::report::input::ReportInput;
use crate::report::views::net::NetView;
use crate::report::words::Words;

/// Below this p-value McNemar's test calls one network better.
const SIGNIFICANT: f64 = 0.05;

/// Two networks.
#[derive(Debug, Serialize)]
pub(super) struct PairView {
    first: NetView,
    second: NetView,
    images: String,
    /// Both right, only the first, only the second, both wrong.
    shares: [String; 4],
    kappa: String,
    error_consistency: String,
    p: String,
    /// What McNemar's test says.
    verdict: String,
}

/// The images on which the same networks are right.
#[derive(Debug, Serialize)]
pub(super) struct CombinationView {
    /// For each network whether it is right.
    right: Vec<bool>,
    images: String,
    bar: f64,
}

/// The view of two networks.
pub(super) fn pair_view(pair: &PairEvaluation, input: &ReportInput) -> Option<PairView> {
    let words = input.words;
    let net = |id: &String| input.nets.iter().find(|net| net.id == *id).cloned();
    let (first, second) = (net(&pair.models[0])?, net(&pair.models[1])?);
    let shares = [
        pair.both_right,
        pair.only_first,
        pair.only_second,
        pair.both_wrong,
    ];
    let measure =
        |value: Option<f64>| value.map_or("–".to_owned(), |value| words.signed(value, 2));
    let better = if pair.only_first > pair.only_second {
        &first
    } else {
        &second
    };
    let verdict = if pair.mcnemar_p < SIGNIFICANT {
        words.text("evaluation.better", &[("network", &better.id)])
    } else {
        words.text("evaluation.no_better", &[])
    };
    Some(PairView {
        images: words.integer(pair.images as u64),
        shares: shares.map(|share| words.percent_fixed(share, 1)),
        kappa: measure(pair.kappa),
        error_consistency: measure(pair.error_consistency),
        p: words.number(pair.mcnemar_p),
        verdict,
        first,
        second,
    })
}

/// The combinations of networks that are right together.
pub(super) fn combination_views(
    evaluation: &Evaluation,
    nets: &[&NetView],
    words: &Words,
) -> Vec<CombinationView> {
    let largest = evaluation.combinations.iter().map(|found| found.images);
    let largest = largest.max().unwrap_or(1).max(1);
    let combinations = evaluation.combinations.iter().map(|found| CombinationView {
        right: nets
            .iter()
            .map(|net| found.models.contains(&net.id))
            .collect(),
        images: words.integer(found.images as u64),
        bar: (found.images as f64 / largest as f64 * 1000.0).round() / 10.0,
    });
    combinations.collect()
}
