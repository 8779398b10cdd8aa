//! Compares the networks, from the results of all of them: predictions, maps, layers.

mod common_part;
mod layers;
mod map_agreement;
mod map_pairs;
mod predictions;
mod statistics;

use crate::error::Result;
use crate::figures::{Comparison, Tensors};
use crate::results::Results;

/// How far the networks agree; `None` where there is only one and no layers are compared. The matrices of CKA are
/// added to `tensors`.
///
/// # Errors
/// If a map or a Gram matrix is not float32.
pub(super) fn compare(results: &Results, tensors: &mut Tensors) -> Result<Option<Comparison>> {
    let layers = layers::layer_agreements(results, tensors)?;
    if results.models.len() < 2 {
        return Ok((!layers.is_empty()).then(|| Comparison {
            predictions: Vec::new(),
            maps: Vec::new(),
            parts: Vec::new(),
            images: Vec::new(),
            layers,
        }));
    }
    let pairs = map_pairs::map_pairs(results, tensors)?;
    Ok(Some(Comparison {
        predictions: predictions::prediction_agreement(results),
        maps: map_agreement::map_agreements(&pairs, results),
        parts: map_agreement::compared_parts(&pairs, results),
        images: map_agreement::image_agreements(&pairs, results),
        layers,
    }))
}
