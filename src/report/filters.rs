//! The section on kernels: a row of layers for each selector, a column a network, and the norms over
//! the depth.

use serde::Serialize;

use super::cells::floats;
use super::norms::{self, NormsView};
use super::page::Net;
use super::pictures::{Store, Stored};
use super::words::Words;
use crate::error::Result;
use crate::figures::{Content, Figure, Tensors};
use crate::image::{MosaicGrid, ValueScale};
use crate::results::Results;

/// Side of one weight of a colour kernel, in pixels of the stored picture.
const ZOOM: u32 = 4;

/// At most so many numbers of dead kernels are listed.
const LISTED: usize = 12;

#[derive(Debug, Serialize)]
pub struct Filters {
    /// The end of the one scale of all first layers, if any is shown.
    pub magnitude: Option<String>,
    pub rows: Vec<FilterRow>,
    pub norms: Option<NormsView>,
    pub stored: Vec<Stored>,
}

#[derive(Debug, Serialize)]
pub struct FilterRow {
    /// The selector that led there.
    pub title: String,
    pub cells: Vec<FilterCell>,
}

#[derive(Debug, Serialize)]
pub struct FilterCell {
    pub net: Net,
    pub layer: String,
    /// The pictures of its kernels: on the common scale, on its own.
    pub pictures: Vec<Kernels>,
    pub caption: String,
    /// What the dead ones are, where there are some.
    pub dead: Option<String>,
    pub message: Option<String>,
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct Kernels {
    pub id: String,
    pub width: u32,
    pub height: u32,
    pub alt: String,
    /// What stands above it, where it is not the first one.
    pub title: Option<String>,
    /// Whether the page's palette colours it.
    pub signed: bool,
    /// The dead ones among them, in per cent of the sides: left, top, right, bottom.
    pub marks: Vec<[f64; 4]>,
    /// The end of its scale, where it is signed.
    pub end: String,
}

/// The section, if any network's kernels were looked at.
///
/// # Errors
/// If a picture or the chart can't be drawn.
pub fn filters(
    results: &Results,
    tensors: &Tensors,
    nets: &[Net],
    words: &Words,
) -> Result<Option<Filters>> {
    let figures: Vec<&Figure> = results
        .figures
        .iter()
        .filter(|f| f.method == "filters" && f.image.is_none())
        .collect();
    let magnitudes: Vec<f32> = figures
        .iter()
        .filter_map(|figure| match figure.content {
            Content::ColourKernels { magnitude, .. } => Some(magnitude),
            _ => None,
        })
        .collect();
    let mut drawing = Drawing {
        tensors,
        words,
        store: Store::new("k"),
        most: magnitudes.iter().copied().fold(0.0, f32::max),
        least: magnitudes.iter().copied().fold(f32::INFINITY, f32::min),
    };
    let mut keys: Vec<(String, usize)> = Vec::new();
    for figure in &figures {
        if let Some(key) = row(results, figure).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }
    // In the order of the spec, which is the order of each network's selectors.
    let selected = results.models.iter().flat_map(|model| &model.selected);
    let words_asked: Vec<&str> = selected
        .filter(|s| s.method == "filters")
        .map(|s| s.selector.as_str())
        .collect();
    let place = |name: &str| words_asked.iter().position(|word| *word == name);
    keys.sort_by_key(|(name, number)| (place(name), *number));
    let mut rows = Vec::new();
    for key in keys {
        let mut cells = Vec::new();
        for net in nets {
            let own = figures
                .iter()
                .find(|f| f.model == net.id && row(results, f).as_ref() == Some(&key));
            cells.push(match own {
                Some(figure) => drawing.cell(net, figure)?,
                None => {
                    let failure = results.failure(&net.id, None, "filters");
                    FilterCell::message(net, words.gap(failure))
                }
            });
        }
        let title = match key.1 {
            0 => key.0,
            number => format!("{} ({})", key.0, number + 1),
        };
        rows.push(FilterRow { title, cells });
    }
    let norms = norms::norms(&figures, nets, words)?;
    Ok((!figures.is_empty()).then(|| Filters {
        magnitude: (!magnitudes.is_empty()).then(|| words.number(f64::from(drawing.most))),
        rows,
        norms,
        stored: drawing.store.stored,
    }))
}

/// The row that a layer stands in: its selector's, and which of that selector's layers it is.
fn row(results: &Results, figure: &Figure) -> Option<(String, usize)> {
    let model = results.models.iter().find(|m| m.id == figure.model)?;
    match figure.content {
        // Results of a time when the first layer was all that was shown.
        Content::ColourKernels { .. } if model.selected.iter().all(|s| s.method != "filters") => {
            Some(("first".into(), 0))
        }
        _ => results.selector_of(figure),
    }
}

impl FilterCell {
    fn message(net: &Net, message: String) -> FilterCell {
        FilterCell {
            net: net.clone(),
            layer: String::new(),
            pictures: Vec::new(),
            caption: String::new(),
            dead: None,
            message: Some(message),
            notes: Vec::new(),
        }
    }
}

struct Drawing<'a> {
    tensors: &'a Tensors,
    words: &'a Words,
    store: Store,
    /// The largest and the smallest end of the scale of a first layer.
    most: f32,
    least: f32,
}

