//! What the script of the atlas draws, packed so that the page stays small: how many points, neighbours and thumbnails there is
//! room for.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use image::{RgbImage, imageops};
use serde::Serialize;

use super::map::Map;
use crate::embedding::grid_size;
use crate::error::Result;
use crate::figures::{Atlas, Content, EvaluatedTask, GroupedBy};
use crate::image::{data_uri, encode_jpeg};
use crate::report::input::ReportInput;
use crate::report::words::Words;

/// The bytes that the atlas takes of a page without `max_size`; with it, three quarters of that at most.
const BYTES: f64 = 12.5e6;
/// The parts of them for coordinates and classes, for neighbours, and for ids.
const PARTS: [f64; 3] = [0.25, 0.25, 0.08];
/// Bytes of base64 by byte of content.
const BASE64: f64 = 4.0 / 3.0;
/// The JPEG quality of thumbnails.
const QUALITY: u8 = 72;
/// No image, or no class.
const NONE: u16 = u16::MAX;

/// The thumbnails as one JPEG.
pub struct Sprite {
    pub uri: String,
    pub columns: usize,
    pub rows: usize,
    /// The image of each tile.
    pub images: Vec<usize>,
}

/// What there is of all images, and what of it the page has.
pub struct PageData {
    /// How many images there are.
    count: usize,
    /// The group of each image.
    pub kinds: Vec<Option<usize>>,
    /// The hue of each image's class, 0 to 1.
    pub hues: Vec<Option<f64>>,
    /// The images whose points the script draws, ascending.
    shown: Vec<usize>,
    pub sprite: Option<Sprite>,
    /// How many of each image's neighbours the page has, and how many there are.
    neighbours: [usize; 2],
    /// For each map the neighbours of the shown images, as indices of `shown`.
    near: Vec<Vec<u32>>,
    /// The names of classes of all networks.
    names: Vec<String>,
    /// For each name the hue and the group of the class.
    looks: Vec<(Option<usize>, Option<f64>)>,
    /// For each shown image the index of its class's name.
    labels: Vec<u16>,
    /// For each network with an evaluation: its id, the index of the predicted class's name, and whether it is right (1), wrong (0)
    /// or was not asked (2).
    answers: Vec<(String, Vec<u16>, Vec<u8>)>,
    ids: Option<String>,
}

/// The names of an atlas's groups.
pub fn group_names(atlas: &Atlas, words: &Words) -> Vec<String> {
    let Some(groups) = &atlas.groups else {
        return Vec::new();
    };
    let name = |name: &String| match groups.by {
        GroupedBy::Class => name.clone(),
        GroupedBy::Superclass => words.text(&format!("group.{name}"), &[]),
    };
    groups.names.iter().map(name).collect()
}

impl PageData {
    pub fn new(input: &ReportInput, maps: &[Map]) -> Result<Self> {
        let limit = input.results.experiment.max_size.as_ref();
        let limit = limit.map_or(BYTES, |size| BYTES.min(0.75e6 * size.megabytes));
        let count = maps[0].points.len();
        let mut data = PageData {
            count,
            kinds: vec![None; count],
            hues: vec![None; count],
            shown: Vec::new(),
            sprite: None,
            neighbours: [0; 2],
            near: Vec::new(),
            names: Vec::new(),
            looks: Vec::new(),
            labels: Vec::new(),
            answers: Vec::new(),
            ids: None,
        };
        let with_thumbnail: Vec<usize> = input
            .tensors
            .get(&maps[0].atlas.with_thumbnail)
            .and_then(|rows| rows.floats())
            .map(|rows| rows.iter().map(|row| *row as usize).collect())
            .unwrap_or_default();
        let labels = data.add_labels(input, maps);
        let per_point = 8 * maps.len() + 2 + 3 * input.nets.len();
        let room = limit * PARTS[0] / BASE64 / per_point as f64;
        data.choose_points(room as usize, &with_thumbnail);
        data.labels = data.shown.iter().map(|row| labels[*row]).collect();
        data.add_answers(input, maps);
        data.add_neighbours(input, maps, limit * PARTS[1] / BASE64);
        data.add_ids(input, maps[0].atlas, limit * PARTS[2]);
        let left = limit - data.bytes(maps.len());
        data.sprite = sprite(input, maps[0].atlas, with_thumbnail, left.max(0.0))?;
        Ok(data)
    }

