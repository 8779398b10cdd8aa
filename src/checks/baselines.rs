//! Maps that know nothing of the network: what a method's numbers have to be better than.

use tch::Tensor;

use super::{Asked, Candidate};
use crate::error::Result;
use crate::figures::Map;
use crate::rng::Rng;

/// Cells on a side of the random map: as coarse as the last layer of most networks.
const CELLS: i64 = 7;

/// The two: a 7 × 7 map of even random numbers, drawn for the seed, the picture and nothing else (so that all
/// networks and classes stand against the same one), and a Gaussian blob in the middle whose deviation is a
/// quarter of the side.
///
/// # Errors
/// If libtorch refuses.
pub fn baselines(asked: &Asked) -> Result<Vec<(Map, Candidate)>> {
    let input = asked.input()?;
    let (height, width) = (input.size()[2], input.size()[3]);
    let purpose = format!("a random map for {}", asked.pass.pass.image);
    let mut chance = Rng::new(asked.subject().seed, &purpose);
    let drawn: Vec<f32> = (0..CELLS * CELLS)
        .map(|_| chance.uniform() as f32)
        .collect();
    let bell = |at: i64, side: i64| {
        let off = (at as f64 + 0.5) / side as f64 - 0.5;
        (-off * off / (2.0 * 0.25 * 0.25)).exp()
    };
    let blob: Vec<f32> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (bell(y, height) * bell(x, width)) as f32))
        .collect();
    let map = |values: &[f32], shape: [i64; 2]| -> Result<Candidate> {
        let map = Tensor::from_slice(values).f_view(shape)?;
        Ok(Candidate {
            map: map.f_to_device(asked.subject().device)?,
            key: None,
        })
    };
    Ok(vec![
        (Map::Random, map(&drawn, [CELLS, CELLS])?),
        (Map::Centre, map(&blob, [height, width])?),
    ])
}
