//! The page's view: what the templates are given, everything already in words and numbers.

use serde::Serialize;

use super::charts;
use super::codes;
use super::comparison::{self, Comparison};
use super::exemplars::{self, Exemplars};
use super::filters::{self, Filters};
use super::maximize::{self, Maximize};
use super::papers;
use super::photos::{self, Photo};
use super::pictures::{self, Palette};
use super::shortcuts::{self, Shortcuts};
use super::summary;
use super::trust::{self, TrustView};
use super::words::Words;
use crate::error::Result;
use crate::figures::Tensors;
use crate::results::{Failure, ModelInfo, Results};

#[derive(Debug, Serialize)]
pub struct Page {
    pub lang: &'static str,
    pub title: String,
    pub question: Option<String>,
    pub convscope: String,
    pub summary: Vec<String>,
    pub networks: Vec<Network>,
    pub photos: Vec<Photo>,
    pub methods: Vec<Method>,
    pub palettes: Vec<Palette>,
    pub charts: Charts,
    pub shortcuts: Option<Shortcuts>,
    pub filters: Option<Filters>,
    pub exemplars: Option<Exemplars>,
    pub maximize: Option<Maximize>,
    pub codes: Option<codes::Section>,
    pub comparison: Option<Comparison>,
    pub trust: Option<TrustView>,
    pub failures: Vec<FailureView>,
    pub reproduce: Reproduce,
    /// The papers behind the methods and checks.
    pub papers: Vec<String>,
}

/// A network where only its name and colour are needed.
#[derive(Debug, Clone, Serialize)]
pub struct Net {
    pub id: String,
    /// Its colour, 0 to 7; the same everywhere.
    pub slot: usize,
    /// A sign beside the colour.
    pub sign: &'static str,
}

impl Net {
    pub fn new(place: usize, model: &ModelInfo) -> Net {
        Net::named(place, &model.id)
    }

    pub fn named(place: usize, id: &str) -> Net {
        const SIGNS: [&str; 8] = ["●", "■", "▲", "◆", "▼", "★", "✚", "⬟"];
        Net {
            id: id.to_owned(),
            slot: place % 8,
            sign: SIGNS[place % 8],
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Network {
    pub net: Net,
    pub arch: String,
    pub family: String,
    pub parameters: String,
    pub parameters_full: String,
    pub multiply_adds: String,
    pub multiply_adds_full: String,
    pub depth: u32,
    pub residual_blocks: u32,
    pub input: String,
    pub preprocess: String,
    pub classes: String,
    pub weights: String,
    pub source: String,
    pub licence: Option<String>,
    pub sha256: String,
    pub note: Option<String>,
    /// (method, selector, layers)
    pub selected: Vec<(String, String, String)>,
}

#[derive(Debug, Serialize)]
pub struct Method {
    pub key: String,
    pub name: String,
    pub read: Option<String>,
    pub limit: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct Charts {
    pub parameters: String,
    pub multiply_adds: String,
    pub resolution: Option<String>,
    pub channels: Option<String>,
    pub truth: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct FailureView {
    pub place: String,
    pub message: String,
    pub help: Option<String>,
}

impl FailureView {
    pub fn new(failure: &Failure) -> Self {
        let parts = [&failure.model, &failure.image, &failure.method];
        let place: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        FailureView {
            place: place.join(" · "),
            message: failure.message.clone(),
            help: failure.help.clone(),
        }
    }
}

#[derive(Debug, Serialize)]
pub struct Reproduce {
    pub spec: String,
    pub libtorch: String,
    pub device: String,
    pub seed: u64,
    /// (id, source, sha256) of each picture.
    pub images: Vec<(String, String, String)>,
}

impl Page {
    pub fn new(results: &Results, tensors: &Tensors, words: &Words) -> Result<Page> {
        let experiment = &results.experiment;
        let networks: Vec<Network> = results
            .models
            .iter()
            .enumerate()
            .map(|(place, model)| network(place, model, words))
            .collect();
        let nets: Vec<Net> = networks.iter().map(|network| network.net.clone()).collect();
        let mut photos = Vec::new();
        for (number, image) in results.images.iter().enumerate() {
            photos.push(photos::photo(
                number, image, &nets, results, tensors, words,
            )?);
        }
        let exemplars = exemplars::view(results, tensors, &nets, words)?;
        let maximize = maximize::view(results, tensors, &nets, words)?;
        let shortcuts = shortcuts::section(results, tensors, &nets, &photos, words)?;
        let filters = filters::filters(results, tensors, &nets, words)?;
        let mut seen: Vec<&str> = Vec::new();
        for figure in &results.figures {
            if !seen.contains(&figure.method.as_str()) {
                seen.push(&figure.method);
            }
        }
        let methods = seen
            .into_iter()
            .map(|key| Method {
                key: key.to_owned(),
                name: words
                    .text(&format!("method.{key}"), &[])
                    .unwrap_or_else(|| key.to_owned()),
                read: words.text(&format!("method.{key}.read"), &[]),
                limit: words.text(&format!("method.{key}.limit"), &[]),
            })
            .collect();
        let comparison = comparison::section(results, tensors, &nets, &photos, words);
        Ok(Page {
            lang: words.tag(),
            title: experiment.title.clone(),
            question: experiment.question.clone(),
            convscope: results.environment.convscope.clone(),
            summary: summary::sentences(results, words),
            charts: Charts {
                parameters: charts::parameters(&results.models, words)?,
                multiply_adds: charts::multiply_adds(&results.models, words)?,
                resolution: charts::resolution(&results.models, words)?,
                channels: charts::channels(&results.models, words)?,
                truth: charts::truth(results, words)?,
            },
            networks,
            photos,
            methods,
            palettes: pictures::palettes(),
            shortcuts,
            filters,
            exemplars,
            maximize,
            comparison,
            trust: trust::section(results, &nets, words)?,
            codes: codes::section(results, tensors, &nets, words)?,
            failures: results.failures.iter().map(FailureView::new).collect(),
            papers: papers::of(results),
            reproduce: Reproduce {
                spec: results.spec.clone(),
                libtorch: results.environment.libtorch.clone(),
                device: results.environment.device.clone(),
                seed: experiment.seed,
                images: results
                    .images
                    .iter()
                    .map(|i| (i.id.clone(), i.source.clone(), i.sha256.clone()))
                    .collect(),
            },
        })
    }
}

fn network(place: usize, model: &ModelInfo, words: &Words) -> Network {
    let [channels, height, width] = model.input;
    Network {
        net: Net::new(place, model),
        arch: model.arch.clone(),
        family: model.family.clone(),
        parameters: words.prefixed(model.parameters),
        parameters_full: words.whole(model.parameters),
        multiply_adds: words.prefixed(model.multiply_adds),
        multiply_adds_full: words.whole(model.multiply_adds),
        depth: model.depth,
        residual_blocks: model.residual_blocks,
        input: format!("{width} × {height} × {channels}"),
        preprocess: words.note(&model.preprocessing),
        classes: words.whole(model.classes.into()),
        weights: model.weights.name.clone(),
        source: model.weights.source.clone(),
        licence: model.weights.licence.clone(),
        sha256: model.weights.sha256.clone(),
        // A set of the catalogue is told of in the report's language.
        note: model.weights.note.as_ref().map(|note| {
            let key = format!("weights.{}", model.weights.name);
            words.text(&key, &[]).unwrap_or_else(|| note.clone())
        }),
        selected: model
            .selected
            .iter()
            .map(|s| (s.method.clone(), s.selector.clone(), s.layers.join(", ")))
            .collect(),
    }
}
