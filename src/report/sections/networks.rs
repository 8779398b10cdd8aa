//! The networks side by side: a table of their properties, and the charts that compare them.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::network::Task;
use crate::report::charts::{ChartKind, ChartPlace};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::net::NetView;
use crate::report::words::Words;
use crate::results::{ModelInfo, NetworkNote};

/// The section.
pub const SECTION: Section = Section {
    key: "glance",
    template: "networks.html",
    entry: ContentsEntry::Titled("nav.glance"),
    shows_figures: false,
    view,
};

#[derive(Debug, Serialize)]
struct NetworksView {
    networks: Vec<NetworkView>,
    /// The charts as SVG.
    charts: Vec<String>,
}

/// A network's column of the table.
#[derive(Debug, Serialize)]
struct NetworkView {
    net: NetView,
    arch: String,
    family: String,
    parameters: String,
    parameters_full: String,
    multiply_adds: String,
    multiply_adds_full: String,
    depth: u32,
    residual_blocks: u32,
    input: String,
    preprocess: String,
    classes: String,
    weights: String,
    source: String,
    licence: Option<String>,
    notes: Vec<String>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let (results, words) = (input.results, input.words);
    let mut charts = Vec::new();
    for measure in ChartKind::ALL {
        let chart = measure.chart();
        if chart.place == ChartPlace::Networks {
            charts.extend((chart.draw)(results, words)?);
        }
    }
    let networks = input.nets.iter().zip(&results.models);
    Ok(Some(to_value(&NetworksView {
        networks: networks
            .map(|(net, model)| network(net, model, words))
            .collect(),
        charts,
    })))
}

fn network(net: &NetView, model: &ModelInfo, words: &Words) -> NetworkView {
    let [channels, height, width] = model.input;
    NetworkView {
        net: net.clone(),
        arch: model.arch.clone(),
        family: model.family.clone(),
        parameters: words.prefixed(model.parameters),
        parameters_full: words.integer(model.parameters),
        multiply_adds: words.prefixed(model.multiply_adds),
        multiply_adds_full: words.integer(model.multiply_adds),
        depth: model.depth,
        residual_blocks: model.residual_blocks,
        input: format!("{width} × {height} × {channels}"),
        preprocess: match &model.preprocess_assumed {
            Some(assumed) => {
                format!(
                    "{}; {}",
                    words.note(&model.preprocessing),
                    words.note(assumed)
                )
            }
            None => words.note(&model.preprocessing),
        },
        classes: classes(model, words),
        weights: model.weights.name.clone(),
        source: model.weights.source.clone(),
        licence: model.weights.licence.clone(),
        // The note of a weight set of the catalogue is in the report's language.
        notes: (model.weights.note.iter())
            .map(|note| {
                let key = format!("weights.{}", model.weights.name);
                words.find(&key, &[]).unwrap_or_else(|| note.clone())
            })
            .chain(model.notes.iter().map(|note| network_note(note, words)))
            .collect(),
    }
}

/// A note in the report's language, in English where it has no translation.
fn network_note(note: &NetworkNote, words: &Words) -> String {
    let values = note.note.values.iter();
    let gaps: Vec<(&str, &str)> = values.map(|(name, value)| (&**name, &**value)).collect();
    words
        .find(&note.note.key, &gaps)
        .unwrap_or_else(|| note.text.clone())
}

/// How many classes the network has, and what its outputs mean where they are not the logits of exclusive classes.
fn classes(model: &ModelInfo, words: &Words) -> String {
    let count = words.integer(model.classes.into());
    match model.task {
        Task::Classes => count,
        task => words.text(
            &format!("glance.classes.{}", task.name()),
            &[("count", &count)],
        ),
    }
}
