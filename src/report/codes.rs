//! Maps of codes: each network's images as points and as pictures, and a grid where every image has
//! its place.
//!
//! All thumbnails are one JPEG, cut by CSS: a picture of its own for each would weigh ten times as
//! much, and a drawing of the grid a second time as much.

use image::{RgbImage, imageops};
use serde::Serialize;

use super::page::Net;
use super::words::Words;
use crate::error::Result;
use crate::figures::{Array, CodedImage, Codes, Content, Figure, GroupedBy, Tensors};
use crate::image::{data_uri, encode_jpeg};
use crate::methods::tsne::grid_size;
use crate::results::Results;

/// Thumbnails are shown small.
const QUALITY: u8 = 72;
/// A map's drawing is so wide and high, its points kept off the edges by the margin.
const SIDE: f64 = 1000.0;
const MARGIN: f64 = 50.0;
/// Side of a thumbnail on the map, and how far apart two have to be at least.
const THUMB: f64 = 66.0;
const APART: f64 = 82.0;

#[derive(Debug, Serialize)]
pub struct Section {
    pub sprites: Vec<Sprite>,
    /// One row a layer that was asked for, one cell a network.
    pub rows: Vec<Vec<Cell>>,
    pub legend: Vec<Entry>,
    /// What the colours say.
    pub coloured: String,
}

/// All thumbnails of the networks that see alike.
#[derive(Debug, Serialize)]
pub struct Sprite {
    pub uri: String,
    pub columns: usize,
    pub rows: usize,
    #[serde(skip)]
    key: String,
}

#[derive(Debug, Serialize)]
pub struct Entry {
    pub kind: usize,
    pub name: String,
    pub count: usize,
}

#[derive(Debug, Serialize)]
pub struct Cell {
    pub net: Net,
    pub layer: String,
    pub alt: String,
    pub grid_alt: String,
    pub side: f64,
    pub points: Vec<Dot>,
    pub thumbs: Vec<Thumb>,
    /// Columns of the grid.
    pub columns: usize,
    /// Cell by cell, row by row.
    pub grid: Vec<Option<Thumb>>,
    pub said: Vec<String>,
}

/// An image as a point, in parts of the drawing.
#[derive(Debug, Serialize)]
pub struct Dot {
    pub x: String,
    pub y: String,
    pub colour: Colour,
    pub title: String,
}

/// An image as a picture.
#[derive(Debug, Clone, Serialize)]
pub struct Thumb {
    pub sprite: usize,
    /// Its place in the sprite.
    pub column: usize,
    pub row: usize,
    /// Of its upper left corner, in per cent of the map.
    pub x: String,
    pub y: String,
    pub colour: Colour,
    pub title: String,
}

/// A kind's colour, one of a class's own, or none.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Colour {
    pub kind: Option<usize>,
    /// In degrees around the wheel.
    pub hue: Option<usize>,
}

/// The section, where some method mapped codes.
pub fn section(
    results: &Results,
    tensors: &Tensors,
    nets: &[Net],
    words: &Words,
) -> Result<Option<Section>> {
    let mut section = Section {
        sprites: Vec::new(),
        rows: Vec::new(),
        legend: Vec::new(),
        coloured: String::new(),
    };
    let mut of_net = vec![0; nets.len()];
    for figure in &results.figures {
        let Content::Codes(codes) = &figure.content else {
            continue;
        };
        let Some(place) = nets.iter().position(|net| net.id == figure.model) else {
            continue;
        };
        let Some(sprite) = section.sprite(codes, tensors)? else {
            continue;
        };
        let Some(cell) = section.cell(&nets[place], figure, codes, sprite, tensors, words) else {
            continue;
        };
        if section.coloured.is_empty() {
            section.explain(codes, words);
        }
        let row = of_net[place];
        of_net[place] += 1;
        if section.rows.len() <= row {
            section.rows.push(Vec::new());
        }
        section.rows[row].push(cell);
    }
    Ok((!section.rows.is_empty()).then_some(section))
}

