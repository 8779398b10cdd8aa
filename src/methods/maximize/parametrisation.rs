//! What an ascent moves, and the picture that it stands for.
//!
//! A picture is easier to find as a spectrum than as pixels: steps then change all scales alike, and
//! colours that go together in photos go together (Olah et al. 2017, "Feature Visualization",
//! <https://distill.pub/2017/feature-visualization>). Both ways lead to the same kind of picture in the end.

use tch::{Device, Kind, Tensor};

use crate::error::Result;
use crate::rng::Rng;

/// How strongly high frequencies are held back: they are divided by this power of the frequency. Photos fall by
/// 1; a little more keeps dense texture down, which small networks with ReLU6 are prone to.
const DECAY: f64 = 1.25;
/// Deviation of the first spectrum, close to an even grey.
const FIRST: f64 = 0.01;
/// What the inverse transform is divided by before the colours are mixed.
const SOFTER: f64 = 4.0;

/// The square root of the covariance of ImageNet's colours, row by row, as Lucid publishes it
/// (`lucid/optvis/param/color.py`); its largest column has the norm [`LONGEST`].
const COLOURS: [f32; 9] = [0.26, 0.09, 0.02, 0.27, 0.00, -0.05, 0.27, -0.09, 0.03];
const LONGEST: f64 = 0.4619;

/// A first spectrum for each of `chances`, `[N, 3, side, side / 2 + 1, 2]`: near zero, real and imaginary part.
pub fn first_spectrum(chances: &mut [Rng], side: i64) -> Result<Tensor> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The inverse transform as its definition has it, frequency by frequency.
    #[test]
    fn planes_are_the_sum_of_their_waves() {
        for side in [6i64, 7] {
            let mut chances = [Rng::new(1, "waves"), Rng::new(2, "waves")];
            let spectrum = first_spectrum(&mut chances, side).unwrap();
            let found = planes(&spectrum, &amplitudes(side, Device::Cpu).unwrap()).unwrap();
            assert_eq!(found.size(), [2, 3, side, side]);
            let length = side as f64;
            for (picture, colour, y, x) in [(0, 0, 0, 0), (0, 2, 3, 1), (1, 1, side - 1, 4)] {
                let mut sum = 0.0;
                for row in 0..side {
                    for column in 0..=side / 2 {
                        let part =
                            |part| spectrum.double_value(&[picture, colour, row, column, part]);
                        let down = row.min(side - row) as f64 / length;
                        let along = column as f64 / length;
                        let frequency = down.hypot(along).max(1.0 / length);
                        let angle = std::f64::consts::TAU * (row * y + column * x) as f64 / length;
                        // A wave and its mirror are one, save for those that are their own.
                        let alone = column == 0 || 2 * column == side;
                        let wave = part(0) * angle.cos() - part(1) * angle.sin();
                        sum +=
                            if alone { 1.0 } else { 2.0 } * wave * length / frequency.powf(DECAY);
                    }
                }
                let wanted = sum / (length * length) / SOFTER;
                let value = found.double_value(&[picture, colour, y, x]);
                assert!((value - wanted).abs() < 1e-6, "{side}: {value} {wanted}");
            }
        }
    }

    #[test]
    fn colours_are_mixed_by_the_published_root() {
        let planes = Tensor::from_slice(&[1f32, 0.5, -2.0]).view([1, 3, 1, 1]);
        let found = colours(&planes).unwrap();
        for (colour, row) in COLOURS.chunks(3).enumerate() {
            let mixed = (row[0] + 0.5 * row[1] - 2.0 * row[2]) / LONGEST as f32;
            let wanted = 1.0 / (1.0 + (-mixed).exp());
            let value = found.double_value(&[0, colour as i64, 0, 0]) as f32;
            assert!((value - wanted).abs() < 1e-6, "{colour}: {value} {wanted}");
        }
        let longest = (0..3).map(|column| {
            let squares = COLOURS[column..]
                .iter()
                .step_by(3)
                .map(|c| f64::from(*c).powi(2));
            squares.sum::<f64>().sqrt()
        });
        assert!((longest.fold(0.0, f64::max) - LONGEST).abs() < 1e-4);
    }
}
