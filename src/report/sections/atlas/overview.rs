//! A map as a still drawing: a PNG of its points, and thumbnails that don't overlap.

use serde::Serialize;

use super::map::Map;
use super::page_data::PageData;
use crate::error::Result;
use crate::image::{data_uri, encode_transparent_png};

/// Width and height of the drawing in pixels.
pub const SIDE: u32 = 900;
/// Cells along each side, of which each shows a thumbnail.
const CELLS: usize = 12;
/// Side of a thumbnail, as a part of the drawing.
const THUMBNAIL: f64 = 0.066;
/// The colours of points: transparent, grey, the eight of the legend (`.k0` to `.k7`).
const COLOURS: [[u8; 3]; 10] = [
    [0, 0, 0],
    [128, 136, 144],
    [115, 98, 214],
    [136, 204, 238],
    [196, 104, 180],
    [44, 150, 80],
    [204, 102, 119],
    [153, 153, 51],
    [221, 170, 51],
    [68, 170, 153],
];
/// Steps of the colour wheel for classes without groups.
const HUES: usize = 36;

/// The still drawing of a map.
#[derive(Debug, Serialize)]
pub struct OverviewView {
    /// The points.
    uri: String,
    thumbs: Vec<ThumbnailView>,
}

/// An image as a thumbnail.
#[derive(Debug, Serialize)]
struct ThumbnailView {
    /// Its column in the sprite.
    column: usize,
    /// Its row in the sprite.
    row: usize,
    /// Its left edge, in per cent of the map.
    x: String,
    /// Its top edge, in per cent of the map.
    y: String,
    kind: Option<usize>,
}

impl OverviewView {
    pub fn new(map: &Map, data: &PageData) -> Result<Self> {
        let positions = map.unit_positions();
        let indices = draw(&positions, data);
        let hues = (0..HUES).map(|hue| hue_colour(hue as f64 / HUES as f64));
        let palette: Vec<[u8; 3]> = COLOURS.into_iter().chain(hues).collect();
        let png = encode_transparent_png(SIDE, SIDE, &indices, &palette)?;
        let mut thumbs = Vec::new();
        if let Some(sprite) = &data.sprite {
            let shown: Vec<[f64; 2]> = sprite.images.iter().map(|row| positions[*row]).collect();
            for at in central_in_cells(&shown) {
                let percent = |centre: f64| format!("{:.2}", (centre - THUMBNAIL / 2.0) * 100.0);
                thumbs.push(ThumbnailView {
                    column: at % sprite.columns,
                    row: at / sprite.columns,
                    x: percent(shown[at][0]),
                    y: percent(shown[at][1]),
                    kind: data.kinds[sprite.images[at]],
                });
            }
        }
        Ok(OverviewView {
            uri: data_uri("image/png", &png),
            thumbs,
        })
    }
}

/// Palette indices of the drawing, row by row.
fn draw(positions: &[[f64; 2]], data: &PageData) -> Vec<u8> {
    let side = SIDE as usize;
    let mut indices = vec![0; side * side];
    // Some thousand points are small discs, more are single pixels.
    let radius = (60.0 / (positions.len().max(1) as f64).sqrt()).clamp(0.5, 4.0);
    let reach = radius.floor() as isize;
    for (row, [x, y]) in positions.iter().enumerate() {
        let colour = match (data.kinds[row], data.hues[row]) {
            (Some(kind), _) => 2 + (kind % 8) as u8,
            (None, Some(part)) => (COLOURS.len() + (part * HUES as f64) as usize % HUES) as u8,
            (None, None) => 1,
        };
        let (x, y) = (x * SIDE as f64, y * SIDE as f64);
        for down in -reach..=reach {
            for across in -reach..=reach {
                if (across * across + down * down) as f64 > radius * radius {
                    continue;
                }
                let (column, line) = (x as isize + across, y as isize + down);
                let inside = 0..side as isize;
                if inside.contains(&column) && inside.contains(&line) {
                    indices[line as usize * side + column as usize] = colour;
                }
            }
        }
    }
    indices
}

/// For each cell of the unit square, the point nearest to the mean of its points.
fn central_in_cells(points: &[[f64; 2]]) -> Vec<usize> {
    let cell_of = |[x, y]: [f64; 2]| {
        let along = |part: f64| ((part * CELLS as f64) as usize).min(CELLS - 1);
        along(y) * CELLS + along(x)
    };
    let mut cells: Vec<Vec<usize>> = vec![Vec::new(); CELLS * CELLS];
    for (at, point) in points.iter().enumerate() {
        cells[cell_of(*point)].push(at);
    }
    let nearest = |cell: Vec<usize>| {
        let mean =
            |axis: usize| cell.iter().map(|at| points[*at][axis]).sum::<f64>() / cell.len() as f64;
        let (x, y) = (mean(0), mean(1));
        let distance = |at: &usize| (points[*at][0] - x).powi(2) + (points[*at][1] - y).powi(2);
        let order = |a: &usize, b: &usize| distance(a).total_cmp(&distance(b));
        cell.iter().copied().min_by(order)
    };
    cells.into_iter().filter_map(nearest).collect()
}

/// The colour of a part of the colour wheel, 0 to 1.
fn hue_colour(part: f64) -> [u8; 3] {
    [0.0, 2.0, 1.0].map(|third| {
        let angle = std::f64::consts::TAU * (part + third / 3.0);
        (128.0 + 80.0 * angle.cos()).round() as u8
    })
}
