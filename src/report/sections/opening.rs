//! The title, the question, the photos with a map of each network over them, what failed, and what came out.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::report::input::ReportInput;
use crate::report::prediction_summary;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::failure::FailureView;
use crate::report::views::overview::OverviewView;

/// The section.
pub const SECTION: Section = Section {
    key: "opening",
    template: "opening.html",
    entry: ContentsEntry::Absent,
    shows_figures: false,
    view,
};

#[derive(Debug, Serialize)]
struct OpeningView<'a> {
    question: Option<&'a str>,
    /// How many photos there are.
    photos: usize,
    /// How many images the collection has.
    collection: usize,
    /// The experiment's file.
    spec: &'a str,
    failures: Vec<FailureView>,
    /// The photos at a glance.
    overview: Option<OverviewView<'a>>,
    /// What is wrong with the images of the collection that could not be read.
    unreadable: Vec<&'a str>,
    /// What came out, in sentences.
    summary: Vec<String>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let results = input.results;
    let collection = results.collection.as_ref();
    let unreadable = collection.map_or(&[][..], |found| &found.unreadable);
    Ok(Some(to_value(&OpeningView {
        question: results.experiment.question.as_deref(),
        photos: input.photos.len(),
        collection: collection.map_or(0, |found| found.images),
        spec: &results.spec,
        failures: results.failures.iter().map(FailureView::new).collect(),
        overview: OverviewView::new(input)?,
        unreadable: unreadable.iter().map(|image| &*image.message).collect(),
        summary: prediction_summary::sentences(results, input.words),
    })))
}
