//! Maps of codes: each network's images as points and as thumbnails, and a grid with a position for each image.
//!
//! All thumbnails are one JPEG of which CSS shows parts: an image for each would weigh ten times as much.

use image::{RgbImage, imageops};
use minijinja::Value;
use serde::Serialize;

use crate::embedding::grid_size;
use crate::error::Result;
use crate::figures::{Array, CodedImage, Codes, Content, Figure, GroupedBy, Tensors};
use crate::image::{data_uri, encode_jpeg};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::net::NetView;
use crate::report::words::Words;

/// The section.
pub const SECTION: Section = Section {
    key: "codes",
    template: "codes.html",
    entry: ContentsEntry::Titled("nav.codes"),
    shows_figures: true,
    view,
};

/// The JPEG quality of thumbnails, which are displayed small.
const QUALITY: u8 = 72;
/// Width and height of a map's drawing.
const SIDE: f64 = 1000.0;
/// The distance of the points from the edges of the drawing.
const MARGIN: f64 = 50.0;
/// Side of a thumbnail in the drawing.
const THUMBNAIL: f64 = 66.0;
/// The least distance of two thumbnails in the drawing.
const APART: f64 = 82.0;

#[derive(Debug, Default, Serialize)]
struct CodesView {
    sprites: Vec<SpriteView>,
    /// A row for each selected layer, a cell for each network.
    rows: Vec<Vec<CodesMapView>>,
    legend: Vec<LegendEntryView>,
    /// What the colours mean.
    coloured: String,
}

/// The thumbnails of the networks with the same views.
#[derive(Debug, Serialize)]
struct SpriteView {
    uri: String,
    columns: usize,
    rows: usize,
    #[serde(skip)]
    key: String,
}

/// A colour of the legend.
#[derive(Debug, Serialize)]
struct LegendEntryView {
    kind: usize,
    name: String,
    count: usize,
}

/// The map of one network's codes.
#[derive(Debug, Serialize)]
struct CodesMapView {
    net: NetView,
    layer: String,
    alt: String,
    grid_alt: String,
    side: f64,
    points: Vec<PointView>,
    thumbs: Vec<ThumbnailView>,
    /// Columns of the grid.
    columns: usize,
    /// The cells of the grid, row by row.
    grid: Vec<Option<ThumbnailView>>,
    /// Sentences below the map.
    said: Vec<String>,
}

/// An image as a point of the drawing.
#[derive(Debug, Serialize)]
struct PointView {
    x: String,
    y: String,
    colour: PointColourView,
    title: String,
}

/// An image as a thumbnail.
#[derive(Debug, Clone, Serialize)]
struct ThumbnailView {
    sprite: usize,
    /// Its column in the sprite.
    column: usize,
    /// Its row in the sprite.
    row: usize,
    /// Its left edge, in per cent of the map.
    x: String,
    /// Its top edge, in per cent of the map.
    y: String,
    colour: PointColourView,
    title: String,
}

/// The colour of a kind, one of a class, or none.
#[derive(Debug, Clone, Copy, Serialize)]
struct PointColourView {
    kind: Option<usize>,
    /// In degrees.
    hue: Option<usize>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let mut view = CodesView::default();
    let mut next_row = vec![0; input.nets.len()];
    for figure in &input.figures {
        let Content::Codes(codes) = &figure.content else {
            continue;
        };
        let Some((index, net)) = input.net(&figure.model) else {
            continue;
        };
        let Some(sprite) = view.sprite(codes, input.tensors)? else {
            continue;
        };
        let Some(map) = view.map(net, figure, codes, sprite, input) else {
            continue;
        };
        if view.coloured.is_empty() {
            view.explain_colours(codes, input.words);
        }
        let row = next_row[index];
        next_row[index] += 1;
        if view.rows.len() <= row {
            view.rows.push(Vec::new());
        }
        view.rows[row].push(map);
    }
    Ok((!view.rows.is_empty()).then(|| to_value(&view)))
}

