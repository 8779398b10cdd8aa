//! The section on how far the maps can be trusted: a table of every score of every check, the means over the images,
//! with the baseline maps to compare with; and the checks' charts.

use std::collections::BTreeSet;

use minijinja::Value;
use serde::Serialize;

use crate::checks::{CheckChartInfo, CheckChartLine, CheckSpec, ScoreFormat, ScoreInfo};
use crate::error::Result;
use crate::figures::{CheckedMap, MapSource, Quantity};
use crate::network::Precision;
use crate::report::charts::series_chart::{
    AxisUnit, ChartSeries, SeriesPoint, series_chart, value_range,
};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::check_note::{check_text, format_number};
use crate::report::views::layer::selector_title;
use crate::report::views::method::method_title;
use crate::report::views::net::NetView;
use crate::report::words::Words;
use crate::results::Results;

/// The section.
pub const SECTION: Section = Section {
    key: "trust",
    template: "checks.html",
    entry: ContentsEntry::Titled("nav.trust"),
    shows_figures: false,
    view,
};

#[derive(Debug, Serialize)]
struct TrustView<'a> {
    /// The networks, in the tables' order.
    nets: &'a [NetView],
    /// Whether the passes of changed images were in bfloat16.
    bf16: bool,
    /// One group for each kind of value that is explained.
    groups: Vec<QuantityView>,
}

/// The checks of all maps that explain values of one kind.
#[derive(Debug, Serialize)]
struct QuantityView {
    /// What is measured, unless all are probabilities.
    title: Option<String>,
    /// The experiment's checks: title and how to read it.
    checks: Vec<(String, String)>,
    /// One table per score.
    tables: Vec<ScoreTableView>,
    /// One group per kind of chart.
    charts: Vec<CheckChartsView>,
}

/// One score of all maps and networks.
#[derive(Debug, Serialize)]
struct ScoreTableView {
    /// The score's name.
    title: String,
    /// Which values are better.
    note: String,
    /// One row per map.
    rows: Vec<ScoreRowView>,
}

/// One score of one map.
#[derive(Debug, Serialize)]
struct ScoreRowView {
    /// The map's name.
    name: String,
    /// Whether the map is a baseline.
    baseline: bool,
    /// The score and whether it is the best of its column, for each network.
    cells: Vec<(String, bool)>,
}

/// The charts of one kind.
#[derive(Debug, Serialize)]
struct CheckChartsView {
    /// The title of all.
    title: String,
    /// What is shown and how to read it.
    legend: String,
    /// The map's name and its chart, as SVG.
    charts: Vec<(String, String)>,
}

/// Which maps share a row: those of a method at the same selector, or a baseline.
#[derive(Debug, Clone, PartialEq)]
enum RowKey {
    /// The method, and the selector with the index of the layer among those that it selects.
    Method(String, Option<(String, usize)>),
    Random,
    Centre,
}

/// The maps of one row.
#[derive(Debug)]
struct MapRow<'a> {
    name: String,
    baseline: bool,
    /// The maps of each network, one per image and class.
    maps: Vec<Vec<&'a CheckedMap>>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let results = input.results;
    if results.checks.is_empty() {
        return Ok(None);
    }
    let quantities: BTreeSet<Quantity> = results.checks.iter().map(|map| map.quantity).collect();
    let groups = quantities
        .iter()
        .map(|quantity| quantity_view(input, *quantity))
        .collect::<Result<_>>()?;
    Ok(Some(to_value(&TrustView {
        nets: &input.nets,
        bf16: results.experiment.precision.0.passes == Precision::Bf16,
        groups,
    })))
}

fn quantity_view(input: &ReportInput, quantity: Quantity) -> Result<QuantityView> {
    let (results, words) = (input.results, input.words);
    let rows = map_rows(results, quantity, &input.nets, words);
    let mut tables = Vec::new();
    let mut charts = Vec::new();
    for spec in CheckSpec::all() {
        let info = spec.check().info();
        for (index, score) in info.scores.iter().enumerate() {
            tables.extend(score_table(&spec, index, score, (&rows, quantity), words)?);
        }
        for (index, chart) in info.charts.iter().enumerate() {
            charts.extend(chart_group(&spec, index, chart, (&rows, quantity), words)?);
        }
    }
    let checks = results.experiment.checks.iter().map(|spec| {
        let key = format!("check.{}", spec.name());
        (
            words.text(&key, &[]),
            check_text(&format!("{key}.read"), quantity, &[], words),
        )
    });
    let all_are_probabilities = results
        .checks
        .iter()
        .all(|map| map.quantity.is_probability());
    let title = (!all_are_probabilities).then(|| {
        let name = words.text(&format!("quantity.{}", quantity.key()), &[]);
        words.text("trust.explained", &[("quantity", &name)])
    });
    Ok(QuantityView {
        title,
        checks: checks.collect(),
        tables,
        charts,
    })
}

