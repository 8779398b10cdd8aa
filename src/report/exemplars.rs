//! The unit cards: for every unit its strongest patches of the collection, the best of them taken back to
//! the pixels, and the picture that was made for it; the networks side by side.

use image::{Rgb, RgbImage, imageops};
use serde::Serialize;

use super::cells::{LayerView, floats};
use super::page::Net;
use super::pictures::{Store, Stored};
use super::projections::projection;
use super::words::Words;
use crate::error::Result;
use crate::figures::{Array, Content, Figure, Tensors, UnitExemplars};
use crate::image::{MosaicGrid, thumbnail};
use crate::results::Results;

#[derive(Debug, Serialize)]
pub struct Exemplars {
    /// How many images were looked through.
    pub images: String,
    /// Whether they are the report's own photos.
    pub own: bool,
    pub rows: Vec<Row>,
    pub stored: Vec<Stored>,
}

/// One layer, as far as layers of different networks are the same.
#[derive(Debug, Serialize)]
pub struct Row {
    pub title: String,
    pub cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub struct Cell {
    pub net: Net,
    pub layer: Option<LayerView>,
    pub cards: Vec<CardView>,
    pub message: Option<String>,
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct CardView {
    pub unit: usize,
    pub correlation: Option<String>,
    pub patches: Option<Picture>,
    pub projection: Option<Picture>,
    pub maximised: Option<Picture>,
    /// Its value, as the patches' are.
    pub reached: Option<String>,
    pub highest: String,
    pub lowest: String,
    pub list: Vec<Line>,
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Picture {
    pub id: String,
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Serialize)]
pub struct Line {
    pub value: String,
    pub image: String,
    pub label: Option<String>,
}

/// The section, if some figure has cards.
///
/// # Errors
/// If a picture can't be encoded.
pub fn view(
    results: &Results,
    tensors: &Tensors,
    nets: &[Net],
    words: &Words,
) -> Result<Option<Exemplars>> {
    let figures: Vec<&Figure> = results
        .figures
        .iter()
        .filter(|figure| figure.method == "exemplars")
        .collect();
    if figures.is_empty() {
        return Ok(None);
    }
    let mut keys = Vec::new();
    for figure in &figures {
        let key = results.selector_of(figure);
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut drawing = Drawing {
        results,
        tensors,
        words,
        store: Store::new("e"),
    };
    let mut rows = Vec::new();
    for key in keys {
        let mut cells = Vec::new();
        for net in nets {
            let own = |f: &&&Figure| f.model == net.id && results.selector_of(f) == key;
            cells.push(drawing.cell(net, figures.iter().find(own).copied())?);
        }
        let title = match key {
            Some((name, 0)) => name,
            Some((name, number)) => format!("{name} ({})", number + 1),
            None => String::new(),
        };
        rows.push(Row { title, cells });
    }
    let collection = results.collection.as_ref();
    Ok(Some(Exemplars {
        images: words.whole(collection.map_or(0, |c| c.images) as u64),
        own: collection.is_some_and(|c| c.own),
        rows,
        stored: drawing.store.stored,
    }))
}

struct Drawing<'a> {
    results: &'a Results,
    tensors: &'a Tensors,
    words: &'a Words,
    store: Store,
}

impl Drawing<'_> {
    fn cell(&mut self, net: &Net, figure: Option<&Figure>) -> Result<Cell> {
        let words = self.words;
        let mut cell = Cell {
            net: net.clone(),
            layer: None,
            cards: Vec::new(),
            message: None,
            notes: Vec::new(),
        };
        let Some(figure) = figure else {
            cell.message = Some(words.gap(self.results.failure(&net.id, None, "exemplars")));
            return Ok(cell);
        };
        let model = self.results.models.iter().find(|m| m.id == figure.model);
        cell.layer = model.and_then(|model| {
            let own = model.layers.iter();
            let layer = own.filter(|l| Some(&l.name) == figure.layer.as_ref());
            layer.map(LayerView::new).next()
        });
        cell.notes = figure.notes.iter().map(|note| words.note(note)).collect();
        match &figure.content {
            Content::Exemplars { units } => {
                for card in units {
                    cell.cards.push(self.card(card)?);
                }
            }
            Content::Absent { reason } => cell.message = Some(words.note(reason)),
            _ => cell.message = Some(words.say("cell.none", &[])),
        }
        Ok(cell)
    }

    fn card(&mut self, card: &UnitExemplars) -> Result<CardView> {
        let words = self.words;
        let number = |value: f32| words.number(f64::from(value));
        let projection = match card.projection.as_ref().map(|key| self.tensors.get(key)) {
            Some(array) => match floats(array) {
                Some((values, [3, height, width])) if values.iter().any(|v| *v != 0.0) => {
                    // On a square in grey, which is 0, as the patches are.
                    let (pixels, _) = projection(values, height, width)?;
                    let (width, height) = pixels.dimensions();
                    Some(thumbnail(&pixels, [0, 0, width, height], width.max(height)))
                }
                _ => None,
            },
            None => None,
        };
        let made = card.maximised.as_ref();
        let maximised = made.and_then(|made| planes(self.tensors.get(&made.tensor)?));
        let patches = self.tensors.get(&card.patches).and_then(mosaic);
        let value = |at: Option<&crate::figures::Exemplar>| number(at.map_or(0.0, |e| e.value));
        Ok(CardView {
            unit: card.unit,
            correlation: card.correlation.map(|c| words.fixed(c, 2)),
            patches: self.picture(patches)?,
            projection: self.picture(projection)?,
            maximised: self.picture(maximised)?,
            reached: made.map(|made| number(made.value)),
            highest: value(card.exemplars.first()),
            lowest: value(card.exemplars.last()),
            list: card
                .exemplars
                .iter()
                .map(|exemplar| Line {
                    value: number(exemplar.value),
                    image: exemplar.image.clone(),
                    label: exemplar.label.as_ref().map(|label| label.name.clone()),
                })
                .collect(),
            notes: card.notes.iter().map(|note| words.note(note)).collect(),
        })
    }

    fn picture(&mut self, pixels: Option<RgbImage>) -> Result<Option<Picture>> {
        let Some(pixels) = pixels else {
            return Ok(None);
        };
        Ok(Some(Picture {
            width: pixels.width(),
            height: pixels.height(),
            id: self.store.small(&pixels)?,
        }))
    }
}

/// Patches `[n, side, side, 3]` row by row.
fn mosaic(array: &Array) -> Option<RgbImage> {
    let [count, height, width, 3] = array.shape[..] else {
        return None;
    };
    let grid = MosaicGrid::new(count, width, height, 1).ok()?;
    let mut all = RgbImage::from_pixel(grid.width(), grid.height(), Rgb([128; 3]));
    let tiles = array.bytes()?.chunks_exact(width * height * 3);
    for (number, tile) in tiles.enumerate() {
        let tile = RgbImage::from_raw(grid.tile_width, grid.tile_height, tile.to_vec())?;
        let (x, y) = grid.origin(number);
        imageops::replace(&mut all, &tile, x.into(), y.into());
    }
    Some(all)
}

/// A picture `[3, height, width]` of colours from 0 to 1.
pub(super) fn planes(array: &Array) -> Option<RgbImage> {
    let (values, [3, height, width]) = floats(Some(array))? else {
        return None;
    };
    let (wide, high) = (u32::try_from(width).ok()?, u32::try_from(height).ok()?);
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    Some(RgbImage::from_fn(wide, high, |x, y| {
        let at = y as usize * width + x as usize;
        Rgb([0, 1, 2].map(|colour| byte(values[colour * height * width + at])))
    }))
}