    /// The bytes of base64 so far.
    fn bytes(&self, maps: usize) -> f64 {
        let width = if self.shown.len() < usize::from(NONE) {
            2
        } else {
            4
        };
        let near: usize = self.near.iter().map(|near| near.len() * width).sum();
        let per_point = 8 * maps + 2 + 3 * self.answers.len();
        let ids = self.ids.as_ref().map_or(0, String::len);
        (near + per_point * self.shown.len()) as f64 * BASE64 + ids as f64
    }

    /// Shows all points, or those with a thumbnail and evenly spaced ones.
    fn choose_points(&mut self, room: usize, with_thumbnail: &[usize]) {
        let step = self.count.div_ceil(room.max(1)).max(1);
        self.shown = (0..self.count).step_by(step).collect();
        if step > 1 {
            self.shown
                .extend(with_thumbnail.iter().filter(|row| **row < self.count));
            self.shown.sort_unstable();
            self.shown.dedup();
        }
    }

    /// The index of a class's name, which is added if it is new.
    fn name(&mut self, known: &mut BTreeMap<String, u16>, name: &str) -> u16 {
        if let Some(index) = known.get(name) {
            return *index;
        }
        let index = self.names.len().min(usize::from(NONE)) as u16;
        if index < NONE {
            self.names.push(name.to_owned());
            self.looks.push((None, None));
            known.insert(name.to_owned(), index);
        }
        index
    }

    fn known(&self) -> BTreeMap<String, u16> {
        self.names.iter().cloned().zip(0..).collect()
    }

    /// The class of each image, from the first network that knows it; sets groups and hues.
    fn add_labels(&mut self, input: &ReportInput, maps: &[Map]) -> Vec<u16> {
        let mut known = BTreeMap::new();
        let mut labels = vec![NONE; self.count];
        for map in maps.iter().filter(|map| map.row == 0) {
            let atlas = map.atlas;
            let Some((images, _)) =
                (input.tensors.get(&atlas.images)).and_then(|a| a.shaped::<2>())
            else {
                continue;
            };
            let classes: BTreeMap<usize, usize> = (atlas.classes.iter().enumerate())
                .map(|(at, class)| (class.index, at))
                .collect();
            let most = atlas.classes.last().map_or(1, |class| class.index + 1);
            for (row, image) in images.as_chunks::<2>().0.iter().enumerate() {
                if labels[row] != NONE || image[1] < 0.0 {
                    continue;
                }
                let Some(&at) = classes.get(&(image[1] as usize)) else {
                    continue;
                };
                let class = &atlas.classes[at];
                let kind = atlas.group_of_class.get(at).copied();
                let hue = class.index as f64 / most as f64;
                let name = self.name(&mut known, &class.name);
                if let Some(looks) = self.looks.get_mut(usize::from(name)) {
                    *looks = (kind, Some(hue));
                }
                (labels[row], self.kinds[row], self.hues[row]) = (name, kind, Some(hue));
            }
        }
        labels
    }

    /// What each network predicts, if `evaluate` ran.
    fn add_answers(&mut self, input: &ReportInput, maps: &[Map]) {
        let mut known = self.known();
        let images = input.tensors.get(&maps[0].atlas.images);
        let Some((images, _)) = images.and_then(|images| images.shaped::<2>()) else {
            return;
        };
        let rows: BTreeMap<usize, usize> = (self.shown.iter().enumerate())
            .map(|(at, row)| (images[2 * row] as usize, at))
            .collect();
        for figure in &input.figures {
            let records = match &figure.content {
                Content::Evaluation(records) if records.task == EvaluatedTask::Classes => records,
                _ => continue,
            };
            let found = input.tensors.get(&records.tensor);
            let Some((values, [_, fields])) = found.and_then(|array| array.shaped::<2>()) else {
                continue;
            };
            let mut predicted = vec![NONE; self.shown.len()];
            let mut right = vec![2; self.shown.len()];
            for answer in values.chunks_exact(fields.max(1)) {
                let [image, _, rank, _, likeliest, ..] = answer else {
                    continue;
                };
                let Some(&at) = rows.get(&(*image as usize)) else {
                    continue;
                };
                right[at] = u8::from(*rank == 1.0);
                if let Some(class) = records.classes.get(*likeliest as usize) {
                    predicted[at] = self.name(&mut known, class);
                }
            }
            self.answers.push((figure.model.clone(), predicted, right));
        }
    }

