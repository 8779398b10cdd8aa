//! Random transformations of the image at every step of the ascent: shifted (jitter), rotated, scaled. What excites a unit
//! only at one exact position is noise; what survives the transformations is a pattern (Olah et al. 2017).

use tch::Tensor;

use crate::error::Result;
use crate::rng::Rng;

/// libtorch's code for reflection padding, so that the image has no visible border.
const REFLECTION_PADDING: i64 = 2;
/// libtorch's code for bilinear interpolation.
const BILINEAR: i64 = 0;

/// The ranges of the random transformations; each is uniform between minus and plus its bound.
#[derive(Debug, Clone, Copy)]
pub struct AugmentationRanges {
    /// Shift in both directions, as a part of the side.
    pub shift: f64,
    /// Rotation in radians.
    pub rotation: f64,
    /// Change of scale, as a part of the size.
    pub scale: f64,
}

/// Transforms each of `images`, `[N, 3, H, W]`, by the next random numbers of its own generator.
///
/// # Errors
/// If libtorch fails.
pub fn augment(images: &Tensor, ranges: &AugmentationRanges, rngs: &mut [Rng]) -> Result<Tensor> {
    let mut matrices = Vec::with_capacity(6 * rngs.len());
    for rng in rngs.iter_mut() {
        let angle = rng.symmetric(ranges.rotation);
        let scale = 1.0 + rng.symmetric(ranges.scale);
        let (sine, cosine) = (angle.sin() / scale, angle.cos() / scale);
        // Grid coordinates go from −1 to 1 along a side.
        let (right, down) = (
            2.0 * rng.symmetric(ranges.shift),
            2.0 * rng.symmetric(ranges.shift),
        );
        matrices.extend([cosine, -sine, right, sine, cosine, down].map(|entry| entry as f32));
    }
    let matrices = Tensor::from_slice(&matrices)
        .f_view([rngs.len() as i64, 2, 3])?
        .f_to_device(images.device())?;
    let grid = Tensor::f_affine_grid_generator(&matrices, images.size().as_slice(), false)?;
    Ok(images.f_grid_sampler(&grid, BILINEAR, REFLECTION_PADDING, false)?)
}
