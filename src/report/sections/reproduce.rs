//! How the report is made again: versions, the selected layers, and the hashes of weights and photos.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::net::NetView;

/// The section.
pub const SECTION: Section = Section {
    key: "reproduce",
    template: "reproduce.html",
    entry: ContentsEntry::Titled("nav.reproduce"),
    shows_figures: false,
    view,
};

#[derive(Debug, Serialize)]
struct ReproduceView<'a> {
    libtorch: &'a str,
    device: &'a str,
    seed: u64,
    /// The precisions of passes and of gradients over many inputs, if one is not float32.
    precision: Option<[&'static str; 2]>,
    networks: Vec<SourceView<'a>>,
    /// (id, source, sha256) of each photo.
    images: Vec<(&'a str, &'a str, &'a str)>,
}

/// Where a network came from, and its selected layers.
#[derive(Debug, Serialize)]
struct SourceView<'a> {
    net: &'a NetView,
    weights: &'a str,
    source: &'a str,
    sha256: &'a str,
    /// (method, selector, layers)
    selected: Vec<(&'a str, &'a str, String)>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let results = input.results;
    let networks = input.nets.iter().zip(&results.models);
    let networks = networks.map(|(net, model)| SourceView {
        net,
        weights: &model.weights.name,
        source: &model.weights.source,
        sha256: &model.weights.sha256,
        selected: model
            .selected
            .iter()
            .map(|s| (&*s.method, &*s.selector, s.layers.join(", ")))
            .collect(),
    });
    let images = results.images.iter();
    let precisions = results.experiment.precision.0;
    Ok(Some(to_value(&ReproduceView {
        libtorch: &results.environment.libtorch,
        device: &results.environment.device,
        seed: results.experiment.seed,
        precision: (!precisions.is_float32())
            .then(|| [precisions.passes.name(), precisions.gradients.name()]),
        networks: networks.collect(),
        images: images.map(|i| (&*i.id, &*i.source, &*i.sha256)).collect(),
    })))
}
