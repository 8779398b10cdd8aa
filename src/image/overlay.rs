//! A coarse map over a fine photo.

use image::RgbImage;
use rayon::prelude::*;

use super::colour_map::ColourMap;
use super::decode::MAX_PIXELS;
use super::value_scale::{NO_VALUE, Scale};
use crate::error::{Error, ErrorKind, Result};

/// The map `[map_height, map_width]` at `width` × `height`, bilinear between the middles of its
/// places (PyTorch's `interpolate` with `align_corners=False`), row by row.
///
/// # Errors
/// Where the values don't fit the map's size, or either has no size, or the result too much of it.
pub fn enlarge(
    map: &[f32],
    (map_width, map_height): (usize, usize),
    (width, height): (u32, u32),
) -> Result<Vec<f32>> {
    let refuse = |what: String| {
        Error::new(
            ErrorKind::Picture,
            format!(
                "a map of {map_width} × {map_height} can't be enlarged to {width} × {height}: {what}"
            ),
        )
    };
    if map_width.checked_mul(map_height) != Some(map.len()) {
        return Err(refuse(format!("it has {} values", map.len())));
    }
    if map.is_empty() || width == 0 || height == 0 {
        return Err(refuse("there is nothing in it".to_owned()));
    }
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(refuse("that is too large".to_owned()));
    }
    let across = neighbours(map_width, width);
    let mut enlarged = vec![0.0; width as usize * height as usize];
    enlarged
        .par_chunks_exact_mut(width as usize)
        .zip(neighbours(map_height, height))
        .for_each(|(row, down)| {
            let line = |y: usize| &map[y * map_width..(y + 1) * map_width];
            let (upper, lower) = (line(down.first), line(down.second));
            for (value, x) in row.iter_mut().zip(&across) {
                let above = x.between(upper[x.first], upper[x.second]);
                let below = x.between(lower[x.first], lower[x.second]);
                *value = down.between(above, below);
            }
        });
    Ok(enlarged)
}

/// The two places that a sample lies between.
#[derive(Clone, Copy)]
struct Neighbours {
    first: usize,
    second: usize,
    /// The share of the second, from 0 up to 1.
    part: f32,
}

impl Neighbours {
    /// A neighbour without a share is not asked, so that a NaN stays where it is.
    fn between(self, first: f32, second: f32) -> f32 {
        if self.part == 0.0 {
            first
        } else {
            first * (1.0 - self.part) + second * self.part
        }
    }
}

fn neighbours(from: usize, to: u32) -> Vec<Neighbours> {
    let step = from as f64 / f64::from(to);
    let last = from.saturating_sub(1);
    (0..to)
        .map(|place| {
            let at = ((f64::from(place) + 0.5) * step - 0.5).max(0.0);
            let first = (at as usize).min(last);
            Neighbours {
                first,
                second: (first + 1).min(last),
                part: if first == last {
                    0.0
                } else {
                    (at - first as f64) as f32
                },
            }
        })
        .collect()
}

/// The photo with the map's colours over it, as the report lays them: the weaker a value, the more of the photo shows
/// through, and where the map is strongest its colour covers `alpha` of the photo. The numbers are enlarged, then
/// coloured; where the map has none, the photo stays.
///
/// # Errors
/// As [`enlarge`].
pub fn overlay(
    photo: &RgbImage,
    map: &[f32],
    map_width: usize,
    map_height: usize,
    colours: ColourMap,
    scale: Scale,
    alpha: f32,
) -> Result<RgbImage> {
    let values = enlarge(map, (map_width, map_height), photo.dimensions())?;
    // NaN as an opacity shows the photo alone.
    let alpha = if alpha > 0.0 { alpha.min(1.0) } else { 0.0 };
    let palette = colours.palette();
    let mut laid = photo.clone();
    for (pixel, value) in laid.pixels_mut().zip(values) {
        let index = scale.index(value);
        if index == NO_VALUE {
            continue;
        }
        let part = f32::from(index - 1) / 254.0;
        let strength = match scale.signed {
            true => (2.0 * part - 1.0).abs(),
            false => part,
        };
        let alpha = alpha * (1.15 * strength).min(1.0);
        for (sample, colour) in pixel.0.iter_mut().zip(palette[usize::from(index)]) {
            let mixed = f32::from(*sample) * (1.0 - alpha) + f32::from(colour) * alpha;
            *sample = mixed.round() as u8;
        }
    }
    Ok(laid)
}
