//! Mosaics: the channels or the kernels of a layer as tiles side by side.

use image::{Rgb, RgbImage};

use super::limits::MAX_PIXELS;
use super::value_scale::{NO_VALUE, ValueScale};
use crate::error::{Error, ErrorKind, Result};

/// Pixels between two tiles.
const GAP: u64 = 1;

/// The positions of a mosaic's tiles: row by row, as near to a square as possible, one pixel apart,
/// without a border.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MosaicGrid {
    /// Tiles in a row.
    pub columns: u32,
    /// Rows of tiles.
    pub rows: u32,
    /// The width of a tile in pixels of the mosaic.
    pub tile_width: u32,
    /// The height of a tile in pixels of the mosaic.
    pub tile_height: u32,
}

impl MosaicGrid {
    /// The grid of `count` tiles of `width` × `height`, each enlarged `zoom` times.
    ///
    /// # Errors
    /// If any of these is 0, or if the mosaic would have more than [`MAX_PIXELS`].
    pub fn new(count: usize, width: usize, height: usize, zoom: u32) -> Result<MosaicGrid> {
        let error = |problem: &str| {
            Error::new(
                ErrorKind::Image,
                format!(
                    "a mosaic of {count} tiles of {width} × {height}, each enlarged {zoom} times, {problem}"
                ),
            )
        };
        if count == 0 || width == 0 || height == 0 || zoom == 0 {
            return Err(error("has no pixels; each must be at least 1"));
        }
        let too_large = || {
            error(&format!(
                "has too many pixels; at most {MAX_PIXELS} are allowed"
            ))
        };
        let limit = MAX_PIXELS as usize;
        if count > limit || width > limit || height > limit || u64::from(zoom) > MAX_PIXELS {
            return Err(too_large());
        }
        let (count, zoom) = (count as u64, u64::from(zoom));
        let (tile_width, tile_height) = (width as u64 * zoom, height as u64 * zoom);
        // Checks the tiles alone, before the loop over the numbers of columns.
        if u128::from(count) * u128::from(tile_width) * u128::from(tile_height)
            > u128::from(MAX_PIXELS)
        {
            return Err(too_large());
        }
        let sides = |columns: u64| {
            let rows = count.div_ceil(columns);
            (
                columns * (tile_width + GAP) - GAP,
                rows * (tile_height + GAP) - GAP,
            )
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
        Ok(MosaicGrid {
            columns: columns as u32,
            rows: count.div_ceil(columns) as u32,
            tile_width: tile_width as u32,
            tile_height: tile_height as u32,
        })
    }

    /// The width of the mosaic in pixels.
    pub fn width(&self) -> u32 {
        (self.columns * (self.tile_width + 1)).saturating_sub(1)
    }

    /// The height of the mosaic in pixels.
    pub fn height(&self) -> u32 {
        (self.rows * (self.tile_height + 1)).saturating_sub(1)
    }

    /// The pixel of the mosaic at the upper left of the tile with that index.
    pub fn origin(&self, index: usize) -> (u32, u32) {
        let columns = self.columns.max(1) as usize;
        let (column, row) = ((index % columns) as u32, (index / columns) as u32);
        (column * (self.tile_width + 1), row * (self.tile_height + 1))
    }
}

/// Channels as tiles of palette indices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mosaic {
    /// The positions of the tiles.
    pub grid: MosaicGrid,
    /// The width in pixels.
    pub width: u32,
    /// The height in pixels.
    pub height: u32,
    /// Row by row, `width · height`; [`NO_VALUE`] between the tiles.
    pub indices: Vec<u8>,
}

/// The channels `[k, h, w]` side by side, each value a square of `zoom` pixels. `scales` has one
/// scale for all channels, or one for each.
///
/// # Errors
/// If the values or the scales don't fit the shape, or as [`MosaicGrid::new`].
pub fn channel_mosaic(
    values: &[f32],
    [k, h, w]: [usize; 3],
    scales: &[ValueScale],
    zoom: u32,
) -> Result<Mosaic> {
    let grid = MosaicGrid::new(k, w, h, zoom)?;
    check_length(values.len(), &[k, h, w])?;
    if scales.len() != 1 && scales.len() != k {
        return Err(Error::new(
            ErrorKind::Image,
            format!("{k} channels need 1 or {k} scales, got {}", scales.len()),
        ));
    }
    let (width, height) = (grid.width(), grid.height());
    let mut indices = vec![NO_VALUE; width as usize * height as usize];
    let scaled = values.chunks_exact(h * w).zip(scales.iter().cycle());
    for (tile, (channel, scale)) in scaled.enumerate() {
        draw_tile(grid, tile, w, zoom, |x, y, position| {
            let at = y as usize * width as usize + x as usize;
            if let (Some(to), Some(value)) = (indices.get_mut(at), channel.get(position)) {
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
/// grey and `magnitude` white; values beyond are clamped, and NaN is black. The gaps between tiles are white.
///
/// # Errors
/// If the values don't fit the shape, or as [`MosaicGrid::new`].
pub fn kernel_mosaic(
    values: &[f32],
    [k, h, w]: [usize; 3],
    magnitude: f32,
    zoom: u32,
) -> Result<RgbImage> {
    let grid = MosaicGrid::new(k, w, h, zoom)?;
    check_length(values.len(), &[k, 3, h, w])?;
    let mut tiles = RgbImage::from_pixel(grid.width(), grid.height(), Rgb([255; 3]));
    for (tile, kernel) in values.chunks_exact(3 * h * w).enumerate() {
        draw_tile(grid, tile, w, zoom, |x, y, position| {
            let colour = [0, 1, 2].map(|c| {
                kernel
                    .get(c * h * w + position)
                    .map_or(0, |value| grey_level(*value, magnitude))
            });
            if let Some(pixel) = tiles.get_pixel_mut_checked(x, y) {
                *pixel = Rgb(colour);
            }
        });
    }
    Ok(tiles)
}

/// Calls `set(x, y, position)` for every pixel of a tile with the position of its value in the tile.
fn draw_tile(
    grid: MosaicGrid,
    tile: usize,
    w: usize,
    zoom: u32,
    mut set: impl FnMut(u32, u32, usize),
) {
    let (left, top) = grid.origin(tile);
    for y in 0..grid.tile_height {
        for x in 0..grid.tile_width {
            let position = (y / zoom) as usize * w + (x / zoom) as usize;
            set(left + x, top + y, position);
        }
    }
}

/// 0 for −`magnitude`, 128 for 0, 255 for `magnitude`.
fn grey_level(value: f32, magnitude: f32) -> u8 {
    if value.is_nan() {
        return 0;
    }
    // With a magnitude of 0 or NaN every value is mid grey.
    let part = if magnitude > 0.0 {
        (f64::from(value) / f64::from(magnitude)).clamp(-1.0, 1.0)
    } else {
        0.0
    };
    ((part + 1.0) * 127.5).round() as u8
}

fn check_length(length: usize, shape: &[usize]) -> Result<()> {
    let needed = shape
        .iter()
        .try_fold(1_usize, |product, side| product.checked_mul(*side));
    if needed == Some(length) {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Image,
        format!("the shape {shape:?} doesn't hold {length} values"),
    ))
}
