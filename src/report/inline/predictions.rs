//! The predictions of all networks.

use minijinja::context;
use serde::Serialize;

use super::images::{DISPLAYED_WIDTH, InlineImageView};
use super::template::render;
use crate::error::Result;
use crate::figures::Tensors;
use crate::report::charts::standalone::ADAPTIVE_COLOURS;
use crate::report::input::net_views;
use crate::report::section::to_value;
use crate::report::views::pixels::photo_image;
use crate::report::views::prediction::PredictionView;
use crate::report::words::Words;
use crate::results::Results;

/// The predictions for one photo.
#[derive(Debug, Serialize)]
struct PhotoPredictionsView<'a> {
    image: &'a str,
    label: Option<&'a str>,
    photo: Option<InlineImageView>,
    predictions: Vec<PredictionView>,
}

/// The predictions of the networks for each photo.
///
/// # Errors
/// If an image can't be encoded.
pub fn predictions(results: &Results, tensors: &Tensors) -> Result<String> {
    let words = Words::new(results.experiment.lang);
    let nets = net_views(results);
    let mut photos = Vec::new();
    for image in &results.images {
        let view = image.views.first();
        let pixels = view.and_then(|view| photo_image(tensors.get(&view.tensor)?));
        let photo = pixels.map(|p| InlineImageView::photo(&p, DISPLAYED_WIDTH, &image.id));
        photos.push(PhotoPredictionsView {
            image: &image.id,
            label: image.label.as_ref().map(|label| label.name.as_str()),
            photo: photo.transpose()?,
            predictions: nets
                .iter()
                .map(|net| PredictionView::new(results, net, &image.id, &words))
                .collect(),
        });
    }
    render(
        "inline-predictions.html",
        results.experiment.lang,
        context! { photos => to_value(&photos), colours => ADAPTIVE_COLOURS },
    )
}
