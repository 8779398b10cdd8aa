//! Short codes of the labelled images: a layer's values, averaged over the positions, multiplied by a random matrix.
//!
//! A random projection to 64 dimensions keeps the distances of codes to about 18 % (Johnson & Lindenstrauss 1984), which is enough
//! to find groups of similar images, and needs no second pass over the images, as principal components would.

use tch::{Kind, Tensor};

use crate::error::Result;
use crate::figures::Array;
use crate::methods::sampled_rows::SampledRows;
use crate::methods::{CollectorState, LoadedModel, to_floats};
use crate::network::graph::NodeId;
use crate::rng::{Rng, fnv1a};

/// The largest number of dimensions of a short code.
const DIMENSIONS: usize = 64;

/// The key of the codes in a state.
const CODES: &str = "codes";

/// The largest number of images whose codes are kept, so that memory does not grow with the collection.
pub(super) const MOST_CODES: usize = 5000;

/// The short codes of a sample of the images observed so far.
#[derive(Debug)]
pub(super) struct ProjectedCodes {
    layer: NodeId,
    codes: SampledRows,
    /// The random matrix, once the codes' size is known.
    projection: Option<Tensor>,
}

impl ProjectedCodes {
    pub(super) fn new(layer: NodeId, model: &LoadedModel) -> Self {
        let seed = model.seed ^ fnv1a("the images whose codes are kept");
        ProjectedCodes {
            layer,
            codes: SampledRows::new(MOST_CODES, seed, [CODES.to_owned()]),
            projection: None,
        }
    }

    /// The node whose values are the codes.
    pub(super) fn layer(&self) -> NodeId {
        self.layer
    }

    /// Adds the codes of those images of a batch that are `wanted` and belong to the sample, from the layer's value. `first` is the
    /// index of the batch's first image.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(super) fn observe(
        &mut self,
        model: &LoadedModel,
        (first, value): (usize, &Tensor),
        wanted: &[bool],
    ) -> Result<()> {
        let offsets = (0..wanted.len()).filter(|&offset| wanted[offset]);
        let kept: Vec<usize> = offsets
            .filter(|offset| self.codes.add(first + offset))
            .collect();
        if kept.is_empty() {
            return Ok(());
        }
        let map = model.map(self.layer, value)?;
        let codes = match map.dim() {
            0..=2 => map,
            _ => map
                .f_flatten(2, -1)?
                .f_mean_dim([2i64].as_slice(), false, None::<Kind>)?,
        };
        let codes = codes.f_to_kind(Kind::Float)?;
        let dims = codes.size().last().map_or(0, |dims| *dims) as usize;
        let codes = if dims > DIMENSIONS {
            codes.f_matmul(self.projection(model, dims)?)?
        } else {
            codes
        };
        let values = to_floats(&codes)?;
        let width = dims.clamp(1, DIMENSIONS);
        for offset in kept {
            let row = &values[offset * width..][..width];
            self.codes.push(0, row);
        }
        self.codes.thin();
        Ok(())
    }

    /// The codes, `[n, 1 + dims]`: the image's index in the collection, then its code.
    pub(super) fn array(&self) -> Array {
        let images = self.codes.images();
        let width = self.codes.width(0);
        let codes = self.codes.rows(0).chunks_exact(width.max(1));
        let rows = images.iter().zip(codes);
        let values =
            rows.flat_map(|(image, code)| [*image as f32].into_iter().chain(code.to_vec()));
        Array::f32(&[images.len(), 1 + width], values.collect())
    }

    /// Adds them to a state, whose values become those of the sample.
    pub(super) fn save(&self, state: &mut CollectorState) {
        state.values = CollectorState::from_values(self.codes.sample()).values;
        self.codes.save(state);
    }

    /// Continues with those of a state.
    ///
    /// # Errors
    /// If it has none.
    pub(super) fn resume(&mut self, state: &CollectorState) -> Result<()> {
        self.codes.resume(state.parse_values()?, state)
    }

    /// Adds those of a state of the images that follow.
    ///
    /// # Errors
    /// If it has none.
    pub(super) fn append(&mut self, later: &CollectorState) -> Result<()> {
        self.codes.append(&later.parse_values()?, later)
    }

    fn projection(&mut self, model: &LoadedModel, dims: usize) -> Result<&Tensor> {
        if self.projection.is_none() {
            let mut rng = Rng::new(model.seed, "the projection of codes");
            let deviation = (1.0 / DIMENSIONS as f64).sqrt();
            let numbers = rng.normal(dims * DIMENSIONS, deviation);
            let matrix = Tensor::from_slice(&numbers).f_view([dims as i64, DIMENSIONS as i64])?;
            self.projection = Some(matrix.f_to_device(model.device)?);
        }
        // It has just been made.
        Ok(self.projection.get_or_insert_with(Tensor::new))
    }
}