    /// As many neighbours of each shown image as there is room for.
    fn add_neighbours(&mut self, input: &ReportInput, maps: &[Map], room: f64) {
        let width = if self.shown.len() < usize::from(NONE) {
            2
        } else {
            4
        };
        let all: Vec<Option<(&[f32], usize)>> = (maps.iter())
            .map(|map| {
                let near = input.tensors.get(&map.atlas.neighbours)?;
                let (values, [rows, wide]) = near.shaped::<2>()?;
                (rows == self.count).then_some((values, wide))
            })
            .collect();
        let most = all
            .iter()
            .flatten()
            .map(|(_, wide)| *wide)
            .min()
            .unwrap_or(0);
        let each = (self.shown.len() * maps.len() * width).max(1) as f64;
        let kept = most.min((room / each) as usize);
        self.neighbours = [kept, most];
        let mut places = vec![u32::MAX; self.count];
        for (place, row) in (0..).zip(&self.shown) {
            places[*row] = place;
        }
        for found in all {
            let mut near = vec![u32::MAX; self.shown.len() * kept];
            if let (Some((values, wide)), true) = (found, kept > 0) {
                for (to, row) in near.chunks_exact_mut(kept).zip(&self.shown) {
                    for (to, other) in to.iter_mut().zip(&values[row * wide..]) {
                        *to = places.get(*other as usize).copied().unwrap_or(u32::MAX);
                    }
                }
            }
            self.near.push(near);
        }
    }

    fn add_ids(&mut self, input: &ReportInput, atlas: &Atlas, room: f64) {
        let Some(bytes) = input.tensors.get(&atlas.ids).and_then(|ids| ids.bytes()) else {
            return;
        };
        let ids: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
        let shown = self.shown.iter().filter_map(|row| ids.get(*row));
        let shown: Vec<_> = shown.map(|id| String::from_utf8_lossy(id)).collect();
        let joined = shown.join("\n");
        if joined.len() as f64 <= room && shown.len() == self.shown.len() {
            self.ids = Some(joined);
        }
    }

    /// What the page does not show of all there is, in sentences.
    pub fn left_out(&self, words: &Words) -> Vec<String> {
        let whole = |number: usize| words.integer(number as u64);
        let mut sentences = Vec::new();
        let mut of = |key: &str, shown: usize, all: usize| {
            if shown < all {
                let gaps: [(&str, &str); 2] = [("shown", &whole(shown)), ("of", &whole(all))];
                sentences.push(words.text(key, &gaps));
            }
        };
        of("atlas.points", self.shown.len(), self.count);
        let tiles = self.sprite.as_ref().map_or(0, |sprite| sprite.images.len());
        of("atlas.thumbnails", tiles, self.count);
        of("atlas.neighbours", self.neighbours[0], self.neighbours[1]);
        sentences
    }

    /// What the script is given.
    pub fn script(&self, maps: &[Map], texts: BTreeMap<&'static str, String>) -> ScriptData {
        let places: BTreeMap<usize, usize> = self.shown.iter().copied().zip(0..).collect();
        let tiles = self.sprite.iter().flat_map(|sprite| &sprite.images);
        let tiles = tiles
            .filter_map(|row| places.get(row))
            .map(|place| *place as u32);
        ScriptData {
            texts,
            names: self.names.clone(),
            kinds: self.looks.iter().map(|(kind, _)| *kind).collect(),
            hues: (self.looks.iter())
                .map(|(_, hue)| hue.map(|hue| (hue * 360.0) as usize))
                .collect(),
            labels: words_of(self.labels.iter().copied()),
            answers: (self.answers.iter())
                .map(|(net, predicted, right)| AnswersData {
                    net: net.clone(),
                    predicted: words_of(predicted.iter().copied()),
                    right: STANDARD.encode(right),
                })
                .collect(),
            ids: self.ids.clone(),
            tiles: longs_of(tiles),
            columns: self.sprite.as_ref().map_or(1, |sprite| sprite.columns),
            near: self.neighbours[0],
            maps: (maps.iter().zip(&self.near))
                .map(|(map, near)| self.map_data(map, near))
                .collect(),
        }
    }

