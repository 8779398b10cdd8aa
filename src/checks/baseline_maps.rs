//! Baseline maps: maps that do not depend on the network, with which the scores of a method's map are compared.

use tch::Tensor;

use super::context::{CheckContext, TestedMap};
use crate::error::Result;
use crate::figures::MapSource;
use crate::rng::Rng;

/// Height and width of the random map: those of the last layer of most networks.
const RANDOM_MAP_SIDE: i64 = 7;

/// Standard deviation of the centre map, as a share of the side.
const CENTRE_DEVIATION: f64 = 0.25;

/// The random map, 7 × 7 values uniform in 0…1, which depends on the seed and the image alone, so that all networks
/// and classes are compared with the same one; and the centre map, a Gaussian in the middle of the input.
///
/// # Errors
/// For a libtorch error.
pub fn baseline_maps(context: &CheckContext) -> Result<Vec<(MapSource, TestedMap)>> {
    let input = context.input()?;
    let (height, width) = (input.size()[2], input.size()[3]);
    let purpose = format!("a random map for {}", context.pass.forward.image);
    let mut rng = Rng::new(context.model().seed, &purpose);
    let random: Vec<f32> = (0..RANDOM_MAP_SIDE * RANDOM_MAP_SIDE)
        .map(|_| rng.uniform() as f32)
        .collect();
    let gaussian = |position: i64, side: i64| {
        let offset = (position as f64 + 0.5) / side as f64 - 0.5;
        (-offset * offset / (2.0 * CENTRE_DEVIATION * CENTRE_DEVIATION)).exp()
    };
    let centre: Vec<f32> = (0..height)
        .flat_map(|y| (0..width).map(move |x| (gaussian(y, height) * gaussian(x, width)) as f32))
        .collect();
    let map = |values: &[f32], shape: [i64; 2]| -> Result<TestedMap> {
        let map = Tensor::from_slice(values).f_view(shape)?;
        Ok(TestedMap {
            map: map.f_to_device(context.model().device)?,
            key: None,
        })
    };
    Ok(vec![
        (MapSource::Random, map(&random, [RANDOM_MAP_SIDE; 2])?),
        (MapSource::Centre, map(&centre, [height, width])?),
    ])
}
