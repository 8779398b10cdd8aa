//! Figures as pictures with their own bytes, in rows: the photo, the map over it, the map alone and its
//! colour bar, networks side by side.

use image::RgbImage;
use image::imageops::{self, FilterType};
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::{COLOURS, draw, nets};
use crate::error::Result;
use crate::figures::{Content, Figure, Tensors};
use crate::image::{ColourMap, MosaicGrid, ValueScale};
use crate::report::cells::{Cell, floats, message};
use crate::report::page::Net;
use crate::report::photos;
use crate::report::pictures::Shown;
use crate::report::words::Words;
use crate::results::Results;

/// How wide a photo and a map are shown, in pixels: beside a photo two networks have room in a notebook.
pub(super) const SIDE: u32 = 168;
/// How wide a photo is kept, for screens with more pixels.
pub(super) const KEPT: u32 = 224;
/// How wide a mosaic is, at most if its tiles allow.
const MOSAIC: u32 = 336;
/// The quality of a photo.
const QUALITY: u8 = 85;

/// A picture in the page.
#[derive(Debug, Serialize)]
pub(super) struct Picture {
    uri: String,
    width: u32,
    alt: String,
}

#[derive(Debug, Serialize)]
struct Row {
    title: String,
    /// What the networks saw: one picture for all that preprocess alike.
    photos: Vec<Picture>,
    cells: Vec<One>,
}

#[derive(Debug, Serialize)]
struct One {
    cell: Cell,
    pictures: Vec<Picture>,
    /// The colours of the scale, from its lower end to its upper.
    ramp: Option<String>,
}

/// Figures that pictures and words are enough for.
pub(super) fn pictures(results: &Results, tensors: &Tensors, chosen: &[usize]) -> Result<String> {
    if chosen.is_empty() {
        return Ok(String::new());
    }
    let words = Words::of(results.experiment.lang);
    let nets = nets(results);
    let mut rows = of_networks(results, tensors, chosen, &nets, &words)?;
    for (number, image) in results.images.iter().enumerate() {
        let mut drawing = photos::drawing(number, image, &nets, results, tensors, &words);
        let mut methods: Vec<&str> = Vec::new();
        for &at in chosen {
            let figure = &results.figures[at];
            if figure.image.as_ref() == Some(&image.id) && !methods.contains(&&*figure.method) {
                methods.push(&figure.method);
            }
        }
        for method in methods {
            for row in drawing.rows(method)? {
                let cells = row.cells.into_iter().filter_map(|cell| {
                    let at = cell.figure.filter(|at| chosen.contains(at))?;
                    Some((cell, &results.figures[at]))
                });
                let mut seen = Vec::new();
                let mut drawn = Vec::new();
                for (cell, figure) in cells {
                    let view = image
                        .views
                        .iter()
                        .find(|v| v.models.contains(&figure.model));
                    let photo = view.and_then(|view| pixels(tensors, &view.tensor));
                    if let (Some(view), Some(photo)) = (view, &photo)
                        && !seen.iter().any(|(tensor, _)| *tensor == view.tensor)
                    {
                        seen.push((view.tensor.clone(), jpeg(photo, SIDE, &image.id)?));
                    }
                    drawn.push(one(cell, figure, photo.as_ref(), tensors)?);
                }
                if drawn.is_empty() {
                    continue;
                }
                let name = words.say(&format!("method.{method}"), &[]);
                let title = [&image.id, &name, &row.title].map(String::as_str);
                rows.push(Row {
                    title: title
                        .into_iter()
                        .filter(|t| !t.is_empty())
                        .collect::<Vec<_>>()
                        .join(" · "),
                    photos: seen.into_iter().map(|(_, photo)| photo).collect(),
                    cells: drawn,
                });
            }
        }
    }
    draw(
        "inline-figures.html",
        results.experiment.lang,
        context! { rows => Value::from(Serde(&rows)), colours => COLOURS },
    )
}