impl Drawing<'_> {
    fn cell(&mut self, net: &Net, figure: &Figure) -> Result<FilterCell> {
        let words = self.words;
        let mut cell = FilterCell {
            layer: figure.layer.clone().unwrap_or_default(),
            message: None,
            notes: figure.notes.iter().map(|note| words.note(note)).collect(),
            ..FilterCell::message(net, String::new())
        };
        let missing = |key: &str| Some(words.say("cell.missing", &[("key", key)]));
        let (units, of, dead) = match &figure.content {
            Content::ColourKernels {
                tensor,
                units,
                total: of,
                magnitude,
                dead,
            } => {
                let Some((values, [k, 3, height, width])) = floats(self.tensors.get(tensor)) else {
                    cell.message = missing(tensor);
                    return Ok(cell);
                };
                let side = format!("{width} × {height}");
                let shown = k.to_string();
                let alt = words.say(
                    "alt.filters",
                    &[("network", &net.id), ("shown", &shown), ("kernel", &side)],
                );
                let grid = MosaicGrid::new(k, width, height, ZOOM)?;
                let mut add = |end: f32, title: Option<String>| -> Result<()> {
                    let tiles = crate::image::kernel_mosaic(values, [k, height, width], end, ZOOM)?;
                    cell.pictures.push(Kernels {
                        id: self.store.colours(&tiles)?,
                        width: tiles.width(),
                        height: tiles.height(),
                        alt: alt.clone(),
                        title,
                        signed: false,
                        marks: marks(grid, units, dead),
                        end: words.number(f64::from(end)),
                    });
                    Ok(())
                };
                add(self.most, None)?;
                if self.most > 2.0 * self.least {
                    let end = words.number(f64::from(*magnitude));
                    add(
                        *magnitude,
                        Some(words.say("filters.own", &[("magnitude", &end)])),
                    )?;
                }
                cell.caption = words.say(
                    "filters.caption",
                    &[
                        ("shown", &shown),
                        ("of", &of.to_string()),
                        ("kernel", &side),
                        ("magnitude", &words.number(f64::from(*magnitude))),
                    ],
                );
                (units, *of, dead)
            }
            Content::Kernels {
                tensor,
                units,
                total: of,
                total_inputs: of_inputs,
                magnitude,
                dead,
                ..
            } => {
                let Some((values, [k, s, height, width])) = floats(self.tensors.get(tensor)) else {
                    cell.message = missing(tensor);
                    return Ok(cell);
                };
                let gaps = [
                    ("network", net.id.clone()),
                    ("layer", cell.layer.clone()),
                    ("shown", k.to_string()),
                    ("of", of.to_string()),
                    ("slices", s.to_string()),
                    ("inputs", of_inputs.to_string()),
                    ("kernel", format!("{width} × {height}")),
                ];
                let gaps: Vec<(&str, &str)> = gaps.iter().map(|(n, v)| (*n, v.as_str())).collect();
                let matrix = (height, width) == (1, 1);
                let key = match (matrix, of_inputs) {
                    (true, _) => "filters.matrix",
                    (false, 1) => "filters.depthwise",
                    (false, _) => "filters.slices",
                };
                let scale = ValueScale::symmetric(*magnitude);
                let (indices, [wide, high], marks) = if matrix {
                    (scale.indices(values), [s as u32, k as u32], Vec::new())
                } else {
                    let (strips, side) = strips(values, [k, s, height, width]);
                    let mosaic =
                        crate::image::channel_mosaic(&strips, [k, side[0], side[1]], &[scale], 1)?;
                    let marks = marks(mosaic.grid, units, dead);
                    (mosaic.indices, [mosaic.width, mosaic.height], marks)
                };
                cell.pictures.push(Kernels {
                    id: self.store.grey(wide, high, &indices)?,
                    width: wide,
                    height: high,
                    alt: words.say("alt.kernels", &gaps),
                    title: None,
                    signed: true,
                    marks,
                    end: words.number(f64::from(*magnitude)),
                });
                cell.caption = words.say(key, &gaps);
                (units, *of, dead)
            }
            Content::Absent { reason } => {
                cell.message = Some(words.note(reason));
                return Ok(cell);
            }
            _ => {
                cell.message = Some(words.say("cell.none", &[]));
                return Ok(cell);
            }
        };
        if !dead.is_empty() {
            let marked = units.iter().any(|unit| dead.contains(unit));
            let mut list: Vec<String> = dead.iter().take(LISTED).map(usize::to_string).collect();
            if dead.len() > LISTED {
                list.push("…".into());
            }
            let key = match marked {
                true => "filters.dead",
                false => "filters.dead_beyond",
            };
            let gaps = [
                ("count", &*dead.len().to_string()),
                ("of", &of.to_string()),
                ("list", &list.join(", ")),
            ];
            cell.dead = Some(words.say(key, &gaps));
        }
        Ok(cell)
    }
}

