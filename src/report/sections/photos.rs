//! A section for each photo: the predictions, then the methods as rows and the networks as columns.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::cell::CellRenderer;
use crate::report::views::failure::FailureView;
use crate::report::views::image_store::StoredImageView;
use crate::report::views::method::method_title;
use crate::report::views::method_rows::{FigureRowView, METHODS_WITH_SECTION, method_rows};
use crate::report::views::photo::{PhotoView, drawn_from, seen_parts};
use crate::report::views::prediction::PredictionView;

/// The sections, one for each photo.
pub const SECTION: Section = Section {
    key: "photos",
    template: "photos.html",
    entry: ContentsEntry::Photos,
    shows_figures: true,
    view,
};

#[derive(Debug, Serialize)]
struct PhotoSectionView<'a> {
    #[serde(flatten)]
    photo: &'a PhotoView,
    source: &'a str,
    width: u32,
    height: u32,
    /// How its picture was drawn, where that needs words.
    drawn: Option<String>,
    /// What each network sees of it, where they see different parts.
    seen: Vec<String>,
    predictions: Vec<PredictionView>,
    methods: Vec<MethodRowsView>,
    failures: Vec<FailureView>,
    stored: Vec<StoredImageView>,
}

/// The figures of one method.
#[derive(Debug, Serialize)]
struct MethodRowsView {
    key: String,
    name: String,
    rows: Vec<FigureRowView>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    if input.photos.is_empty() {
        return Ok(None);
    }
    let mut photos = Vec::new();
    for index in 0..input.photos.len() {
        photos.push(photo(input, index)?);
    }
    Ok(Some(to_value(&photos)))
}

fn photo<'a>(input: &'a ReportInput, index: usize) -> Result<PhotoSectionView<'a>> {
    let (photo, image) = (&input.photos[index], &input.results.images[index]);
    let predictions = input
        .nets
        .iter()
        .map(|net| PredictionView::new(input.results, net, &image.id, input.words))
        .collect();
    let store = photo.store(image, input.tensors)?;
    let mut renderer = CellRenderer::new(input, index, store);
    let mut methods: Vec<MethodRowsView> = Vec::new();
    let figures = input.figures.iter();
    for figure in figures.filter(|figure| figure.image.as_ref() == Some(&image.id)) {
        let key = &figure.method;
        if METHODS_WITH_SECTION.contains(&key.as_str())
            || methods.iter().any(|rows| rows.key == *key)
        {
            continue;
        }
        methods.push(MethodRowsView {
            key: key.clone(),
            name: method_title(key, input.words),
            rows: method_rows(&mut renderer, key)?,
        });
    }
    let failures = input.results.failures.iter();
    Ok(PhotoSectionView {
        photo,
        source: &image.source,
        width: image.width,
        height: image.height,
        drawn: drawn_from(image, input.words),
        seen: seen_parts(image, input.words),
        predictions,
        methods,
        failures: failures
            .filter(|failure| failure.image.as_ref() == Some(&image.id))
            .map(FailureView::new)
            .collect(),
        stored: renderer.into_store().stored,
    })
}
