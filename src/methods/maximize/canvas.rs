//! What an ascent moves, and the picture that it stands for.
//!
//! A picture is easier to find as a spectrum than as pixels: steps then change all scales alike, and
//! colours that go together in photos go together (Olah et al. 2017, "Feature Visualization",
//! <https://distill.pub/2017/feature-visualization>). Both ways lead to the same kind of picture in the end.

use tch::{Device, Kind, Tensor};

use super::chance::Chance;
use crate::error::Result;

/// How strongly high frequencies are held back: they are divided by this power of the frequency.
const DECAY: f64 = 1.0;
/// Deviation of the first spectrum, close to an even grey.
const FIRST: f64 = 0.01;
/// What the inverse transform is divided by before the colours are mixed.
const SOFTER: f64 = 4.0;

/// The square root of the covariance of ImageNet's colours, row by row, as Lucid publishes it
/// (`lucid/optvis/param/color.py`); its largest column has the norm [`LONGEST`].
const COLOURS: [f32; 9] = [0.26, 0.09, 0.02, 0.27, 0.00, -0.05, 0.27, -0.09, 0.03];
const LONGEST: f64 = 0.4619;

/// A first spectrum for each of `chances`, `[N, 3, side, side / 2 + 1, 2]`: near zero, real and imaginary part.
pub fn first_spectrum(chances: &mut [Chance], side: i64) -> Result<Tensor> {
    let shape = [3, side, side / 2 + 1, 2];
    let count = shape.iter().product::<i64>() as usize;
    let each = chances
        .iter_mut()
        .map(|chance| Ok(Tensor::from_slice(&chance.normal(count, FIRST)).f_view(shape)?));
    Ok(Tensor::f_stack(&each.collect::<Result<Vec<_>>>()?, 0)?)
}

/// Of every frequency that a real picture of `side` × `side` has, `[side, side / 2 + 1]`: what its
/// amplitude is multiplied by. Photos have spectra that fall as 1 / frequency.
pub fn amplitudes(side: i64, device: Device) -> Result<Tensor> {
    let length = side as f64;
    let mut all = Vec::with_capacity((side * (side / 2 + 1)) as usize);
    for row in 0..side {
        // Rows run through 0, 1, … and then through the negative frequencies up to −1.
        let down = if 2 * row < side { row } else { row - side } as f64 / length;
        for column in 0..=side / 2 {
            let along = column as f64 / length;
            let frequency = down.hypot(along).max(1.0 / length);
            all.push((length / frequency.powf(DECAY)) as f32);
        }
    }
    let shape = [side, side / 2 + 1];
    Ok(Tensor::from_slice(&all)
        .f_view(shape)?
        .f_to_device(device)?)
}

/// The planes `[N, 3, side, side]` that spectra `[N, 3, side, side / 2 + 1, 2]` stand for: the inverse
/// Fourier transform, real because the left half of the frequencies is the right one's mirror.
///
/// # Errors
/// If libtorch refuses.
pub fn planes(spectrum: &Tensor, amplitudes: &Tensor) -> Result<Tensor> {
    let side = spectrum.size()[2];
    let weighed = spectrum.f_mul(&amplitudes.f_unsqueeze(-1)?)?;
    let planes = weighed.f_view_as_complex()?.f_fft_irfft2(
        [side, side].as_slice(),
        [-2i64, -1].as_slice(),
        "backward",
    )?;
    Ok(planes.f_div_scalar(SOFTER)?)
}

/// Pictures `[N, 3, H, W]` in 0…1 from independent planes of that shape: mixed to colours that vary together
/// as ImageNet's do, then squeezed by a sigmoid.
///
/// # Errors
/// If libtorch refuses.
pub fn colours(planes: &Tensor) -> Result<Tensor> {
    let mix = Tensor::from_slice(&COLOURS)
        .f_view([3, 3])?
        .f_div_scalar(LONGEST)?
        .f_to_device(planes.device())?;
    let (batch, _, height, width) = planes.size4()?;
    let mixed = mix.f_matmul(&planes.f_view([batch, 3, height * width])?)?;
    Ok(mixed.f_view([batch, 3, height, width])?.f_sigmoid()?)
}

/// A value for each of three colours as `[1, 3, 1, 1]`.
pub fn of_colours(values: &[f64; 3], device: Device) -> Result<Tensor> {
    let values = Tensor::from_slice(values).f_to_kind(Kind::Float)?;
    Ok(values.f_view([1, 3, 1, 1])?.f_to_device(device)?)
}
