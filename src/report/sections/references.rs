//! The papers of the methods and checks that a report shows, each once, by its authors.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::Value;

use crate::checks::CheckSpec;
use crate::error::Result;
use crate::methods::MethodSpec;
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};

/// The section.
pub const SECTION: Section = Section {
    key: "references",
    template: "references.html",
    entry: ContentsEntry::Titled("nav.references"),
    shows_figures: false,
    view,
};

/// The papers of every method and check, by key.
pub fn papers() -> BTreeMap<&'static str, &'static [&'static str]> {
    let methods = MethodSpec::all();
    let methods = methods.iter().map(|spec| spec.method().info());
    let checks = CheckSpec::all();
    let checks = checks.iter().map(|spec| spec.check().info());
    methods
        .map(|info| (info.key, info.papers))
        .chain(checks.map(|info| (info.key, info.papers)))
        .collect()
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let methods = input.figures.iter().map(|figure| figure.method.as_str());
    let checks = input.results.experiment.checks.iter();
    let keys: BTreeSet<&str> = methods.chain(checks.map(|check| check.name())).collect();
    let papers = papers();
    let used: BTreeSet<&str> = keys
        .iter()
        .filter_map(|key| papers.get(*key))
        .flat_map(|papers| papers.iter().copied())
        .collect();
    Ok((!used.is_empty()).then(|| to_value(&used)))
}
