//! Activations of some units propagated back to the pixels: each projection, the patch of the photo beside it, and
//! where in the photo the patch lies.

use serde::Serialize;

use super::image_store::ImageStore;
use super::pixels::{projection_image, three_colours};
use crate::error::Result;
use crate::figures::{Tensors, UnitProjection};
use crate::image::{Drawing, Window};
use crate::report::words::Words;

/// The projections of one layer.
#[derive(Debug, Serialize)]
pub struct ProjectionsView {
    /// One for each unit.
    pub units: Vec<ProjectionView>,
    /// How many units the layer has.
    pub of: usize,
}

/// One unit's projection.
#[derive(Debug, Serialize)]
pub struct ProjectionView {
    /// The unit.
    pub unit: usize,
    /// Its number in the overview, from 1.
    pub number: usize,
    /// The activation that was projected.
    pub value: String,
    /// The id of the stored projection.
    pub id: Option<String>,
    /// Why there is none.
    pub message: Option<String>,
    /// The end of its own scale: black is minus that, white plus that.
    pub end: String,
    /// The patch, in pixels of the photo.
    pub window: Window,
    /// The patch's centre, in pixels of the photo.
    pub middle: (usize, usize),
}

impl ProjectionsView {
    /// The view of the projections `units` of a layer with `of` units for a photo that is drawn as `drawing` says; the images go into `store`.
    ///
    /// # Errors
    /// If an image can't be encoded.
    pub fn new(
        units: &[UnitProjection],
        of: usize,
        tensors: &Tensors,
        drawing: Option<&Drawing>,
        store: &mut ImageStore,
        words: &Words,
    ) -> Result<ProjectionsView> {
        let mut views = Vec::new();
        for (index, projected) in units.iter().enumerate() {
            let window = projected.window;
            let mut view = ProjectionView {
                unit: projected.unit,
                number: index + 1,
                value: words.number(f64::from(projected.value)),
                id: None,
                message: None,
                end: String::new(),
                window,
                middle: (
                    window.left + window.width / 2,
                    window.top + window.height / 2,
                ),
            };
            let array = tensors.get(&projected.tensor);
            match array.and_then(|array| array.shaped()) {
                Some((values, shape @ [_, height, width])) => {
                    let values = &*three_colours(values, shape, drawing);
                    if values.iter().all(|v| *v == 0.0) {
                        view.message = Some(words.text("projection.silent", &[]));
                    } else {
                        let (pixels, end) = projection_image(values, height, width)?;
                        view.end = words.number(f64::from(end));
                        view.id = Some(store.small_rgb(&pixels)?);
                    }
                }
                _ => {
                    let gaps = [("key", projected.tensor.as_str())];
                    view.message = Some(words.text("cell.missing", &gaps));
                }
            }
            views.push(view);
        }
        Ok(ProjectionsView { units: views, of })
    }
}
