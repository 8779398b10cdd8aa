//! The predictions of all networks: a chart of the true classes' probabilities, and a tile for each photo.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::report::charts::{ChartKind, ChartPlace};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::net::NetView;
use crate::report::views::photo::PhotoView;
use crate::report::views::prediction::PredictionView;

/// The section.
pub const SECTION: Section = Section {
    key: "predictions",
    template: "predictions.html",
    entry: ContentsEntry::Titled("nav.predictions"),
    shows_figures: false,
    view,
};

#[derive(Debug, Serialize)]
struct PredictionsView<'a> {
    nets: &'a [NetView],
    /// The charts as SVG, with the keys of their titles.
    charts: Vec<(&'static str, String)>,
    tiles: Vec<PhotoTileView<'a>>,
}

/// A photo with the first choice of each network.
#[derive(Debug, Serialize)]
struct PhotoTileView<'a> {
    photo: &'a PhotoView,
    predictions: Vec<PredictionView>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    if input.photos.is_empty() {
        return Ok(None);
    }
    let (results, words) = (input.results, input.words);
    let mut charts = Vec::new();
    for measure in ChartKind::ALL {
        let chart = measure.chart();
        if chart.place == ChartPlace::Predictions {
            let svg = (chart.draw)(results, words)?;
            charts.extend(svg.map(|svg| (chart.title, svg)));
        }
    }
    let prediction =
        |photo: &PhotoView, net: &NetView| PredictionView::new(results, net, &photo.id, words);
    let tiles = input.photos.iter().map(|photo| PhotoTileView {
        photo,
        predictions: input
            .nets
            .iter()
            .map(|net| prediction(photo, net))
            .collect(),
    });
    Ok(Some(to_value(&PredictionsView {
        nets: &input.nets,
        charts,
        tiles: tiles.collect(),
    })))
}
