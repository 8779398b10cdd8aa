//! How often the networks are right on the collection, whether their probabilities match that, and where they differ.

mod corruptions;
mod galleries;
mod groups;
mod label_issues;
mod models;
mod other_tasks;
mod pairs;
mod slices;

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::Content;
use crate::report::charts::{ChartKind, ChartPlace};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::image_store::{ImageStore, StoredImageView};
use crate::report::views::net::NetView;

use corruptions::{CorruptionsView, corruptions_view};
use galleries::{GalleryView, gallery_views};
use groups::{GroupColumnView, group_columns};
use label_issues::{LabelIssuesView, label_issues_view};
use models::{MatrixView, ModelView, matrix_views, model_view};
use other_tasks::{MultiLabelView, RegressionView, multi_label_views, regression_views};
use pairs::{CombinationView, PairView, combination_views, pair_view};
use slices::{ModelSlicesView, slices_views};

/// The section.
pub const SECTION: Section = Section {
    key: "evaluation",
    template: "evaluation.html",
    entry: ContentsEntry::Titled("nav.evaluation"),
    shows_figures: true,
    view,
};

#[derive(Debug, Default, Serialize)]
struct EvaluationView {
    /// How many labelled images.
    images: String,
    models: Vec<ModelView>,
    /// The networks without an evaluation, each with the reason, and what else is to be known of a network.
    absent: Vec<(NetView, String)>,
    /// The charts as SVG, with the keys of their titles.
    charts: Vec<(&'static str, String)>,
    groups: Vec<GroupColumnView>,
    pairs: Vec<PairView>,
    combinations: Vec<CombinationView>,
    /// What the rows of the matrices are.
    folded: bool,
    matrices: Vec<MatrixView>,
    /// The name of the method whose maps the galleries have.
    attribution: Option<String>,
    galleries: Vec<GalleryView>,
    label_issues: Option<LabelIssuesView>,
    slices: Vec<ModelSlicesView>,
    corruptions: Option<CorruptionsView>,
    multi_label: Vec<MultiLabelView>,
    regression: Vec<RegressionView>,
    stored: Vec<StoredImageView>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let (results, words) = (input.results, input.words);
    let absent = absent(input);
    let Some(evaluation) = &results.evaluation else {
        if absent.is_empty() {
            return Ok(None);
        }
        return Ok(Some(to_value(&EvaluationView {
            images: words.integer(0),
            absent,
            ..EvaluationView::default()
        })));
    };
    let mut charts = Vec::new();
    for kind in ChartKind::ALL {
        let chart = kind.chart();
        if chart.place == ChartPlace::Evaluation && !evaluation.models.is_empty() {
            let svg = (chart.draw)(results, words)?;
            charts.extend(svg.map(|svg| (chart.title, svg)));
        }
    }
    let nets: Vec<&NetView> = (evaluation.models.iter())
        .filter_map(|model| input.nets.iter().find(|net| net.id == model.model))
        .collect();
    let mut store = ImageStore::new("v");
    let galleries = gallery_views(input, evaluation, &nets, &mut store)?;
    let label_issues = label_issues_view(input, evaluation, &mut store)?;
    let slices = slices_views(input, evaluation, &mut store)?;
    let corruptions = corruptions_view(input, evaluation, &mut store)?;
    let models = evaluation.models.iter().zip(&nets);
    let pairs = evaluation.pairs.iter();
    let with_maps = galleries.iter().any(|gallery| gallery.has_maps);
    let attribution = evaluation.attribution.as_ref().filter(|_| with_maps);
    Ok(Some(to_value(&EvaluationView {
        images: words.integer(evaluation.images as u64),
        models: models
            .map(|(model, net)| model_view(model, net, words))
            .collect(),
        absent,
        charts,
        groups: group_columns(evaluation, &nets, words),
        pairs: pairs.filter_map(|pair| pair_view(pair, input)).collect(),
        combinations: combination_views(evaluation, &nets, words),
        folded: models::is_folded(evaluation),
        matrices: matrix_views(evaluation, &nets, words),
        attribution: attribution.map(|method| words.text(&format!("method.{method}"), &[])),
        galleries,
        label_issues,
        slices,
        corruptions,
        multi_label: multi_label_views(input, evaluation),
        regression: regression_views(input, evaluation)?,
        stored: store.stored,
    })))
}

/// The networks that could not be evaluated, each with the reason, and notes on those that could.
fn absent(input: &ReportInput) -> Vec<(NetView, String)> {
    let mut said = Vec::new();
    for figure in input.figures_of("evaluate") {
        let Some((_, net)) = input.net(&figure.model) else {
            continue;
        };
        let reason = match &figure.content {
            Content::Absent { reason } => Some(reason),
            _ => None,
        };
        let notes = reason.into_iter().chain(&figure.notes);
        said.extend(notes.map(|note| (net.clone(), input.words.note(note))));
    }
    said
}
