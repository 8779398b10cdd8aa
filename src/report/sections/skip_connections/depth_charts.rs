//! A value of every residual block over the depth, in groups of charts by question.

use serde::Serialize;

use super::ablations::{NetworkCuts, PhotoCuts};
use crate::error::Result;
use crate::figures::{Quantity, ResidualBlock};
use crate::report::charts::DEPTH_LABELS;
use crate::report::charts::series_chart::{AxisUnit, ChartSeries, series_chart, value_range};
use crate::report::words::Words;

/// Charts about one question.
#[derive(Debug, Serialize)]
pub struct ChartGroupView {
    title: String,
    read: String,
    /// (title, SVG)
    charts: Vec<(String, String)>,
}

/// A chart: the key of its title below `shortcuts`, its unit, and the value of a block.
type BlockChart = (
    &'static str,
    AxisUnit,
    fn(&PhotoCuts, &ResidualBlock) -> Option<f64>,
);

const CUTS: &[BlockChart] = &[
    ("lost_branch", AxisUnit::PercentagePoints, |cuts, block| {
        cuts.lost(&block.without_branch)
    }),
    (
        "lost_shortcut",
        AxisUnit::PercentagePoints,
        |cuts, block| cuts.lost(&block.without_shortcut),
    ),
    ("logit_branch", AxisUnit::Plain, |cuts, block| {
        Some(f64::from(cuts.value - block.without_branch.value))
    }),
    ("logit_shortcut", AxisUnit::Plain, |cuts, block| {
        Some(f64::from(cuts.value - block.without_shortcut.value))
    }),
];

const SIDES: &[BlockChart] = &[
    ("ratio", AxisUnit::Plain, |_, block| {
        block.norm_ratio.map(f64::from)
    }),
    ("cosine", AxisUnit::Plain, |_, block| {
        block.cosine.map(f64::from)
    }),
];

const GRADIENT: &[BlockChart] = &[
    ("share_picture", AxisUnit::Percent, |_, block| {
        block.input_gradient.map(|g| f64::from(g.shortcut))
    }),
    ("share_block", AxisUnit::Percent, |_, block| {
        block.gradient.map(|g| f64::from(g.shortcut))
    }),
];

/// The charts of all networks.
///
/// # Errors
/// If one can't be drawn.
pub fn chart_groups(networks: &[NetworkCuts], words: &Words) -> Result<Vec<ChartGroupView>> {
    Ok(vec![
        group("cuts", CUTS, 2, networks, words)?,
        group("sides", SIDES, 1, networks, words)?,
        group("gradient", GRADIENT, 2, networks, words)?,
    ])
}

/// One group; so many charts in a row as `shared` have one scale.
fn group(
    key: &str,
    charts: &[BlockChart],
    shared: usize,
    networks: &[NetworkCuts],
    words: &Words,
) -> Result<ChartGroupView> {
    let mut views = Vec::new();
    for charts in charts.chunks(shared) {
        let all: Vec<Vec<ChartSeries>> = charts
            .iter()
            .map(|(_, _, value)| {
                networks
                    .iter()
                    .map(|network| network.series(value))
                    .collect()
            })
            .collect();
        let range = value_range(all.iter().flatten());
        for ((name, unit, _), series) in charts.iter().zip(&all) {
            let mut points = series.iter().flat_map(|series| &series.points);
            if points.all(|point| point.values.is_empty()) {
                continue;
            }
            let key = match name.strip_prefix("logit_") {
                Some(path) if !explains_logits(networks) => format!("shortcuts.value_{path}"),
                _ => format!("shortcuts.{name}"),
            };
            let title = words.text(&key, &[]);
            let alt = alt(&title, networks, series, *unit, words);
            let svg = series_chart(series, range, *unit, DEPTH_LABELS, &alt, words)?;
            views.push((title, svg));
        }
    }
    Ok(ChartGroupView {
        title: words.text(&format!("shortcuts.{key}.title"), &[]),
        read: words.text(&format!("shortcuts.{key}.read"), &[]),
        charts: views,
    })
}

/// Whether all values are logits.
fn explains_logits(networks: &[NetworkCuts]) -> bool {
    let mut photos = networks.iter().flat_map(|network| &network.photos);
    photos.all(|photo| photo.quantity == Quantity::Logit)
}

/// A chart in words: where each network's line is lowest and highest.
fn alt(
    title: &str,
    networks: &[NetworkCuts],
    all: &[ChartSeries],
    unit: AxisUnit,
    words: &Words,
) -> String {
    let format = |value: f64| match unit {
        AxisUnit::Plain => words.number(value),
        AxisUnit::Percent => words.percent(value),
        AxisUnit::PercentagePoints => words.signed(value * 100.0, 1),
    };
    let mut sentences = vec![title.to_owned()];
    for (network, series) in networks.iter().zip(all) {
        let means: Vec<(f64, &str)> = series
            .points
            .iter()
            .zip(network.block_names())
            .filter_map(|(point, name)| Some((point.mean()?, name)))
            .collect();
        let least = means.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let most = means.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        if let (Some((low, low_at)), Some((high, high_at))) = (least, most) {
            let gaps = [
                ("network", &*network.net.id),
                ("low", &*format(*low)),
                ("low_at", low_at),
                ("high", &*format(*high)),
                ("high_at", high_at),
            ];
            sentences.push(words.text("alt.depth", &gaps));
        }
    }
    sentences.join(". ")
}
