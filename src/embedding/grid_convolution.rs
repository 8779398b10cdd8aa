//! The convolution of a square grid with an even kernel, by fast Fourier transforms on twice its side.

use rayon::prelude::*;
use realfft::{ComplexToReal, RealFftPlanner, RealToComplex};
use rustfft::{Fft, FftPlanner, num_complex::Complex};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};

/// Rows that a task takes at a time: as many complex numbers as fill two lines of the cache.
const ROWS: usize = 8;

/// A kernel, ready to be applied to grids of one size.
pub(super) struct GridConvolution {
    /// Nodes of the grid along each axis.
    side: usize,
    /// Twice as many, so that the kernel does not wrap around.
    length: usize,
    /// The kernel's transform, which is real, `[length / 2 + 1, length]`.
    kernel: Vec<f64>,
    transforms: Transforms,
}

struct Transforms {
    forward_rows: Arc<dyn RealToComplex<f64>>,
    inverse_rows: Arc<dyn ComplexToReal<f64>>,
    forward_columns: Arc<dyn Fft<f64>>,
    inverse_columns: Arc<dyn Fft<f64>>,
}

/// The sides of grids whose transforms are fast: 2, 3 and 5 are the only prime factors.
pub(super) fn fast_side(least: usize) -> usize {
    let is_fast = |side: &usize| {
        let mut rest = *side;
        for factor in [2, 3, 5] {
            while rest.is_multiple_of(factor) {
                rest /= factor;
            }
        }
        rest == 1
    };
    (least.max(1)..).find(is_fast).unwrap_or(least)
}

impl GridConvolution {
    /// The convolution with `kernel(x, y)` at the distances of `x` and `y` nodes, multiplied by `filter` of the frequency (cycles
    /// per node) along both axes.
    ///
    /// # Errors
    /// If a transform fails.
    pub fn new(
        side: usize,
        kernel: impl Fn(f64, f64) -> f64,
        filter: impl Fn(f64) -> f64,
    ) -> Result<Self> {
        let length = 2 * side;
        let mut real = RealFftPlanner::new();
        let mut complex = FftPlanner::new();
        let transforms = Transforms {
            forward_rows: real.plan_fft_forward(length),
            inverse_rows: real.plan_fft_inverse(length),
            forward_columns: complex.plan_fft_forward(length),
            inverse_columns: complex.plan_fft_inverse(length),
        };
        let distance = |index: usize| index.min(length - index) as f64;
        let values = (0..length * length)
            .map(|at| kernel(distance(at % length), distance(at / length)))
            .collect();
        let spectrum = transforms.forward(values, length)?;
        let factors: Vec<f64> = (0..length)
            .map(|at| filter(distance(at) / length as f64))
            .collect();
        let kernel = spectrum
            .iter()
            .enumerate()
            .map(|(at, value)| {
                // Both inverse transforms together multiply by length².
                value.re * factors[at % length] * factors[at / length] / (length * length) as f64
            })
            .collect();
        Ok(GridConvolution {
            side,
            length,
            kernel,
            transforms,
        })
    }

    /// Nodes of the grid along each axis.
    pub fn side(&self) -> usize {
        self.side
    }

    /// The convolution of `grid`, `[side, side]`.
    ///
    /// # Errors
    /// If a transform fails.
    pub fn apply(&self, grid: &[f64]) -> Result<Vec<f64>> {
        let (side, length) = (self.side, self.length);
        let mut padded = vec![0.0; side * length];
        for (to, from) in padded.chunks_exact_mut(length).zip(grid.chunks_exact(side)) {
            to[..side].copy_from_slice(from);
        }
        let mut spectrum = self.transforms.forward(padded, length)?;
        spectrum
            .par_chunks_mut(ROWS * length)
            .zip(self.kernel.par_chunks(ROWS * length))
            .for_each(|(rows, kernel)| {
                for (value, factor) in rows.iter_mut().zip(kernel) {
                    *value *= *factor;
                }
                self.transforms.inverse_columns.process(rows);
            });
        self.transforms.inverse(&spectrum, side, length)
    }
}

impl Transforms {
    /// The transform of `rows · length` values, below which there are only zeros: transposed, `[length / 2 + 1, length]`.
    fn forward(&self, mut values: Vec<f64>, length: usize) -> Result<Vec<Complex<f64>>> {
        let half = length / 2 + 1;
        let rows = values.len() / length;
        let mut by_row = vec![Complex::default(); rows * half];
        by_row
            .par_chunks_mut(half)
            .zip(values.par_chunks_mut(length))
            .try_for_each(|(to, from)| self.forward_rows.process(from, to))
            .map_err(failed)?;
        let mut spectrum = vec![Complex::default(); half * length];
        spectrum
            .par_chunks_mut(ROWS * length)
            .enumerate()
            .for_each(|(chunk, columns)| {
                for (row, from) in by_row.chunks_exact(half).enumerate() {
                    for (column, value) in from[chunk * ROWS..].iter().take(ROWS).enumerate() {
                        columns[column * length + row] = *value;
                    }
                }
                self.forward_columns.process(columns);
            });
        Ok(spectrum)
    }

    /// The first `side` rows and columns of the values of a spectrum whose columns have been transformed back.
    fn inverse(&self, spectrum: &[Complex<f64>], side: usize, length: usize) -> Result<Vec<f64>> {
        let half = length / 2 + 1;
        let mut grid = vec![0.0; side * side];
        grid.par_chunks_mut(ROWS * side)
            .enumerate()
            .try_for_each(|(chunk, rows)| {
                let count = rows.len() / side;
                let mut by_row = vec![Complex::default(); count * half];
                for (column, from) in spectrum.chunks_exact(length).enumerate() {
                    for (row, value) in from[chunk * ROWS..].iter().take(count).enumerate() {
                        by_row[row * half + column] = *value;
                    }
                }
                let mut values = vec![0.0; length];
                for (to, from) in rows
                    .chunks_exact_mut(side)
                    .zip(by_row.chunks_exact_mut(half))
                {
                    // Rounding leaves an imaginary part where a real row has none.
                    from[0].im = 0.0;
                    from[half - 1].im = 0.0;
                    self.inverse_rows.process(from, &mut values)?;
                    to.copy_from_slice(&values[..side]);
                }
                Ok(())
            })
            .map_err(failed)?;
        Ok(grid)
    }
}

fn failed(error: realfft::FftError) -> Error {
    Error::new(ErrorKind::Network, "a Fourier transform failed").caused_by(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn convolution_equals_the_sum() {
        let kernel = |x: f64, y: f64| 1.0 / (1.0 + x * x + 2.0 * y * y);
        for side in [5, 12] {
            let grid: Vec<f64> = (0..side * side).map(|at| ((at * 7) % 11) as f64).collect();
            let convolution = GridConvolution::new(side, kernel, |_| 1.0).unwrap();
            let ours = convolution.apply(&grid).unwrap();
            for (at, ours) in ours.iter().enumerate() {
                let apart = |a: usize, b: usize| (a as f64 - b as f64).abs();
                let sum: f64 = (0..side * side)
                    .map(|other| {
                        let (x, y) = (
                            apart(at % side, other % side),
                            apart(at / side, other / side),
                        );
                        grid[other] * kernel(x, y)
                    })
                    .sum();
                assert!((ours - sum).abs() < 1e-9 * sum, "{ours} against {sum}");
            }
        }
    }

    #[test]
    fn fast_sides_have_small_prime_factors() {
        assert_eq!(
            [1, 7, 11, 13, 241, 601].map(fast_side),
            [1, 8, 12, 15, 243, 625]
        );
    }
}
