//! The target's value for copies of an image that are changed in a rectangle each.

use tch::Tensor;

use super::batched;
use super::loaded_model::LoadedModel;
use super::target::Target;
use crate::error::Result;
use crate::network::RegionPasses;

/// How many times as large as a rectangle the image is at least for a larger batch.
const SMALL: i64 = 16;

/// Passes of copies of one image with a changed rectangle of one size.
#[derive(Debug)]
pub(super) struct RectangleChanges<'a> {
    model: &'a LoadedModel,
    input: &'a Tensor,
    target: &'a Target,
    /// Height and width of the rectangles.
    size: [i64; 2],
    passes: RegionPasses<'a>,
}

/// The rectangle of one copy.
pub(super) struct Rectangle {
    /// Its first row and column in the image.
    pub(super) start: [i64; 2],
    /// The image's values there, `[C, h, w]`: what is written here is the change.
    pub(super) pixels: Tensor,
}

impl<'a> RectangleChanges<'a> {
    /// Of `input`, `[1, C, H, W]`, for `target`, with rectangles of height and width `size`.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(super) fn new(
        model: &'a LoadedModel,
        input: &'a Tensor,
        target: &'a Target,
        size: [i64; 2],
    ) -> Result<Self> {
        let network = model.network.for_passes();
        Ok(RectangleChanges {
            model,
            input,
            target,
            size,
            passes: network.region_passes(input, &model.info, target.node)?,
        })
    }

    /// How many copies are evaluated at once: more of small rectangles, because less is computed of each.
    pub(super) fn batch_size(&self) -> usize {
        let pixels: i64 = self.input.size().iter().skip(2).product();
        let [height, width] = self.size;
        let most = batched::batch_size(self.input);
        if height * width * SMALL <= pixels {
            (4 * most).min(64)
        } else {
            most
        }
    }

    /// The target's value, `[N]`, for copies whose rectangles begin at `starts` (row and column; those that would reach beyond the image
    /// begin before). `change` gets each copy's number and its rectangle.
    ///
    /// # Errors
    /// Those of `change`, or if libtorch fails.
    pub(super) fn values(
        &self,
        starts: &[[i64; 2]],
        mut change: impl FnMut(usize, &Rectangle) -> Result<()>,
    ) -> Result<Tensor> {
        let (_, _, height, width) = self.input.size4()?;
        let last = [height - self.size[0], width - self.size[1]];
        let starts = starts.iter();
        let starts: Vec<[i64; 2]> = starts
            .map(|start| [0, 1].map(|axis| start[axis].min(last[axis])))
            .collect();
        let mut parts = Vec::with_capacity(starts.len());
        for (copy, &start) in starts.iter().enumerate() {
            let own = self
                .input
                .f_select(0, 0)?
                .f_narrow(1, start[0], self.size[0])?
                .f_narrow(2, start[1], self.size[1])?;
            let mut pixels = own.f_empty_like()?;
            pixels.f_copy_(&own)?;
            let rectangle = Rectangle { start, pixels };
            change(copy, &rectangle)?;
            parts.push(rectangle.pixels);
        }
        let value = self.passes.values(&starts, &Tensor::f_stack(&parts, 0)?)?;
        self.target.values(self.model, &value)
    }
}
