//! Parametrisations of the image that gradient ascent optimises.
//!
//! A spectrum is easier to optimise than pixels: a step changes all scales alike, and colours that correlate in photos
//! correlate in the image (Olah et al. 2017, "Feature Visualization", <https://distill.pub/2017/feature-visualization>).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use crate::error::Result;
use crate::rng::Rng;

/// The exponent of the frequency by which the amplitudes of a spectrum are divided. Amplitudes of photos fall with
/// exponent 1; a little more suppresses dense texture, to which small networks with ReLU6 are prone.
const DECAY: f64 = 1.25;
/// The standard deviation of the initial spectrum, whose image is nearly uniform grey.
const INITIAL_DEVIATION: f64 = 0.01;
/// What the inverse transform is divided by before the colours are mixed, as in Lucid.
const PIXEL_SCALE: f64 = 4.0;

/// The square root of the covariance of ImageNet's colours, row by row, as Lucid publishes it
/// (`lucid/optvis/param/color.py`); its largest column has the norm [`LARGEST_COLUMN_NORM`].
const COLOUR_CORRELATION: [f32; 9] = [0.26, 0.09, 0.02, 0.27, 0.00, -0.05, 0.27, -0.09, 0.03];
const LARGEST_COLUMN_NORM: f64 = 0.4619;

/// What gradient ascent optimises.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Parametrisation {
    /// A Fourier spectrum, of three channels with decorrelated colours, the image transformed at random at every step (Olah et al. 2017).
    #[default]
    Fourier,
    /// The pixels, from the mean colour, with an L2 penalty on the distance from it (Simonyan et al. 2013).
    Pixels,
}

/// An initial spectrum of `channels` from each of `rngs`, `[N, channels, side, side / 2 + 1, 2]`: small normal values, real and imaginary part.
///
/// # Errors
/// If libtorch fails.
pub fn initial_spectra(rngs: &mut [Rng], channels: i64, side: i64) -> Result<Tensor> {
    let shape = [channels, side, side / 2 + 1, 2];
    let count = shape.iter().product::<i64>() as usize;
    let spectra = rngs
        .iter_mut()
        .map(|rng| Ok(Tensor::from_slice(&rng.normal(count, INITIAL_DEVIATION)).f_view(shape)?));
    Ok(Tensor::f_stack(&spectra.collect::<Result<Vec<_>>>()?, 0)?)
}

/// The factor of the amplitude of every frequency of a real image of `side` × `side`, `[side, side / 2 + 1]`:
/// the inverse of the frequency to the power of [`DECAY`].
///
/// # Errors
/// If libtorch fails.
pub fn amplitude_factors(side: i64, device: Device) -> Result<Tensor> {
    let length = side as f64;
    let mut factors = Vec::with_capacity((side * (side / 2 + 1)) as usize);
    for row in 0..side {
        // Frequencies along the rows: 0, 1, … and then the negative ones up to −1.
        let vertical = if 2 * row < side { row } else { row - side } as f64 / length;
        for column in 0..=side / 2 {
            let horizontal = column as f64 / length;
            let frequency = vertical.hypot(horizontal).max(1.0 / length);
            factors.push((length / frequency.powf(DECAY)) as f32);
        }
    }
    let shape = [side, side / 2 + 1];
    Ok(Tensor::from_slice(&factors)
        .f_view(shape)?
        .f_to_device(device)?)
}

/// The planes `[N, C, side, side]` of spectra `[N, C, side, side / 2 + 1, 2]`: their inverse real Fourier transform.
///
/// # Errors
/// If libtorch fails.
pub fn inverse_transform(spectra: &Tensor, factors: &Tensor) -> Result<Tensor> {
    let side = spectra.size()[2];
    let scaled = spectra.f_mul(&factors.f_unsqueeze(-1)?)?;
    let planes = scaled.f_view_as_complex()?.f_fft_irfft2(
        [side, side].as_slice(),
        [-2i64, -1].as_slice(),
        "backward",
    )?;
    Ok(planes.f_div_scalar(PIXEL_SCALE)?)
}

