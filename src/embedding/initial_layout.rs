//! The initial layout of t-SNE: the first two principal components, as Kobak & Berens 2019
//! (<https://doi.org/10.1038/s41467-019-13056-x>) recommend.

use super::pca::PrincipalComponents;
use crate::error::{Error, ErrorKind, Result};
use crate::rng::SplitMix64;

/// The standard deviation of the first coordinate, as in scikit-learn: so small that the forces decide where points go.
const STANDARD_DEVIATION: f64 = 1e-4;
/// The largest random displacement of a point, as a part of [`STANDARD_DEVIATION`].
const JITTER: f64 = 1e-3;

/// The first two principal components scaled to a standard deviation of 1e-4, each coordinate displaced by at most a
/// thousandth of that, by `seed`: `[n, 2]`, row by row. Maps from other seeds are equally good solutions.
///
/// # Errors
/// If all points are equal.
pub fn initial_layout(components: &PrincipalComponents, seed: u64) -> Result<Vec<f32>> {
    let dims = components.dims;
    let count = components.values.len() / dims.max(1);
    let first = components.values.iter().step_by(dims.max(1));
    let variance = first.map(|x| f64::from(*x).powi(2)).sum::<f64>() / count.max(1) as f64;
    if variance <= 0.0 {
        let message = "the layer has the same code for every image: there is nothing to map";
        return Err(Error::new(ErrorKind::Network, message));
    }
    let stream = SplitMix64::new(seed);
    let random = |index: usize| (stream.at(index as u64 + 1) as i64 as f64) / 2f64.powi(63);
    let scale = STANDARD_DEVIATION / variance.sqrt();
    let mut layout = Vec::with_capacity(count * 2);
    for point in 0..count {
        for axis in 0..2 {
            let coordinate = if axis < dims {
                f64::from(components.values[point * dims + axis]) * scale
            } else {
                0.0
            };
            let jitter = random(2 * point + axis) * STANDARD_DEVIATION * JITTER;
            layout.push((coordinate + jitter) as f32);
        }
    }
    Ok(layout)
}