/// The rows of what has no photo: first kernels.
fn of_networks(
    results: &Results,
    tensors: &Tensors,
    chosen: &[usize],
    nets: &[Net],
    words: &Words,
) -> Result<Vec<Row>> {
    let mut cells = Vec::new();
    let mut title = String::new();
    for figure in chosen.iter().map(|&at| &results.figures[at]) {
        let Content::ColourKernels {
            tensor,
            total,
            magnitude,
            units,
            ..
        } = &figure.content
        else {
            continue;
        };
        let Some((values, [k, colours, h, w])) = floats(tensors.get(tensor)) else {
            continue;
        };
        let Some(net) = nets.iter().find(|net| net.id == figure.model) else {
            continue;
        };
        let values = &values[..k * colours * h * w];
        let zoom = zoom(k, w, h)?;
        let tiles = crate::image::kernel_mosaic(values, [k, h, w], *magnitude, zoom)?;
        title = words.say(&format!("method.{}", figure.method), &[]);
        let layer = figure.layer.clone().unwrap_or_default();
        let mut cell = message(net, String::new());
        cell.notes.push(format!(
            "{layer}: {} / {total}, ±{}",
            units.len(),
            words.number(f64::from(*magnitude))
        ));
        cells.push(One {
            pictures: vec![Picture {
                width: tiles.width(),
                uri: crate::image::data_uri("image/png", &crate::image::encode_rgb_png(&tiles)?),
                alt: format!("{title}, {}, {layer}", figure.model),
            }],
            cell,
            ramp: None,
        });
    }
    match cells.is_empty() {
        true => Ok(Vec::new()),
        false => Ok(vec![Row {
            title,
            photos: Vec::new(),
            cells,
        }]),
    }
}

/// How often a tile's pixels are repeated so that a mosaic of them is about as wide as it may be.
fn zoom(count: usize, width: usize, height: usize) -> Result<u32> {
    let once = MosaicGrid::new(count, width, height, 1)?.width().max(1);
    Ok((MOSAIC / once).max(1))
}

fn one(cell: Cell, figure: &Figure, photo: Option<&RgbImage>, tensors: &Tensors) -> Result<One> {
    let mut pictures = Vec::new();
    let mut ramp = None;
    let alt = match &figure.layer {
        Some(layer) => format!("{}, {}, {layer}", figure.method, figure.model),
        None => format!("{}, {}", figure.method, figure.model),
    };
    match &figure.content {
        Content::Map { tensor, signed, .. } if cell.map.is_some() => {
            if let Some((values, [height, width])) = floats(tensors.get(tensor)) {
                let shown = Shown::of(values, *signed);
                let size = (width, height);
                if let Some(photo) = photo {
                    let laid = laid_over(photo, values, size, shown.scale)?;
                    pictures.push(jpeg(&laid, SIDE, &alt)?);
                }
                pictures.push(bare(values, size, shown.scale, &alt)?);
                ramp = Some(colour_bar(*signed)?);
            }
        }
        Content::Channels { tensor, .. } => {
            if let (Some((values, [_, height, width])), Some(mosaic)) =
                (floats(tensors.get(tensor)), &cell.mosaic)
            {
                let count = mosaic.shown;
                let values = &values[..count * height * width];
                let signed = mosaic.scale.signed;
                let scale = Shown::of(values, signed).scale;
                let zoom = zoom(count, width, height)?;
                let drawn =
                    crate::image::channel_mosaic(values, [count, height, width], &[scale], zoom)?;
                let palette = colours(signed).palette();
                let bytes = crate::image::encode_palette_png(
                    drawn.width,
                    drawn.height,
                    &drawn.indices,
                    &palette,
                )?;
                pictures.push(Picture {
                    uri: crate::image::data_uri("image/png", &bytes),
                    width: drawn.width.min(MOSAIC),
                    alt,
                });
                ramp = Some(colour_bar(signed)?);
            }
        }
        _ => {}
    }
    Ok(One {
        cell,
        pictures,
        ramp,
    })
}

