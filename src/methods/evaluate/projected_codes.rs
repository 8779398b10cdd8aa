//! Short codes of the labelled images: a layer's values, averaged over the positions, multiplied by a random matrix.
//!
//! A random projection to 64 dimensions keeps the distances of codes to about 18 % (Johnson & Lindenstrauss 1984), which is enough
//! to find groups of similar images, and needs no second pass over the images, as principal components would.

use tch::{Kind, Tensor};

use super::rows::Rows;
use crate::error::Result;
use crate::methods::{LoadedModel, to_floats};
use crate::network::graph::NodeId;
use crate::rng::Rng;

/// The largest number of dimensions of a short code.
const DIMENSIONS: usize = 64;

/// The short codes of the images observed so far.
#[derive(Debug)]
pub(super) struct ProjectedCodes {
    layer: NodeId,
    pub(super) rows: Rows,
    /// The random matrix, once the codes' size is known.
    projection: Option<Tensor>,
}

impl ProjectedCodes {
    pub(super) fn new(layer: NodeId) -> Self {
        ProjectedCodes {
            layer,
            rows: Rows::new("codes"),
            projection: None,
        }
    }

    /// The node whose values are the codes.
    pub(super) fn layer(&self) -> NodeId {
        self.layer
    }

    /// Adds the codes of those images of a batch that are `wanted`, from the layer's value.
    ///
    /// # Errors
    /// If libtorch fails.
    pub(super) fn observe(
        &mut self,
        model: &LoadedModel,
        value: &Tensor,
        wanted: &[bool],
    ) -> Result<()> {
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
        let rows = values.chunks_exact(dims.clamp(1, DIMENSIONS));
        for (row, _) in rows.zip(wanted).filter(|(_, wanted)| **wanted) {
            self.rows.push(row);
        }
        Ok(())
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