impl CodesView {
    /// The index of the sprite of these thumbnails, which is made where there is none yet.
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
        let (tile_width, tile_height) = (*width as u32, *height as u32);
        let mut sprite = RgbImage::new(columns as u32 * tile_width, rows as u32 * tile_height);
        let tiles = bytes.chunks_exact((width * height * 3).max(1));
        for (index, pixels) in tiles.enumerate() {
            if let Some(tile) = RgbImage::from_raw(tile_width, tile_height, pixels.to_vec()) {
                let (x, y) = (index % columns * width, index / columns * height);
                imageops::replace(&mut sprite, &tile, x as i64, y as i64);
            }
        }
        self.sprites.push(SpriteView {
            uri: data_uri("image/jpeg", &encode_jpeg(&sprite, QUALITY)?),
            columns,
            rows,
            key: codes.thumbnails.clone(),
        });
        Ok(Some(self.sprites.len() - 1))
    }

    /// What the colours mean, from the first map: all have the same images.
    fn explain_colours(&mut self, codes: &Codes, words: &Words) {
        let Some(kinds) = &codes.groups else {
            let labelled = codes.images.iter().any(|image| image.label.is_some());
            let key = if labelled {
                "codes.hues"
            } else {
                "codes.plain"
            };
            self.coloured = words.text(key, &[]);
            return;
        };
        let key = match kinds.by {
            GroupedBy::Class => "codes.classes",
            GroupedBy::Superclass => "codes.groups",
        };
        self.coloured = words.text(key, &[]);
        for (kind, name) in kinds.names.iter().enumerate() {
            let own = codes
                .images
                .iter()
                .filter(|image| image.group == Some(kind));
            let count = own.count();
            if count == 0 {
                continue;
            }
            let name = match kinds.by {
                GroupedBy::Class => name.clone(),
                GroupedBy::Superclass => words.text(&format!("group.{name}"), &[]),
            };
            self.legend.push(LegendEntryView { kind, name, count });
        }
    }

    /// A map with its points, thumbnails and grid; `None` where its tensors are missing.
    fn map(
        &self,
        net: &NetView,
        figure: &Figure,
        codes: &Codes,
        sprite: usize,
        input: &ReportInput,
    ) -> Option<CodesMapView> {
        let (count, words) = (codes.images.len(), input.words);
        let pairs = |key: &str| -> Option<&[[f32; 2]]> {
            let floats = input.tensors.get(key).and_then(Array::floats)?;
            Some(floats.as_chunks::<2>().0)
        };
        let map = pairs(&codes.map).filter(|map| map.len() == count)?;
        let cells = pairs(&codes.grid)?;
        let thumbnails = Thumbnails {
            codes,
            sprite,
            columns: self.sprites.get(sprite)?.columns,
            classes: class_count(codes),
        };
        let (columns, rows) = grid_size(cells.len());
        let mut grid: Vec<Option<ThumbnailView>> = vec![None; columns * rows];
        for (number, [x, y]) in cells.iter().enumerate() {
            let image = number * codes.grid_step;
            let cell = grid.get_mut(*y as usize * columns + *x as usize)?;
            *cell = (image < count).then(|| thumbnails.view(image, (0.0, 0.0)));
        }
        let points = scale_to_drawing(map);
        let layer = figure.layer.clone().unwrap_or_default();
        let gaps: [(&str, &str); 3] = [
            ("network", &net.id),
            ("layer", &layer),
            ("images", &count.to_string()),
        ];
        Some(CodesMapView {
            net: net.clone(),
            alt: words.text("alt.codes", &gaps),
            grid_alt: words.text("alt.codes_grid", &gaps),
            side: SIDE,
            points: points
                .iter()
                .zip(&codes.images)
                .map(|((x, y), image)| PointView {
                    x: format!("{x:.0}"),
                    y: format!("{y:.0}"),
                    colour: thumbnails.colour(image),
                    title: title(image),
                })
                .collect(),
            thumbs: with_thumbnail(&points)
                .into_iter()
                .map(|image| thumbnails.view(image, points[image]))
                .collect(),
            columns,
            grid,
            said: quality(codes, words),
            layer,
        })
    }
}

/// Makes the thumbnails of one map.
struct Thumbnails<'a> {
    codes: &'a Codes,
    sprite: usize,
    /// Of the sprite.
    columns: usize,
    /// How many classes share the colour wheel.
    classes: usize,
}

