//! The report's first picture: every photo with one method's map of each network over it, and what the network says.

use serde::Serialize;

use super::cell::{CellRenderer, CellView};
use super::method::method_title;
use super::photo::PhotoView;
use super::prediction::{PredictionView, prediction};
use crate::error::Result;
use crate::figures::{Content, Figure};
use crate::report::input::ReportInput;

/// How many photos are shown: what fits on a screen or two.
const MOST_PHOTOS: usize = 12;

/// The methods whose maps show best in a small picture where an object is, best first.
const PREFERRED: [&str; 3] = ["grad_cam", "layer_cam", "grad_cam_plus_plus"];

/// The photos with the maps of one method.
#[derive(Debug, Serialize)]
pub struct OverviewView<'a> {
    /// The method's title.
    method: String,
    photos: Vec<OverviewPhotoView<'a>>,
    /// How many more photos there are.
    more: usize,
    /// Whether a photo has a true class.
    labelled: bool,
}

/// A photo, and a tile for each network.
#[derive(Debug, Serialize)]
struct OverviewPhotoView<'a> {
    photo: &'a PhotoView,
    tiles: Vec<TileView>,
}

/// A network's map over the photo, and its prediction.
#[derive(Debug, Serialize)]
struct TileView {
    cell: CellView,
    prediction: PredictionView,
}

impl<'a> OverviewView<'a> {
    /// The overview; `None` where no network has a map of a photo. Its images are those of the photos' own sections.
    ///
    /// # Errors
    /// If an image can't be encoded.
    pub fn new(input: &'a ReportInput<'a>) -> Result<Option<OverviewView<'a>>> {
        let Some(method) = shown_method(input) else {
            return Ok(None);
        };
        let count = input.photos.len().min(MOST_PHOTOS);
        let mut photos = Vec::with_capacity(count);
        for index in 0..count {
            photos.push(OverviewPhotoView::new(input, index, method)?);
        }
        Ok(Some(OverviewView {
            method: method_title(method, input.words),
            labelled: input.photos.iter().any(|photo| photo.label.is_some()),
            more: input.photos.len() - count,
            photos,
        }))
    }
}

impl<'a> OverviewPhotoView<'a> {
    fn new(input: &'a ReportInput<'a>, index: usize, method: &str) -> Result<Self> {
        let photo = &input.photos[index];
        let image = &input.results.images[index].id;
        // What it stores is stored in the photo's section, under the same ids.
        let store = photo.store(&input.results.images[index], input.tensors)?;
        let mut renderer = CellRenderer::new(input, index, store);
        let mut tiles = Vec::with_capacity(input.nets.len());
        for net in &input.nets {
            let cell = match shown_figure(input, &net.id, image, method) {
                Some(figure) => renderer.cell(net, figure)?,
                None => renderer.missing_cell(net, method),
            };
            tiles.push(TileView {
                cell,
                prediction: PredictionView::new(input.results, net, image, input.words),
            });
        }
        Ok(OverviewPhotoView { photo, tiles })
    }
}

/// The method of the overview: a preferred one, or the first with maps of photos.
fn shown_method<'a>(input: &'a ReportInput) -> Option<&'a str> {
    let figures = input.figures.iter().copied();
    let with_maps: Vec<&str> = figures
        .filter(|figure| is_map(figure))
        .map(|figure| figure.method.as_str())
        .collect();
    let preferred = PREFERRED.into_iter().find(|own| with_maps.contains(own));
    preferred.or_else(|| with_maps.first().copied())
}

/// The map of a network for a photo: of its predicted class if there is one; of the last layer.
fn shown_figure<'a>(
    input: &'a ReportInput,
    model: &str,
    image: &str,
    method: &str,
) -> Option<&'a Figure> {
    let own = |figure: &&Figure| {
        let of_photo = figure.image.as_deref() == Some(image) && figure.model == model;
        of_photo && figure.method == method && is_map(figure)
    };
    let figures = || input.figures.iter().copied().filter(own);
    let predicted = prediction(input.results, model, image);
    let predicted = predicted.and_then(|found| found.top.first());
    let is_predicted = |figure: &&Figure| {
        let class = figure.target.as_ref().and_then(|target| target.class());
        class.is_some_and(|class| predicted.is_some_and(|top| top.class.index == class.index))
    };
    figures()
        .rfind(is_predicted)
        .or_else(|| figures().next_back())
}

fn is_map(figure: &Figure) -> bool {
    figure.image.is_some() && matches!(figure.content, Content::Map { .. })
}