fn row_key(results: &Results, map: &CheckedMap) -> RowKey {
    match &map.source {
        MapSource::Random => RowKey::Random,
        MapSource::Centre => RowKey::Centre,
        MapSource::Method { name, layer } => {
            let figure = results.figures.iter().find(|figure| {
                figure.method == *name && figure.layer == *layer && figure.model == map.model
            });
            RowKey::Method(name.clone(), figure.and_then(|f| results.selector_of(f)))
        }
    }
}

/// The rows: methods in the experiment's order, then the baselines.
fn map_rows<'a>(
    results: &'a Results,
    quantity: Quantity,
    nets: &[NetView],
    words: &Words,
) -> Vec<MapRow<'a>> {
    let keyed: Vec<(RowKey, &CheckedMap)> = results
        .checks
        .iter()
        .filter(|map| map.quantity == quantity)
        .map(|map| (row_key(results, map), map))
        .collect();
    let mut keys: Vec<RowKey> = Vec::new();
    for (key, _) in &keyed {
        if !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys.sort_by_key(|key| match key {
        RowKey::Method(name, _) => {
            let mut methods = results.experiment.methods.iter();
            methods
                .position(|method| method.name() == name)
                .unwrap_or(0)
        }
        RowKey::Random => usize::MAX - 1,
        RowKey::Centre => usize::MAX,
    });
    let rows = keys.iter().map(|key| MapRow {
        name: row_name(key, &keys, words),
        baseline: !matches!(key, RowKey::Method(..)),
        maps: nets
            .iter()
            .map(|net| {
                let maps = keyed
                    .iter()
                    .filter(|(other, map)| other == key && map.model == net.id);
                maps.map(|(_, map)| *map).collect()
            })
            .collect(),
    });
    rows.collect()
}

/// The method's name, with its selector if the method has several rows.
fn row_name(key: &RowKey, keys: &[RowKey], words: &Words) -> String {
    let (method, layer) = match key {
        RowKey::Random => return words.text("trust.random", &[]),
        RowKey::Centre => return words.text("trust.centre", &[]),
        RowKey::Method(method, layer) => (method, layer),
    };
    let same_method = |key: &&RowKey| matches!(key, RowKey::Method(other, _) if other == method);
    let several = keys.iter().filter(same_method).count() > 1;
    let title = method_title(method, words);
    match layer.as_ref().filter(|_| several) {
        Some(selector) => format!("{title}, {}", selector_title(selector)),
        None => title,
    }
}

/// The table of the means of a check's score number `index`, if any map has one. The best mean of each network is
/// marked, unless all are equal.
fn score_table(
    spec: &CheckSpec,
    index: usize,
    score: &ScoreInfo,
    (rows, quantity): (&[MapRow], Quantity),
    words: &Words,
) -> Result<Option<ScoreTableView>> {
    let mut means: Vec<(&MapRow, Vec<Option<f64>>)> = Vec::new();
    for row in rows {
        let mut columns = Vec::new();
        for maps in &row.maps {
            columns.push(mean_score(spec, index, maps)?);
        }
        if columns.iter().any(Option::is_some) {
            means.push((row, columns));
        }
    }
    let Some((_, first)) = means.first() else {
        return Ok(None);
    };
    let best = |column: usize| -> Option<f64> {
        let of_methods = means.iter().filter(|(row, _)| !row.baseline);
        let values: Vec<f64> = of_methods.filter_map(|(_, means)| means[column]).collect();
        let differ = values.iter().any(|value| *value != values[0]);
        let rank = |value: &f64| score.better.rank(*value);
        let best = values
            .into_iter()
            .max_by(|a, b| rank(a).total_cmp(&rank(b)));
        best.filter(|_| differ)
    };
    let best: Vec<Option<f64>> = (0..first.len()).map(best).collect();
    let rows = means.iter().map(|(row, means)| {
        let cells = means.iter().zip(&best).map(|(mean, best)| {
            let text = mean.map(|mean| format_number(mean, score.format, words));
            let is_best = !row.baseline && mean.is_some() && mean == best;
            (text.unwrap_or_else(|| "–".to_owned()), is_best)
        });
        ScoreRowView {
            name: row.name.clone(),
            baseline: row.baseline,
            cells: cells.collect(),
        }
    });
    Ok(Some(ScoreTableView {
        title: words.text(&format!("trust.{}", score.key), &[]),
        note: check_text(&format!("trust.{}.note", score.key), quantity, &[], words),
        rows: rows.collect(),
    }))
}

