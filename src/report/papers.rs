//! The papers that a report rests on: those of its methods and checks, each once, by name.

use std::collections::{BTreeMap, BTreeSet};

use crate::checks::CheckSpec;
use crate::results::Results;

const PAPERS: &str = include_str!("../../templates/papers.yaml");

/// The papers of every method and check, by key.
pub fn papers() -> BTreeMap<String, Vec<String>> {
    // Built in, and a test reads it.
    let mut papers: BTreeMap<String, Vec<String>> =
        serde_yaml::from_str(PAPERS).unwrap_or_default();
    for info in CheckSpec::all().iter().map(|spec| spec.check().info()) {
        let own = info.papers.iter().map(|paper| (*paper).to_owned());
        papers.insert(info.key.to_owned(), own.collect());
    }
    papers
}

/// The papers behind what a report shows, in the order of their authors.
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
