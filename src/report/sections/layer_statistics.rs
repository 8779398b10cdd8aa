//! What the layers' values are like over the collection: silent units, sparsity and effective rank by depth.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::{Content, LayerStatistics};
use crate::report::charts::DEPTH_LABELS;
use crate::report::charts::series_chart::{
    AxisUnit, ChartSeries, SeriesPoint, series_chart, value_range,
};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::net::NetView;
use crate::report::words::Words;

/// The section.
pub const SECTION: Section = Section {
    key: "layer_statistics",
    template: "layer_statistics.html",
    entry: ContentsEntry::Titled("method.layer_statistics"),
    shows_figures: false,
    view,
};

#[derive(Debug, Serialize)]
struct StatisticsView {
    networks: Vec<NetworkView>,
    charts: Vec<ChartView>,
    /// Whether no unit is silent.
    none_dead: bool,
    /// How many images the effective rank is computed from.
    coded: String,
}

#[derive(Debug, Serialize)]
struct ChartView {
    title: String,
    read: String,
    svg: String,
}

/// One network.
#[derive(Debug, Serialize)]
struct NetworkView {
    net: NetView,
    layers: Vec<LayerView>,
}

#[derive(Debug, Serialize)]
struct LayerView {
    name: String,
    units: String,
    dead: String,
    dead_share: String,
    sparsity: String,
    effective_rank: Option<String>,
}

/// A chart: the key of its texts, its unit, and the value of a layer.
type StatisticsChart = (&'static str, AxisUnit, fn(&LayerStatistics) -> Option<f64>);

const CHARTS: [StatisticsChart; 3] = [
    ("dead", AxisUnit::Percent, |layer| Some(dead_share(layer))),
    // A mean over the positions is 0 only where all values are.
    ("sparsity", AxisUnit::Percent, |layer| {
        layer.spatial.then_some(layer.sparsity)
    }),
    ("rank", AxisUnit::Plain, |layer| layer.effective_rank),
];

fn dead_share(layer: &LayerStatistics) -> f64 {
    layer.dead as f64 / layer.units.max(1) as f64
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let words = input.words;
    let mut found: Vec<(usize, &[LayerStatistics])> = Vec::new();
    let mut most = 0;
    for figure in &input.results.figures {
        if let Content::LayerStatistics { layers, coded } = &figure.content
            && let Some(index) = input.nets.iter().position(|net| net.id == figure.model)
        {
            found.push((index, layers));
            most = most.max(*coded);
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    let charts = CHARTS.iter().map(|chart| draw(chart, &found, words));
    let networks = found.iter().map(|(index, layers)| NetworkView {
        net: input.nets[*index].clone(),
        layers: layers
            .iter()
            .map(|layer| layer_view(layer, words))
            .collect(),
    });
    Ok(Some(to_value(&StatisticsView {
        networks: networks.collect(),
        none_dead: found
            .iter()
            .flat_map(|(_, layers)| *layers)
            .all(|layer| layer.dead == 0),
        charts: charts
            .filter_map(Result::transpose)
            .collect::<Result<_>>()?,
        coded: words.integer(most as u64),
    })))
}

/// A chart of all networks; `None` where none has two layers with a value, or all values are 0.
fn draw(
    (key, unit, value): &StatisticsChart,
    found: &[(usize, &[LayerStatistics])],
    words: &Words,
) -> Result<Option<ChartView>> {
    let series: Vec<ChartSeries> = found
        .iter()
        .map(|(network, layers)| {
            let points = layers.iter().filter_map(|layer| {
                Some(SeriesPoint {
                    x: layer.depth,
                    values: vec![value(layer)?],
                    hollow: false,
                })
            });
            ChartSeries {
                network: *network,
                points: points.collect(),
            }
        })
        .collect();
    let range = value_range(&series);
    if series.iter().all(|series| series.points.len() < 2) || range == (0.0, 0.0) {
        return Ok(None);
    }
    let title = words.text(&format!("layer_statistics.{key}"), &[]);
    let svg = series_chart(&series, range, *unit, DEPTH_LABELS, &title, words)?;
    Ok(Some(ChartView {
        read: words.text(&format!("layer_statistics.{key}.read"), &[]),
        title,
        svg,
    }))
}

fn layer_view(layer: &LayerStatistics, words: &Words) -> LayerView {
    LayerView {
        name: layer.layer.clone(),
        units: words.integer(layer.units as u64),
        dead: words.integer(layer.dead as u64),
        dead_share: words.percent_fixed(dead_share(layer), 1),
        sparsity: words.percent_fixed(layer.sparsity, 1),
        effective_rank: layer.effective_rank.map(|rank| words.number(rank)),
    }
}
