//! The difference of two finished runs as one HTML page: predictions side by side, every map that both have with the signed
//! difference, and what only one of them has. The runs are those of one network over its training, before and after fine-tuning,
//! or of two weight files.

mod finished_run;
mod maps;
mod pairs;
mod predictions;

use minijinja::context;
use serde::Serialize;

pub use self::finished_run::FinishedRun;
use self::maps::MapView;
use self::pairs::Pairs;
use self::predictions::PredictionView;
use super::section::to_value;
use super::templates::{RenderOptions, Templates};
use super::views::pixels::photo_image;
use super::words::Words;
use crate::error::{Error, ErrorKind, Result};
use crate::image::{data_uri, encode_jpeg};
use crate::results::ImageInfo;

/// The quality of the photos, as JPEG.
const QUALITY: u8 = 85;

/// What the template is given.
#[derive(Debug, Serialize)]
struct DiffView {
    lang: String,
    convscope: String,
    names: [String; 2],
    titles: [String; 2],
    networks: Vec<NetworkView>,
    photos: Vec<PhotoView>,
    /// What only one of the runs has, for each of them.
    only: [Vec<String>; 2],
}

/// A network in both runs.
#[derive(Debug, Serialize)]
struct NetworkView {
    name: String,
    archs: [String; 2],
    weights: [String; 2],
    /// Whether the weights are those of the same file.
    same: bool,
}

/// An image in both runs.
#[derive(Debug, Serialize)]
struct PhotoView {
    id: String,
    /// The label, where it is known.
    label: Option<String>,
    image: Option<String>,
    predictions: Vec<PredictionView>,
    maps: Vec<MapView>,
}

/// The difference of `b` from `a` as one HTML file; the same bytes for the same runs.
///
/// # Errors
/// If the runs are of different versions, have no network in common, or an image can't be encoded.
pub fn render_diff(a: FinishedRun, b: FinishedRun, options: &RenderOptions) -> Result<String> {
    check_versions(a, b)?;
    let words = Words::new(a.results.experiment.lang);
    let pairs = Pairs::new(a, b)?;
    let mut photos = Vec::new();
    for image in &pairs.images {
        photos.push(photo(a, b, image, &pairs, &words)?);
    }
    let networks = pairs.networks.iter().map(|[first, second]| NetworkView {
        name: first.id.clone(),
        archs: [first.arch.clone(), second.arch.clone()],
        weights: [first.weights.name.clone(), second.weights.name.clone()],
        same: !first.weights.sha256.is_empty() && first.weights.sha256 == second.weights.sha256,
    });
    let view = DiffView {
        lang: words.tag().to_owned(),
        convscope: a.results.environment.convscope.clone(),
        names: [a, b].map(|run| run.name.to_owned()),
        titles: [a, b].map(|run| run.results.experiment.title.clone()),
        networks: networks.collect(),
        photos,
        only: pairs.only_in_one(&words),
    };
    let templates = Templates::new(words, options)?;
    templates.render("diff.html", context! { view => to_value(&view) })
}

/// Fails if the runs were made by different versions, whose numbers may differ for the same network.
fn check_versions(a: FinishedRun, b: FinishedRun) -> Result<()> {
    let [first, second] = [a, b].map(|run| &run.results.environment.convscope);
    if first == second {
        return Ok(());
    }
    let message = format!(
        "the runs must be of one version of convscope: {} is of {first}, {} of {second}",
        a.name, b.name
    );
    Err(Error::new(ErrorKind::Usage, message).help("run one of the experiments again"))
}

fn photo(
    a: FinishedRun,
    b: FinishedRun,
    image: &ImageInfo,
    pairs: &Pairs,
    words: &Words,
) -> Result<PhotoView> {
    let mut predictions = Vec::new();
    let mut maps = Vec::new();
    for models in &pairs.networks {
        predictions.extend(predictions::view([a, b], models, &image.id, words));
        for figures in pairs.figures_of(&models[0].id, &image.id) {
            maps.push(maps::view([a, b], figures, words)?);
        }
    }
    let stored = image
        .views
        .first()
        .and_then(|view| a.tensors.get(&view.tensor));
    let picture = stored.and_then(photo_image);
    let jpeg = picture
        .map(|picture| encode_jpeg(&picture, QUALITY))
        .transpose()?;
    Ok(PhotoView {
        id: image.id.clone(),
        label: image.label.as_ref().map(|label| label.name.clone()),
        image: jpeg.map(|jpeg| data_uri("image/jpeg", &jpeg)),
        predictions,
        maps,
    })
}
