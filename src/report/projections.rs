//! The units of a layer taken back to the pixels: each projection, the patch of the photo beside it, and
//! where on the photo that patch lies.

use image::RgbImage;
use image::imageops::{self, FilterType};
use serde::Serialize;

use super::cells::floats;
use super::photos::Drawing;
use super::pictures::Shown;
use crate::error::Result;
use crate::figures::UnitProjection;
use crate::image::Window;

/// The longer side of a stored projection: they are shown small, and there are many.
const SIDE: u32 = 144;

#[derive(Debug, Serialize)]
pub struct ProjectionsView {
    pub units: Vec<UnitView>,
    pub of: usize,
}

#[derive(Debug, Serialize)]
pub struct UnitView {
    pub unit: usize,
    /// Its number in the overview, from 1.
    pub number: usize,
    pub value: String,
    /// The stored projection, where there is something to see.
    pub id: Option<String>,
    /// Why there is none.
    pub message: Option<String>,
    /// The end of its own scale, `±` that.
    pub end: String,
    pub window: Window,
    /// The window's middle, in pixels of the photo.
    pub middle: (usize, usize),
}

impl Drawing<'_> {
    /// The projections of one layer.
    ///
    /// # Errors
    /// If a picture can't be encoded.
    pub(super) fn projections(
        &mut self,
        units: &[UnitProjection],
        of: usize,
    ) -> Result<ProjectionsView> {
        let mut views = Vec::new();
        for (at, projected) in units.iter().enumerate() {
            let window = projected.window;
            let mut view = UnitView {
                unit: projected.unit,
                number: at + 1,
                value: self.words.number(f64::from(projected.value)),
                id: None,
                message: None,
                end: String::new(),
                window,
                middle: (
                    window.left + window.width / 2,
                    window.top + window.height / 2,
                ),
            };
            match floats(self.tensors.get(&projected.tensor)) {
                Some((values, [3, height, width])) => {
                    if values.iter().all(|v| *v == 0.0) {
                        view.message = Some(self.words.say("projection.silent", &[]));
                    } else {
                        let (pixels, end) = projection(values, height, width)?;
                        view.end = self.words.number(f64::from(end));
                        view.id = Some(self.store.small(&pixels)?);
                    }
                }
                _ => {
                    let gaps = [("key", projected.tensor.as_str())];
                    view.message = Some(self.words.say("cell.missing", &gaps));
                }
            }
            views.push(view);
        }
        Ok(ProjectionsView { units: views, of })
    }
}

/// A projection `[3, height, width]` in its colours, grey where it is 0, as large as it is stored; and the
/// magnitude that is black or white.
///
/// # Errors
/// If it has no pixels.
pub(super) fn projection(values: &[f32], height: usize, width: usize) -> Result<(RgbImage, f32)> {
    let end = Shown::of(values, true).scale.high;
    let pixels = crate::image::kernel_mosaic(values, [1, height, width], end, 1)?;
    let longer = pixels.width().max(pixels.height());
    if longer <= SIDE {
        return Ok((pixels, end));
    }
    let side = |length: u32| (length * SIDE / longer).max(1);
    let (width, height) = (side(pixels.width()), side(pixels.height()));
    let pixels = imageops::resize(&pixels, width, height, FilterType::Triangle);
    Ok((pixels, end))
}