impl Section {
    /// The number of the sprite that has these thumbnails, made where there is none yet.
    fn sprite(&mut self, codes: &Codes, tensors: &Tensors) -> Result<Option<usize>> {
        let known = self.sprites.iter().position(|s| s.key == codes.thumbnails);
        if known.is_some() {
            return Ok(known);
        }
        let Some(array) = tensors.get(&codes.thumbnails) else {
            return Ok(None);
        };
        let ([count, height, width, 3], Some(bytes)) = (&array.shape[..], array.bytes()) else {
            return Ok(None);
        };
        let (columns, rows) = grid_size(*count);
        let (wide, high) = (*width as u32, *height as u32);
        let mut all = RgbImage::new(columns as u32 * wide, rows as u32 * high);
        for (at, pixels) in bytes.chunks_exact((width * height * 3).max(1)).enumerate() {
            if let Some(one) = RgbImage::from_raw(wide, high, pixels.to_vec()) {
                let (x, y) = (at % columns * width, at / columns * height);
                imageops::replace(&mut all, &one, x as i64, y as i64);
            }
        }
        self.sprites.push(Sprite {
            uri: data_uri("image/jpeg", &encode_jpeg(&all, QUALITY)?),
            columns,
            rows,
            key: codes.thumbnails.clone(),
        });
        Ok(Some(self.sprites.len() - 1))
    }

    /// What the colours mean, from the first map: all have the same images.
    fn explain(&mut self, codes: &Codes, words: &Words) {
        let Some(kinds) = &codes.groups else {
            let labelled = codes.images.iter().any(|image| image.label.is_some());
            let key = if labelled {
                "codes.hues"
            } else {
                "codes.plain"
            };
            self.coloured = words.say(key, &[]);
            return;
        };
        let key = match kinds.by {
            GroupedBy::Class => "codes.classes",
            GroupedBy::Superclass => "codes.groups",
        };
        self.coloured = words.say(key, &[]);
        for (kind, name) in kinds.names.iter().enumerate() {
            let count = codes
                .images
                .iter()
                .filter(|image| image.group == Some(kind))
                .count();
            if count == 0 {
                continue;
            }
            let name = match kinds.by {
                GroupedBy::Class => name.clone(),
                GroupedBy::Superclass => words.say(&format!("group.{name}"), &[]),
            };
            self.legend.push(Entry { kind, name, count });
        }
    }

    fn cell(
        &self,
        net: &Net,
        figure: &Figure,
        codes: &Codes,
        sprite: usize,
        tensors: &Tensors,
        words: &Words,
    ) -> Option<Cell> {
        let count = codes.images.len();
        let pairs = |key: &str| -> Option<&[[f32; 2]]> {
            let (pairs, _) = tensors.get(key).and_then(Array::floats)?.as_chunks::<2>();
            Some(pairs)
        };
        let map = pairs(&codes.map).filter(|map| map.len() == count)?;
        let cells = pairs(&codes.grid)?;
        let columns = self.sprites.get(sprite)?.columns;
        let places = drawn(map);
        let classes = codes
            .images
            .iter()
            .filter_map(|i| Some(i.label.as_ref()?.index));
        let classes = classes.max().map_or(1, |most| most + 1);
        let colour = |image: &CodedImage| Colour {
            kind: image.group,
            hue: match (image.group, &image.label) {
                (None, Some(label)) => Some(label.index * 360 / classes),
                _ => None,
            },
        };
        let title = |image: &CodedImage| match &image.label {
            Some(label) => label.name.clone(),
            None => image.id.clone(),
        };
        let thumb = |at: usize, (x, y): (f64, f64)| Thumb {
            sprite,
            column: at % columns,
            row: at / columns,
            x: format!("{:.2}", (x - THUMB / 2.0) / SIDE * 100.0),
            y: format!("{:.2}", (y - THUMB / 2.0) / SIDE * 100.0),
            colour: colour(&codes.images[at]),
            title: title(&codes.images[at]),
        };
        let (wide, high) = grid_size(cells.len());
        let mut grid: Vec<Option<Thumb>> = vec![None; wide * high];
        for (number, [x, y]) in cells.iter().enumerate() {
            let at = number * codes.grid_step;
            let cell = grid.get_mut(*y as usize * wide + *x as usize)?;
            *cell = (at < count).then(|| thumb(at, (0.0, 0.0)));
        }
        let layer = figure.layer.clone().unwrap_or_default();
        let gaps: [(&str, &str); 3] = [
            ("network", &net.id),
            ("layer", &layer),
            ("images", &count.to_string()),
        ];
        Some(Cell {
            net: net.clone(),
            alt: words.say("alt.codes", &gaps),
            grid_alt: words.say("alt.codes_grid", &gaps),
            side: SIDE,
            points: places
                .iter()
                .zip(&codes.images)
                .map(|((x, y), image)| Dot {
                    x: format!("{x:.0}"),
                    y: format!("{y:.0}"),
                    colour: colour(image),
                    title: title(image),
                })
                .collect(),
            thumbs: spread(&places)
                .into_iter()
                .map(|at| thumb(at, places[at]))
                .collect(),
            columns: wide,
            grid,
            said: said(codes, words),
            layer,
        })
    }
}

