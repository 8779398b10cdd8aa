//! The papers that a report refers to: those of its methods and checks, each once, in the order of their authors.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::CheckSpec;
use crate::methods::MethodSpec;
use crate::results::Results;

/// The papers of every method and check, by key.
pub fn papers() -> BTreeMap<String, Vec<String>> {
    let methods = MethodSpec::all();
    let methods = methods.iter().map(|entry| entry.method().info());
    let checks = CheckSpec::all();
    let checks = checks.iter().map(|entry| entry.check().info());
    let all = methods
        .map(|info| (info.key, info.papers))
        .chain(checks.map(|info| (info.key, info.papers)));
    all.map(|(key, papers)| {
        let papers = papers.iter().map(|paper| (*paper).to_owned());
        (key.to_owned(), papers.collect())
    })
    .collect()
}

/// The papers of the methods and checks in `results`.
pub fn of(results: &Results) -> Vec<String> {
    let figures = results.figures.iter().map(|figure| figure.method.clone());
    let checks = results.experiment.checks.iter();
    let keys: BTreeSet<String> = figures
        .chain(checks.map(|check| check.name().to_owned()))
        .collect();
    let papers = papers();
    let all: BTreeSet<String> = keys
        .iter()
        .filter_map(|key| papers.get(key))
        .flatten()
        .cloned()
        .collect();
    all.into_iter().collect()
}
