//! The picture as it is seen from a little elsewhere at every step: shifted, turned, larger or smaller. What
//! excites a unit only from one exact place is noise; what survives this is a pattern.

use tch::Tensor;

use crate::error::Result;
use crate::rng::Rng;

/// Reflection, so that the picture has no edge that could be seen.
const REFLECTED: i64 = 2;
const BILINEAR: i64 = 0;

/// How far a view may be from the picture itself.
#[derive(Debug, Clone, Copy)]
pub struct Reach {
    /// Along either side, in parts of it.
    pub shift: f64,
    /// In radians.
    pub turn: f64,
    /// Larger or smaller, in parts of the size.
    pub zoom: f64,
}

/// One view of each of `pictures`, `[N, 3, H, W]`, by its own chance.
///
/// # Errors
/// If libtorch refuses.
pub fn look(pictures: &Tensor, reach: &Reach, chances: &mut [Rng]) -> Result<Tensor> {
    let mut ways = Vec::with_capacity(6 * chances.len());
    for chance in chances.iter_mut() {
        let angle = chance.symmetric(reach.turn);
        let zoom = 1.0 + chance.symmetric(reach.zoom);
        let (sine, cosine) = (angle.sin() / zoom, angle.cos() / zoom);
        // Along a side, −1 to 1 is its whole length.
        let (right, down) = (
            2.0 * chance.symmetric(reach.shift),
            2.0 * chance.symmetric(reach.shift),
        );
        ways.extend([cosine, -sine, right, sine, cosine, down].map(|part| part as f32));
    }
    let ways = Tensor::from_slice(&ways)
        .f_view([chances.len() as i64, 2, 3])?
        .f_to_device(pictures.device())?;
    let places = Tensor::f_affine_grid_generator(&ways, pictures.size().as_slice(), false)?;
    Ok(pictures.f_grid_sampler(&places, BILINEAR, REFLECTED, false)?)
}