    fn map_data(&self, map: &Map, near: &[u32]) -> MapData {
        let positions = map.unit_positions();
        let shown = self.shown.iter().flat_map(|row| positions[*row]);
        let (columns, rows) = grid_size(map.points.len());
        let sides = columns.max(rows) as f64;
        // In the middle of the unit square, as the map is.
        let middle = [(sides - columns as f64) / 2.0, (sides - rows as f64) / 2.0];
        let cells = self.shown.iter().flat_map(|row| {
            [0, 1].map(|axis| (f64::from(map.grid[*row][axis]) + 0.5 + middle[axis]) / sides)
        });
        let short = self.shown.len() < usize::from(NONE);
        MapData {
            net: map.net.id.clone(),
            slot: map.net.slot,
            sign: map.net.sign,
            row: map.row,
            points: words_of(shown.map(|part| (part * f64::from(u16::MAX)).round() as u16)),
            cells: words_of(cells.map(|part| (part * f64::from(u16::MAX)).round() as u16)),
            near: if short {
                words_of(
                    near.iter()
                        .map(|place| u16::try_from(*place).unwrap_or(NONE)),
                )
            } else {
                longs_of(near.iter().copied())
            },
        }
    }
}

/// The data of the script. Lists are base64 of little-endian numbers.
#[derive(Debug, Serialize)]
pub struct ScriptData {
    texts: BTreeMap<&'static str, String>,
    /// Names of classes.
    names: Vec<String>,
    /// The group of each class.
    kinds: Vec<Option<usize>>,
    /// The hue of each class in degrees.
    hues: Vec<Option<usize>>,
    /// u16, 65535 for none.
    labels: String,
    answers: Vec<AnswersData>,
    /// One a line.
    ids: Option<String>,
    /// u32: the image of each tile.
    tiles: String,
    columns: usize,
    /// How many neighbours each image has.
    near: usize,
    maps: Vec<MapData>,
}

/// What one network predicts.
#[derive(Debug, Serialize)]
struct AnswersData {
    net: String,
    /// u16, 65535 for none.
    predicted: String,
    /// u8: 1 right, 0 wrong, 2 not known.
    right: String,
}

/// One map.
#[derive(Debug, Serialize)]
struct MapData {
    net: String,
    slot: usize,
    sign: &'static str,
    row: usize,
    /// u16, x and y of each image.
    points: String,
    /// The same on the grid.
    cells: String,
    /// u16, or u32 for 65535 images and more: the largest number for none.
    near: String,
}

fn words_of(values: impl Iterator<Item = u16>) -> String {
    STANDARD.encode(values.flat_map(u16::to_le_bytes).collect::<Vec<u8>>())
}

fn longs_of(values: impl Iterator<Item = u32>) -> String {
    STANDARD.encode(values.flat_map(u32::to_le_bytes).collect::<Vec<u8>>())
}

/// As many thumbnails as fit into `room` bytes of base64.
fn sprite(
    input: &ReportInput,
    atlas: &Atlas,
    images: Vec<usize>,
    room: f64,
) -> Result<Option<Sprite>> {
    let Some(array) = input.tensors.get(&atlas.thumbnails) else {
        return Ok(None);
    };
    let ([count, height, width, 3], Some(bytes)) = (&array.shape[..], array.bytes()) else {
        return Ok(None);
    };
    if *count != images.len() || images.iter().any(|row| *row >= atlas.count) {
        return Ok(None);
    }
    let tiles: Vec<&[u8]> = bytes.chunks_exact((width * height * 3).max(1)).collect();
    let mut kept = *count;
    while kept > 0 {
        let chosen: Vec<usize> = (0..kept).map(|at| at * count / kept).collect();
        let (columns, rows) = grid_size(kept);
        let mut picture = RgbImage::new((columns * width) as u32, (rows * height) as u32);
        for (place, at) in chosen.iter().enumerate() {
            let tile = RgbImage::from_raw(*width as u32, *height as u32, tiles[*at].to_vec());
            if let Some(tile) = tile {
                let (x, y) = (place % columns * width, place / columns * height);
                imageops::replace(&mut picture, &tile, x as i64, y as i64);
            }
        }
        let uri = data_uri("image/jpeg", &encode_jpeg(&picture, QUALITY)?);
        if uri.len() as f64 <= room {
            return Ok(Some(Sprite {
                uri,
                columns,
                rows,
                images: chosen.into_iter().map(|at| images[at]).collect(),
            }));
        }
        // The size is about proportional to the number.
        kept = ((kept as f64 * room / uri.len() as f64 * 0.95) as usize).min(kept - 1);
    }
    Ok(None)
}
