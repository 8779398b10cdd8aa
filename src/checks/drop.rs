//! `drop`: average drop and increase in confidence (Chattopadhay et al. 2018, <https://arxiv.org/abs/1710.11063>).
//!
//! **What it shows.** Whether the network still knows the class in what a map lets through.
//! **How it is computed.** The map, enlarged bilinearly and brought to 0…1 (of a signed map what speaks for the class, over
//! its largest value; of another its range), multiplies the preprocessed picture: where it is 0, the mean colour is left.
//! The drop is the share of the class's probability that is lost, 0 where it rises; over photos and classes, its mean
//! and the share of those where it rises.
//! **How to read it.** A small drop and many rises: the map keeps what the network uses.
//! **What it can't show.** A map that lets everything through drops nothing; read it beside the random map and the blob.
//! **Options.** None. **Cost.** One forward pass a map.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{Asked, Candidate, Check};
use crate::error::Result;
use crate::figures::{CheckedMap, Drop as Found};
use crate::methods::batched;

/// No options.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drop {}

impl Check for Drop {
    fn look(&self, asked: &Asked, maps: &[Candidate], found: &mut [CheckedMap]) -> Result<()> {
        let input = asked.input()?;
        let Some(whole) = asked.probabilities(&input)?.first().copied() else {
            return Ok(());
        };
        let size = batched::batch(&input);
        for (maps, found) in maps.chunks(size).zip(found.chunks_mut(size)) {
            let mut dimmed = Vec::with_capacity(maps.len());
            for candidate in maps {
                dimmed.push(input.f_mul(&unit(&candidate.enlarged(&input)?)?)?);
            }
            let probabilities = asked.probabilities(&Tensor::f_cat(&dimmed, 0)?)?;
            for (found, dimmed) in found.iter_mut().zip(probabilities) {
                found.drop = Some(Found { whole, dimmed });
            }
        }
        Ok(())
    }
}

/// Brought to 0…1; all 0 where nothing is positive.
fn unit(map: &Tensor) -> Result<Tensor> {
    let (low, high) = (
        map.f_min()?.f_double_value(&[])?,
        map.f_max()?.f_double_value(&[])?,
    );
    let low = low.max(0.0);
    match high > low {
        true => Ok(map
            .f_add_scalar(-low)?
            .f_div_scalar(high - low)?
            .f_clamp(0.0, 1.0)?),
        false => Ok(map.f_zeros_like()?),
    }
}
