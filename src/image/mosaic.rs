//! Many small maps side by side: a layer's channels, a layer's kernels.

use image::{Rgb, RgbImage};

use super::decode::MAX_PIXELS;
use super::value_scale::{NO_VALUE, Scale};
use crate::error::{Error, ErrorKind, Result};

/// Pixels between two tiles.
const GAP: u64 = 1;

/// Where the tiles of a mosaic lie: row by row, as near to a square as they come, one pixel apart,
/// none around.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    pub columns: u32,
    pub rows: u32,
    /// Of one tile, in pixels of the mosaic.
    pub tile_width: u32,
    pub tile_height: u32,
}

impl Grid {
    /// The grid of `count` tiles of `width` × `height`, each enlarged `zoom` times.
    ///
    /// # Errors
    /// Where any of these is 0, or the mosaic would have more than [`MAX_PIXELS`].
    pub fn new(count: usize, width: usize, height: usize, zoom: u32) -> Result<Grid> {
        let refuse = |what: &str| {
            Error::new(
                ErrorKind::Picture,
                format!(
                    "a mosaic of {count} tiles of {width} × {height}, {zoom} times enlarged, {what}"
                ),
            )
        };
        if count == 0 || width == 0 || height == 0 || zoom == 0 {
            return Err(refuse("has no pixels"));
        }
        let too_large = || refuse("would be too large");
        let most = MAX_PIXELS as usize;
        if count > most || width > most || height > most || u64::from(zoom) > MAX_PIXELS {
            return Err(too_large());
        }
        let (count, zoom) = (count as u64, u64::from(zoom));
        let (wide, high) = (width as u64 * zoom, height as u64 * zoom);
        // Tiles alone, before the columns are tried one by one.
        if u128::from(count) * u128::from(wide) * u128::from(high) > u128::from(MAX_PIXELS) {
            return Err(too_large());
        }
        let sides = |columns: u64| {
            let rows = count.div_ceil(columns);
            (columns * (wide + GAP) - GAP, rows * (high + GAP) - GAP)
        };
        let columns = (1..=count)
            .min_by_key(|columns| {
                let (across, down) = sides(*columns);
                let empty = columns * count.div_ceil(*columns) - count;
                (across.max(down), empty, *columns)
            })
            .unwrap_or(1);
        let (across, down) = sides(columns);
        if across.saturating_mul(down) > MAX_PIXELS {
            return Err(too_large());
        }
        // All of these are at most `MAX_PIXELS`.
        Ok(Grid {
            columns: columns as u32,
            rows: count.div_ceil(columns) as u32,
            tile_width: wide as u32,
            tile_height: high as u32,
        })
    }

    /// Of the mosaic, in pixels.
    pub fn width(&self) -> u32 {
        (self.columns * (self.tile_width + 1)).saturating_sub(1)
    }

    /// Of the mosaic, in pixels.
    pub fn height(&self) -> u32 {
        (self.rows * (self.tile_height + 1)).saturating_sub(1)
    }

    /// The pixel of the mosaic at the upper left of tile `number`.
    pub fn origin(&self, number: usize) -> (u32, u32) {
        let columns = self.columns.max(1) as usize;
        let (column, row) = ((number % columns) as u32, (number / columns) as u32);
        (column * (self.tile_width + 1), row * (self.tile_height + 1))
    }
}

/// Channels as indices into one palette.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mosaic {
    pub grid: Grid,
    pub width: u32,
    pub height: u32,
    /// Row by row, `width · height`; [`NO_VALUE`] between the tiles.
    pub indices: Vec<u8>,
}

/// The channels `[k, h, w]` side by side, each value a square of `zoom` pixels. `scales` has one
/// scale for all channels, or one for each.
///
/// # Errors
/// Where the values or the scales don't fit the shape, or the mosaic has no size or too much of it.
pub fn channels(
    values: &[f32],
    [k, h, w]: [usize; 3],
    scales: &[Scale],
    zoom: u32,
) -> Result<Mosaic> {
    let grid = Grid::new(k, w, h, zoom)?;
    fits(values.len(), &[k, h, w])?;
    if scales.len() != 1 && scales.len() != k {
        return Err(Error::new(
            ErrorKind::Picture,
            format!(
                "{k} channels have {} scales; one, or one each, is right",
                scales.len()
            ),
        ));
    }
    let (width, height) = (grid.width(), grid.height());
    let mut indices = vec![NO_VALUE; width as usize * height as usize];
    let numbered = values.chunks_exact(h * w).zip(scales.iter().cycle());
    for (number, (channel, scale)) in numbered.enumerate() {
        draw(grid, number, w, zoom, |x, y, place| {
            let at = y as usize * width as usize + x as usize;
            if let (Some(to), Some(value)) = (indices.get_mut(at), channel.get(place)) {
                *to = scale.index(*value);
            }
        });
    }
    Ok(Mosaic {
        grid,
        width,
        height,
        indices,
    })
}

/// Kernels `[k, 3, h, w]` as colour tiles side by side: in each colour −`magnitude` is black, 0 mid
/// grey and `magnitude` white, beyond clamped. White lies between the tiles; NaN is black.
///
/// # Errors
/// Where the values don't fit the shape, or the mosaic has no size or too much of it.
pub fn kernels(
    values: &[f32],
    [k, h, w]: [usize; 3],
    magnitude: f32,
    zoom: u32,
) -> Result<RgbImage> {
    let grid = Grid::new(k, w, h, zoom)?;
    fits(values.len(), &[k, 3, h, w])?;
    let mut tiles = RgbImage::from_pixel(grid.width(), grid.height(), Rgb([255; 3]));
    for (number, kernel) in values.chunks_exact(3 * h * w).enumerate() {
        draw(grid, number, w, zoom, |x, y, place| {
            let colour = [0, 1, 2].map(|c| {
                kernel
                    .get(c * h * w + place)
                    .map_or(0, |value| shade(*value, magnitude))
            });
            if let Some(pixel) = tiles.get_pixel_mut_checked(x, y) {
                *pixel = Rgb(colour);
            }
        });
    }
    Ok(tiles)
}

/// Calls `set(x, y, place)` for every pixel of a tile with its place in the tile's values.
fn draw(grid: Grid, number: usize, w: usize, zoom: u32, mut set: impl FnMut(u32, u32, usize)) {
    let (left, top) = grid.origin(number);
    for y in 0..grid.tile_height {
        for x in 0..grid.tile_width {
            let place = (y / zoom) as usize * w + (x / zoom) as usize;
            set(left + x, top + y, place);
        }
    }
}

/// 0 for −`magnitude`, 128 for 0, 255 for `magnitude`.
fn shade(value: f32, magnitude: f32) -> u8 {
    if value.is_nan() {
        return 0;
    }
    // Written so that a magnitude of 0 or NaN leaves every value mid grey.
    let part = if magnitude > 0.0 {
        (f64::from(value) / f64::from(magnitude)).clamp(-1.0, 1.0)
    } else {
        0.0
    };
    ((part + 1.0) * 127.5).round() as u8
}

fn fits(length: usize, shape: &[usize]) -> Result<()> {
    let needed = shape
        .iter()
        .try_fold(1_usize, |product, side| product.checked_mul(*side));
    if needed == Some(length) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Picture,
        format!("{length} values don't fill the shape {shape:?}"),
    ))
}