/// The map's points in the drawing: as large as it lets them be, both axes alike.
fn drawn(map: &[[f32; 2]]) -> Vec<(f64, f64)> {
    let span = |axis: usize| {
        let along = map.iter().map(|place| f64::from(place[axis]));
        let low = along.clone().fold(f64::INFINITY, f64::min);
        let high = along.fold(f64::NEG_INFINITY, f64::max);
        ((low + high) / 2.0, high - low)
    };
    let ((x, wide), (y, high)) = (span(0), span(1));
    let scale = (SIDE - 2.0 * MARGIN) / wide.max(high).max(f64::MIN_POSITIVE);
    let to = |at: f32, middle: f64| SIDE / 2.0 + (f64::from(at) - middle) * scale;
    map.iter()
        .map(|place| (to(place[0], x), to(place[1], y)))
        .collect()
}

/// The points whose pictures are shown: as many as find room, tried in an order that jumps through
/// the collection, so that no folder comes first.
fn spread(places: &[(f64, f64)]) -> Vec<usize> {
    let count = places.len();
    // The golden section never comes near the same place twice.
    let mut order: Vec<(u64, usize)> = (0..count)
        .map(|at| ((at as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), at))
        .collect();
    order.sort_unstable();
    let mut shown: Vec<usize> = Vec::new();
    for (_, at) in order {
        let (x, y) = places[at];
        let free = |other: &usize| {
            let (u, v) = places[*other];
            (x - u).abs().max((y - v).abs()) >= APART
        };
        if shown.iter().all(free) {
            shown.push(at);
        }
    }
    shown
}

/// What the map is worth.
fn said(codes: &Codes, words: &Words) -> Vec<String> {
    let whole = |number: usize| words.whole(number as u64);
    let digits = usize::from(codes.perplexity.fract() > 0.0);
    let mut said = vec![
        words.say(
            "codes.made",
            &[
                ("images", &whole(codes.images.len())),
                ("dims", &whole(codes.dims)),
                ("components", &whole(codes.components)),
                ("share", &words.percent(codes.explained_variance)),
                ("perplexity", &words.fixed(codes.perplexity, digits)),
                ("epochs", &whole(codes.epochs)),
            ],
        ),
        words.say(
            "codes.divergence",
            &[("value", &words.number(codes.divergence))],
        ),
        words.say(
            "codes.trust",
            &[
                ("value", &words.fixed(codes.trustworthiness.value, 3)),
                ("neighbours", &whole(codes.trustworthiness.neighbours)),
            ],
        ),
    ];
    match &codes.knn_accuracy {
        Some(votes) => {
            let key = match votes.by {
                GroupedBy::Class => "codes.votes.class",
                GroupedBy::Superclass => "codes.votes.group",
            };
            let gaps: [(&str, &str); 5] = [
                ("neighbours", &whole(votes.neighbours)),
                ("images", &whole(votes.images)),
                ("codes", &words.percent(votes.codes)),
                ("map", &words.percent(votes.map)),
                ("chance", &words.percent(votes.chance)),
            ];
            said.push(words.say(key, &gaps));
        }
        None => said.push(words.say("codes.votes.none", &[])),
    }
    if codes.grid_step > 1 {
        said.push(words.say("codes.every", &[("every", &whole(codes.grid_step))]));
    }
    said
}
