//! Images that show where the networks differ or err, each with the networks' predictions and maps.

use serde::Serialize;

use crate::error::Result;
use crate::figures::{Evaluation, GalleryKind, GalleryMap, GalleryPrediction};
use crate::report::input::ReportInput;
use crate::report::views::cell::MapView;
use crate::report::views::image_store::ImageStore;
use crate::report::views::net::NetView;
use crate::report::views::stored_images::StoredImages;

/// Images of one kind.
#[derive(Debug, Serialize)]
pub(super) struct GalleryView {
    title: String,
    /// Whether a network's map is among them.
    pub(super) has_maps: bool,
    images: Vec<GalleryImageView>,
}

#[derive(Debug, Serialize)]
struct GalleryImageView {
    id: String,
    class: String,
    /// The id of the stored thumbnail.
    thumbnail: Option<String>,
    predictions: Vec<PredictionView>,
}

/// What a network predicts.
#[derive(Debug, Serialize)]
struct PredictionView {
    net: NetView,
    class: String,
    percent: String,
    right: bool,
    /// The probability of the true class, where another one is predicted.
    truth: Option<String>,
    map: Option<SeenMapView>,
}

/// A map over the image as the network sees it.
#[derive(Debug, Serialize)]
struct SeenMapView {
    /// The id of the stored image.
    view: String,
    width: u32,
    height: u32,
    /// `None` for a map of zeros.
    map: Option<MapView>,
}

/// The galleries, whose images go into `store`.
///
/// # Errors
/// If an image can't be encoded.
pub(super) fn gallery_views(
    input: &ReportInput,
    evaluation: &Evaluation,
    nets: &[&NetView],
    store: &mut ImageStore,
) -> Result<Vec<GalleryView>> {
    let words = input.words;
    let mut stored = StoredImages::new(input.tensors);
    let mut views = Vec::new();
    for gallery in &evaluation.galleries {
        let network = gallery.model.as_deref().unwrap_or_default();
        let key = match gallery.kind {
            GalleryKind::OnlyRight => "evaluation.only_right",
            GalleryKind::ConfidentErrors => "evaluation.confident_errors",
            GalleryKind::LargestDifference => "evaluation.largest_difference",
        };
        let mut images = Vec::new();
        for image in &gallery.images {
            let mut predictions = Vec::new();
            for (net, prediction) in nets.iter().zip(&image.predictions) {
                let Some(found) = prediction else { continue };
                predictions.push(PredictionView {
                    net: (*net).clone(),
                    class: found.class.clone(),
                    percent: words.percent(f64::from(found.probability)),
                    right: found.right,
                    truth: (!found.right).then(|| words.percent(f64::from(found.truth))),
                    map: seen_map(found, input, &mut stored, store)?,
                });
            }
            images.push(GalleryImageView {
                id: image.image.clone(),
                class: image.class.clone(),
                thumbnail: stored.photo(image.thumbnail.as_deref(), store)?,
                predictions,
            });
        }
        let mut predictions = images.iter().flat_map(|image| &image.predictions);
        views.push(GalleryView {
            title: words.text(key, &[("network", network)]),
            has_maps: predictions.any(|found| found.map.is_some()),
            images,
        });
    }
    Ok(views)
}

fn seen_map(
    prediction: &GalleryPrediction,
    input: &ReportInput,
    stored: &mut StoredImages,
    store: &mut ImageStore,
) -> Result<Option<SeenMapView>> {
    let Some(GalleryMap {
        tensor,
        signed,
        view,
    }) = &prediction.map
    else {
        return Ok(None);
    };
    let array = input.tensors.get(tensor);
    let Some((values, [height, width])) = array.and_then(|array| array.shaped()) else {
        return Ok(None);
    };
    let Some((view, [across, down])) = stored.photo_with_size(view, store)? else {
        return Ok(None);
    };
    let silent = values.iter().all(|value| *value == 0.0);
    let map = (!silent).then(|| MapView::new(values, [height, width], *signed, store, input.words));
    Ok(Some(SeenMapView {
        view,
        width: across,
        height: down,
        map: map.transpose()?,
    }))
}
