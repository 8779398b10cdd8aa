//! Bilinear upsampling of a map to the size of an image.

use rayon::prelude::*;

use super::limits::MAX_PIXELS;
use crate::error::{Error, ErrorKind, Result};

/// The map `[map_height, map_width]` at `width` × `height`, row by row: bilinear, as PyTorch's `interpolate`
/// with `align_corners=False`.
///
/// # Errors
/// If the values don't fill the map's shape, if either size is 0, or if the result has more than
/// [`MAX_PIXELS`] values.
pub fn upsample(
    map: &[f32],
    (map_width, map_height): (usize, usize),
    (width, height): (u32, u32),
) -> Result<Vec<f32>> {
    let error = |reason: String| {
        Error::new(
            ErrorKind::Image,
            format!(
                "can't upsample a map of {map_width} × {map_height} to {width} × {height}: {reason}"
            ),
        )
    };
    if map_width.checked_mul(map_height) != Some(map.len()) {
        return Err(error(format!("it has {} values", map.len())));
    }
    if map.is_empty() || width == 0 || height == 0 {
        return Err(error("each side must be at least 1".to_owned()));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(error(format!("at most {MAX_PIXELS} values are allowed")));
    }
    let across = sample_points(map_width, width);
    let mut upsampled = vec![0.0; width as usize * height as usize];
    upsampled
        .par_chunks_exact_mut(width as usize)
        .zip(sample_points(map_height, height))
        .for_each(|(row, down)| {
            let line = |y: usize| &map[y * map_width..(y + 1) * map_width];
            let (upper, lower) = (line(down.first), line(down.second));
            for (value, x) in row.iter_mut().zip(&across) {
                let above = x.between(upper[x.first], upper[x.second]);
                let below = x.between(lower[x.first], lower[x.second]);
                *value = down.between(above, below);
            }
        });
    Ok(upsampled)
}

/// The two neighbouring positions from which a sample is interpolated.
#[derive(Clone, Copy)]
struct SamplePoint {
    first: usize,
    second: usize,
    /// The weight of the second position, 0 to 1.
    weight: f32,
}

impl SamplePoint {
    /// The weighted mean. A value with weight 0 is not read, so that a NaN doesn't spread.
    fn between(self, first: f32, second: f32) -> f32 {
        if self.weight == 0.0 {
            first
        } else {
            first * (1.0 - self.weight) + second * self.weight
        }
    }
}

fn sample_points(from: usize, to: u32) -> Vec<SamplePoint> {
    let step = from as f64 / f64::from(to);
    let last = from.saturating_sub(1);
    (0..to)
        .map(|position| {
            let at = ((f64::from(position) + 0.5) * step - 0.5).max(0.0);
            let first = (at as usize).min(last);
            SamplePoint {
                first,
                second: (first + 1).min(last),
                weight: if first == last {
                    0.0
                } else {
                    (at - first as f64) as f32
                },
            }
        })
        .collect()
}
