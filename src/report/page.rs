//! The page's view: what the templates are given, everything already in words and numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::charts;
use super::codes;
use super::photos::{self, Photo};
use super::pictures::{self, Palette, Store, Stored};
use super::summary;
use super::words::Words;
use crate::error::Result;
use crate::picture;
use crate::results::{Content, Failure, ModelInfo, Results, Tensors};

/// Side of one weight of a kernel, in pixels of the stored picture.
const KERNEL_ZOOM: u32 = 4;

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
    pub filters: Option<Filters>,
    pub codes: Option<codes::Section>,
    pub failures: Vec<FailureView>,
    pub reproduce: Reproduce,
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
        const SIGNS: [&str; 8] = ["●", "■", "▲", "◆", "▼", "★", "✚", "⬟"];
        Net {
            id: model.id.clone(),
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
pub struct Filters {
    /// The end of the one scale.
    pub magnitude: String,
    /// Whether the networks' own magnitudes are so far apart that each is shown on its own, too.
    pub apart: bool,
    pub cells: Vec<FilterCell>,
    pub stored: Vec<Stored>,
}

#[derive(Debug, Serialize)]
pub struct FilterCell {
    pub net: Net,
    pub layer: String,
    pub shown: usize,
    pub of: usize,
    pub kernel: String,
    pub magnitude: String,
    pub common: Option<String>,
    pub own: Option<String>,
    pub width: u32,
    pub height: u32,
    pub message: Option<String>,
    pub notes: Vec<String>,
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
        let filters = filters(results, tensors, &nets, words)?;
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
            filters,
            codes: codes::section(results, tensors, &nets, words)?,
            failures: results.failures.iter().map(FailureView::new).collect(),
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
        preprocess: model.preprocess.clone(),
        classes: words.whole(model.classes.into()),
        weights: model.weights.name.clone(),
        source: model.weights.source.clone(),
        licence: model.weights.licence.clone(),
        sha256: model.weights.sha256.clone(),
        note: model.weights.note.clone(),
        selected: model
            .selected
            .iter()
            .map(|s| (s.method.clone(), s.selector.clone(), s.layers.join(", ")))
            .collect(),
    }
}

/// The first layer's kernels of every network on the scale of the largest weight among them.
fn filters(
    results: &Results,
    tensors: &Tensors,
    nets: &[Net],
    words: &Words,
) -> Result<Option<Filters>> {
    let mut magnitudes = BTreeMap::new();
    for figure in &results.figures {
        if let Content::Tiles { magnitude, .. } = &figure.content {
            magnitudes.insert(figure.model.as_str(), *magnitude);
        }
    }
    let most = magnitudes.values().copied().fold(0.0, f32::max);
    let least = magnitudes.values().copied().fold(f32::INFINITY, f32::min);
    let apart = most > 2.0 * least;
    let mut store = Store::new("k");
    let mut cells = Vec::new();
    for figure in results.figures.iter().filter(|f| f.image.is_none()) {
        let Some(net) = nets.iter().find(|net| net.id == figure.model) else {
            continue;
        };
        let mut cell = FilterCell {
            net: net.clone(),
            layer: figure.layer.clone().unwrap_or_default(),
            shown: 0,
            of: 0,
            kernel: String::new(),
            magnitude: String::new(),
            common: None,
            own: None,
            width: 1,
            height: 1,
            message: None,
            notes: figure.notes.iter().map(|note| words.note(note)).collect(),
        };
        match &figure.content {
            Content::Tiles {
                tensor,
                units,
                of,
                magnitude,
            } => {
                cell.shown = units.len();
                cell.of = *of;
                cell.magnitude = words.number(f64::from(*magnitude));
                let array = tensors.get(tensor);
                match array
                    .and_then(|a| Some((a.floats()?, <[usize; 4]>::try_from(&a.shape[..]).ok()?)))
                {
                    Some((values, [k, 3, h, w])) if k * h * w > 0 => {
                        cell.kernel = format!("{w} × {h}");
                        let draw = |end: f32| picture::kernels(values, [k, h, w], end, KERNEL_ZOOM);
                        let tiles = draw(most)?;
                        (cell.width, cell.height) = tiles.dimensions();
                        cell.common = Some(store.colours(&tiles)?);
                        if apart {
                            cell.own = Some(store.colours(&draw(*magnitude)?)?);
                        }
                    }
                    _ => cell.message = Some(words.say("cell.missing", &[("key", tensor)])),
                }
            }
            Content::Absent { reason } => cell.message = Some(words.note(reason)),
            _ => continue,
        }
        cells.push(cell);
    }
    Ok((!cells.is_empty()).then(|| Filters {
        magnitude: words.number(f64::from(most)),
        apart,
        cells,
        stored: store.stored,
    }))
}