/// Images `[N, C, H, W]` in 0…1 from decorrelated planes of that shape: three channels are mixed to colours that correlate as
/// ImageNet's do, others are left as they are; then a sigmoid.
///
/// # Errors
/// If libtorch fails.
pub fn correlate_colours(planes: &Tensor) -> Result<Tensor> {
    if planes.size().get(1) != Some(&3) {
        return Ok(planes.f_sigmoid()?);
    }
    let matrix = Tensor::from_slice(&COLOUR_CORRELATION)
        .f_view([3, 3])?
        .f_div_scalar(LARGEST_COLUMN_NORM)?
        .f_to_device(planes.device())?;
    let (batch, _, height, width) = planes.size4()?;
    let mixed = matrix.f_matmul(&planes.f_view([batch, 3, height * width])?)?;
    Ok(mixed.f_view([batch, 3, height, width])?.f_sigmoid()?)
}

/// One value for each channel as `[1, C, 1, 1]`.
///
/// # Errors
/// If libtorch fails.
pub fn per_channel(values: &[f64], device: Device) -> Result<Tensor> {
    let values = Tensor::from_slice(values).f_to_kind(Kind::Float)?;
    Ok(values.f_view([1, -1, 1, 1])?.f_to_device(device)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse transform by its definition, frequency by frequency.
    #[test]
    fn the_inverse_transform_is_a_sum_of_waves() {
        for side in [6i64, 7] {
            let mut rngs = [Rng::new(1, "waves"), Rng::new(2, "waves")];
            let spectrum = initial_spectra(&mut rngs, 3, side).unwrap();
            let found =
                inverse_transform(&spectrum, &amplitude_factors(side, Device::Cpu).unwrap())
                    .unwrap();
            assert_eq!(found.size(), [2, 3, side, side]);
            let length = side as f64;
            for (image, colour, y, x) in [(0, 0, 0, 0), (0, 2, 3, 1), (1, 1, side - 1, 4)] {
                let mut sum = 0.0;
                for row in 0..side {
                    for column in 0..=side / 2 {
                        let part =
                            |part| spectrum.double_value(&[image, colour, row, column, part]);
                        let vertical = row.min(side - row) as f64 / length;
                        let horizontal = column as f64 / length;
                        let frequency = vertical.hypot(horizontal).max(1.0 / length);
                        let angle = std::f64::consts::TAU * (row * y + column * x) as f64 / length;
                        // Every wave counts twice, for its conjugate, unless it is its own conjugate.
                        let own_conjugate = column == 0 || 2 * column == side;
                        let wave = part(0) * angle.cos() - part(1) * angle.sin();
                        sum += if own_conjugate { 1.0 } else { 2.0 } * wave * length
                            / frequency.powf(DECAY);
                    }
                }
                let expected = sum / (length * length) / PIXEL_SCALE;
                let value = found.double_value(&[image, colour, y, x]);
                assert!(
                    (value - expected).abs() < 1e-6,
                    "{side}: {value} {expected}"
                );
            }
        }
    }

    #[test]
    fn colours_are_mixed_by_the_published_matrix() {
        let planes = Tensor::from_slice(&[1f32, 0.5, -2.0]).view([1, 3, 1, 1]);
        let found = correlate_colours(&planes).unwrap();
        for (colour, row) in COLOUR_CORRELATION.chunks(3).enumerate() {
            let mixed = (row[0] + 0.5 * row[1] - 2.0 * row[2]) / LARGEST_COLUMN_NORM as f32;
            let expected = 1.0 / (1.0 + (-mixed).exp());
            let value = found.double_value(&[0, colour as i64, 0, 0]) as f32;
            assert!(
                (value - expected).abs() < 1e-6,
                "{colour}: {value} {expected}"
            );
        }
        let norms = (0..3).map(|column| {
            let squares = COLOUR_CORRELATION[column..]
                .iter()
                .step_by(3)
                .map(|c| f64::from(*c).powi(2));
            squares.sum::<f64>().sqrt()
        });
        assert!((norms.fold(0.0, f64::max) - LARGEST_COLUMN_NORM).abs() < 1e-4);
    }
}