/// The mean of score number `index` over the maps that have one.
fn mean_score(spec: &CheckSpec, index: usize, maps: &[&CheckedMap]) -> Result<Option<f64>> {
    let mut values = Vec::new();
    for map in maps {
        let scores = spec.check().map_scores(map)?;
        values.extend(scores.and_then(|scores| scores.get(index).copied().flatten()));
    }
    let sum: f64 = values.iter().sum();
    Ok((!values.is_empty()).then(|| sum / values.len() as f64))
}

/// The charts of kind number `index` of a check: one per row, with the lines of all networks.
fn chart_group(
    spec: &CheckSpec,
    index: usize,
    info: &CheckChartInfo,
    (rows, quantity): (&[MapRow], Quantity),
    words: &Words,
) -> Result<Option<CheckChartsView>> {
    let mut charts = Vec::new();
    for row in rows {
        let mut all = Vec::new();
        for (network, maps) in row.maps.iter().enumerate() {
            let mut lines = Vec::new();
            for map in maps {
                let charts = spec.check().map_charts(map)?.unwrap_or_default();
                lines.extend(charts.into_iter().nth(index));
            }
            all.extend(series(network, &lines, info.each_image));
        }
        if all.is_empty() {
            continue;
        }
        let gaps = [("map", &*row.name)];
        let title = check_text(&format!("trust.{}.alt", info.key), quantity, &gaps, words);
        let axis = info.axis.map(|(key, _)| format!("trust.{key}"));
        let own_range = info.of_targets && quantity != Quantity::Probability;
        let range = if own_range {
            value_range(&all)
        } else {
            info.range
        };
        let unit = match info.format {
            ScoreFormat::Percent if !own_range => AxisUnit::Percent,
            _ => AxisUnit::Plain,
        };
        let axis = [&*axis[0], &*axis[1], &*axis[2]];
        let chart = series_chart(&all, range, unit, axis, &title, words)?;
        charts.push((row.name.clone(), chart));
    }
    Ok((!charts.is_empty()).then(|| CheckChartsView {
        title: words.text(&format!("trust.{}.title", info.key), &[]),
        legend: check_text(&format!("trust.{}.legend", info.key), quantity, &[], words),
        charts,
    }))
}

/// The lines of one network: each holds the values of all images, or their means alone.
fn series(network: usize, images: &[Vec<CheckChartLine>], each_image: bool) -> Vec<ChartSeries> {
    let count = images.first().map_or(0, Vec::len);
    let lines = (0..count).map(|line| {
        let lines: Vec<&CheckChartLine> =
            images.iter().filter_map(|lines| lines.get(line)).collect();
        let length = lines
            .iter()
            .map(|line| line.values.len())
            .max()
            .unwrap_or(0);
        // A dozen marks are enough to tell the networks' lines apart.
        let step = if each_image {
            1
        } else {
            length.div_ceil(12).max(1)
        };
        let marks = (0..length).filter(|mark| mark % step == 0 || mark + 1 == length);
        let points = marks.map(|mark| {
            let values = lines
                .iter()
                .filter_map(|line| line.values.get(mark).copied().flatten());
            SeriesPoint {
                x: mark as f64 / (length.max(2) - 1) as f64,
                values: point_values(values.collect(), each_image),
                hollow: lines[0].hollow,
            }
        });
        ChartSeries {
            network,
            points: points.collect(),
        }
    });
    lines.collect()
}

/// The values of a point: their mean, or each of them if they differ.
fn point_values(mut values: Vec<f64>, each_image: bool) -> Vec<f64> {
    if each_image {
        if values.iter().all(|value| *value == values[0]) {
            values.truncate(1);
        }
        return values;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    if mean.is_finite() {
        vec![mean]
    } else {
        Vec::new()
    }
}