impl Thumbnails<'_> {
    fn view(&self, image: usize, (x, y): (f64, f64)) -> ThumbnailView {
        let percent = |centre: f64| format!("{:.2}", (centre - THUMBNAIL / 2.0) / SIDE * 100.0);
        ThumbnailView {
            sprite: self.sprite,
            column: image % self.columns,
            row: image / self.columns,
            x: percent(x),
            y: percent(y),
            colour: self.colour(&self.codes.images[image]),
            title: title(&self.codes.images[image]),
        }
    }

    fn colour(&self, image: &CodedImage) -> PointColourView {
        PointColourView {
            kind: image.group,
            hue: match (image.group, &image.label) {
                (None, Some(label)) => Some(label.index * 360 / self.classes),
                _ => None,
            },
        }
    }
}

fn class_count(codes: &Codes) -> usize {
    let labels = codes.images.iter().filter_map(|image| image.label.as_ref());
    labels.map(|label| label.index + 1).max().unwrap_or(1)
}

fn title(image: &CodedImage) -> String {
    match &image.label {
        Some(label) => label.name.clone(),
        None => image.id.clone(),
    }
}

/// The points of a map in its drawing: as large as it allows, both axes alike.
fn scale_to_drawing(map: &[[f32; 2]]) -> Vec<(f64, f64)> {
    let span = |axis: usize| {
        let along = map.iter().map(|point| f64::from(point[axis]));
        let low = along.clone().fold(f64::INFINITY, f64::min);
        let high = along.fold(f64::NEG_INFINITY, f64::max);
        ((low + high) / 2.0, high - low)
    };
    let ((x, wide), (y, high)) = (span(0), span(1));
    let scale = (SIDE - 2.0 * MARGIN) / wide.max(high).max(f64::MIN_POSITIVE);
    let to = |value: f32, middle: f64| SIDE / 2.0 + (f64::from(value) - middle) * scale;
    map.iter()
        .map(|point| (to(point[0], x), to(point[1], y)))
        .collect()
}

/// The points with a thumbnail: as many as don't overlap, tried in an order that jumps through the collection, so that no
/// folder comes first.
fn with_thumbnail(points: &[(f64, f64)]) -> Vec<usize> {
    let count = points.len();
    // Multiples of the golden ratio are spread evenly.
    let mut order: Vec<(u64, usize)> = (0..count)
        .map(|index| ((index as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15), index))
        .collect();
    order.sort_unstable();
    let mut shown: Vec<usize> = Vec::new();
    for (_, index) in order {
        let (x, y) = points[index];
        let free = |other: &usize| {
            let (u, v) = points[*other];
            (x - u).abs().max((y - v).abs()) >= APART
        };
        if shown.iter().all(free) {
            shown.push(index);
        }
    }
    shown
}

/// How the map was made and how good it is, in sentences.
fn quality(codes: &Codes, words: &Words) -> Vec<String> {
    let whole = |number: usize| words.integer(number as u64);
    let digits = usize::from(codes.perplexity.fract() > 0.0);
    let mut sentences = vec![
        words.text(
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
        words.text(
            "codes.divergence",
            &[("value", &words.number(codes.divergence))],
        ),
        words.text(
            "codes.trust",
            &[
                ("value", &words.fixed(codes.trustworthiness.value, 3)),
                ("neighbours", &whole(codes.trustworthiness.neighbours)),
            ],
        ),
    ];
    match &codes.knn_accuracy {
        Some(accuracy) => {
            let key = match accuracy.by {
                GroupedBy::Class => "codes.votes.class",
                GroupedBy::Superclass => "codes.votes.group",
            };
            let gaps: [(&str, &str); 5] = [
                ("neighbours", &whole(accuracy.neighbours)),
                ("images", &whole(accuracy.images)),
                ("codes", &words.percent(accuracy.codes)),
                ("map", &words.percent(accuracy.map)),
                ("chance", &words.percent(accuracy.chance)),
            ];
            sentences.push(words.text(key, &gaps));
        }
        None => sentences.push(words.text("codes.votes.none", &[])),
    }
    if codes.grid_step > 1 {
        sentences.push(words.text("codes.every", &[("every", &whole(codes.grid_step))]));
    }
    sentences
}