/// The palettes of the report.
fn colours(signed: bool) -> ColourMap {
    match signed {
        true => ColourMap::BlueRed,
        false => ColourMap::Inferno,
    }
}

/// A map's colours over the photo; the weaker a value, the more of the photo shows, as in the report.
fn laid_over(
    photo: &RgbImage,
    values: &[f32],
    size: (usize, usize),
    scale: ValueScale,
) -> Result<RgbImage> {
    let values = crate::image::upsample(values, size, photo.dimensions())?;
    let palette = colours(scale.signed).palette();
    let mut laid = photo.clone();
    for (pixel, value) in laid.pixels_mut().zip(values) {
        let index = scale.index(value);
        if index == crate::image::NO_VALUE {
            continue;
        }
        let strength = match scale.signed {
            true => (f32::from(index) - 128.0).abs() / 127.0,
            false => (f32::from(index) - 1.0) / 254.0,
        };
        let alpha = (strength * 1.15).min(1.0) * 0.9;
        for (sample, colour) in pixel.0.iter_mut().zip(palette[usize::from(index)]) {
            let mixed = f32::from(*sample) * (1.0 - alpha) + f32::from(colour) * alpha;
            *sample = mixed.round() as u8;
        }
    }
    Ok(laid)
}

/// Each number as a square.
fn bare(
    values: &[f32],
    (width, height): (usize, usize),
    scale: ValueScale,
    alt: &str,
) -> Result<Picture> {
    let zoom = (SIDE as usize / width.max(1)).max(1);
    let indices = scale.indices(values);
    let mut enlarged = Vec::with_capacity(indices.len() * zoom * zoom);
    for row in indices.chunks_exact(width.max(1)) {
        let wide: Vec<u8> = row
            .iter()
            .flat_map(|&index| std::iter::repeat_n(index, zoom))
            .collect();
        (0..zoom).for_each(|_| enlarged.extend_from_slice(&wide));
    }
    let side = |length: usize| u32::try_from(length * zoom).unwrap_or(u32::MAX);
    let palette = colours(scale.signed).palette();
    let bytes = crate::image::encode_palette_png(side(width), side(height), &enlarged, &palette)?;
    Ok(Picture {
        uri: crate::image::data_uri("image/png", &bytes),
        width: SIDE,
        alt: alt.to_owned(),
    })
}

fn colour_bar(signed: bool) -> Result<String> {
    // Pages scale a picture's height with its width, so it has the shape that it is shown in.
    let row: Vec<u8> = (1..=255).collect();
    let bytes =
        crate::image::encode_palette_png(255, 16, &row.repeat(16), &colours(signed).palette())?;
    Ok(crate::image::data_uri("image/png", &bytes))
}

pub(super) fn pixels(tensors: &Tensors, key: &str) -> Option<RgbImage> {
    let array = tensors.get(key)?;
    let [height, width, 3] = array.shape[..] else {
        return None;
    };
    let (width, height) = (width.try_into().ok()?, height.try_into().ok()?);
    RgbImage::from_raw(width, height, array.bytes()?.to_vec())
}

/// A photo, not larger than it is shown.
pub(super) fn jpeg(photo: &RgbImage, shown: u32, alt: &str) -> Result<Picture> {
    let (from, height) = photo.dimensions();
    let width = shown.max(KEPT).min(from);
    let height = u64::from(height) * u64::from(width) / u64::from(from.max(1));
    let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
    let bytes = match width < from {
        true => {
            let small = imageops::resize(photo, width, height, FilterType::Triangle);
            crate::image::encode_jpeg(&small, QUALITY)?
        }
        false => crate::image::encode_jpeg(photo, QUALITY)?,
    };
    Ok(Picture {
        uri: crate::image::data_uri("image/jpeg", &bytes),
        width: shown.min(from),
        alt: alt.to_owned(),
    })
}