/// Each kernel's slices side by side, with a margin at the right and the bottom that is no number, so
/// that a mosaic of them leaves it open: `[k, h, w]`, and the last two.
fn strips(values: &[f32], [k, s, height, width]: [usize; 4]) -> (Vec<f32>, [usize; 2]) {
    let alone = s == 1;
    let margin = usize::from(!alone);
    let (high, wide) = (height + margin, s * (width + 1) - 1 + 2 * margin);
    let mut strips = vec![f32::NAN; k * high * wide];
    for (at, value) in values.iter().enumerate() {
        let (x, y) = (at % width, at / width % height);
        let (slice, kernel) = (at / (width * height) % s, at / (width * height * s));
        let place = (kernel * high + y) * wide + slice * (width + 1) + x;
        if let Some(to) = strips.get_mut(place) {
            *to = *value;
        }
    }
    (strips, [high, wide])
}

/// Where the dead ones among the `units` of a mosaic lie, in per cent of its sides.
fn marks(grid: MosaicGrid, units: &[usize], dead: &[usize]) -> Vec<[f64; 4]> {
    let across = |x: u32| 100.0 * f64::from(x) / f64::from(grid.width().max(1));
    let down = |y: u32| 100.0 * f64::from(y) / f64::from(grid.height().max(1));
    let own = units
        .iter()
        .enumerate()
        .filter(|(_, unit)| dead.contains(unit));
    own.map(|(number, _)| {
        let (left, top) = grid.origin(number);
        [
            across(left),
            down(top),
            across(left + grid.tile_width),
            down(top + grid.tile_height),
        ]
    })
    .collect()
}
