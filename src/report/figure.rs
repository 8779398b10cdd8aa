//! One figure by itself, for print and slides: an SVG with everything in it, from what a run stored.
//!
//! A figure's key is that of its tensor in `data.safetensors`, or `chart/NAME`.

use image::RgbImage;

use super::charts;
use super::pictures::Shown;
use super::words::Words;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::figures::{Array, Content, Figure, Tensors, Values};
use crate::image::{ColourMap, Interpolation, data_uri};
use crate::results::{ImageInfo, Results};

/// How wide a figure's drawing is, in its own units; as an SVG it has no size.
pub const WIDTH: f64 = 1200.0;

/// Overlays cover so much of the photo where a map is strongest, as in the report.
const ALPHA: f32 = 0.9;

/// The light page's colours, for charts.
const COLOURS: [(&str, &str); 10] = [
    ("--ink", "#1b1f24"),
    ("--rule", "#d5dae0"),
    ("--n0", "#0072b2"),
    ("--n1", "#d55e00"),
    ("--n2", "#00855f"),
    ("--n3", "#a8508a"),
    ("--n4", "#3a8fc4"),
    ("--n5", "#b37700"),
    ("--n6", "#6b6b00"),
    ("--n7", "#3d3d3d"),
];

/// What is drawn of one key.
#[derive(Debug)]
struct Drawing {
    heading: String,
    lines: Vec<String>,
    pictures: Vec<Picture>,
    bar: Option<Bar>,
}

#[derive(Debug)]
struct Picture {
    uri: String,
    width: f64,
    height: f64,
}

#[derive(Debug)]
struct Bar {
    uri: String,
    low: String,
    high: String,
}

/// The charts that a figure can be: their keys, in the page's order.
const CHARTS: [&str; 5] = [
    "chart/parameters",
    "chart/multiply_adds",
    "chart/resolution",
    "chart/channels",
    "chart/truth",
];

/// Every key that [`figure`] draws.
pub fn keys(results: &Results, tensors: &Tensors) -> Vec<String> {
    let charts = CHARTS.iter().map(|&key| key.to_owned());
    let charts = charts.filter(|key| matches!(chart(key, results), Ok(Some(_))));
    let drawn = tensors.iter().filter(|(_, array)| is_picture(array));
    charts.chain(drawn.map(|(key, _)| key.clone())).collect()
}

fn is_picture(array: &Array) -> bool {
    let sides = array.shape.iter().all(|&side| side > 0);
    let fits = match array.values {
        Values::U8(_) => matches!(array.shape[..], [_, _, 3] | [_, _, _, 3]),
        Values::F32(_) => matches!(array.shape.len(), 2..=4),
    };
    sides && fits
}

fn chart(key: &str, results: &Results) -> Result<Option<String>> {
    let words = Words::of(results.experiment.lang);
    match key {
        "chart/parameters" => charts::parameters(&results.models, &words).map(Some),
        "chart/multiply_adds" => charts::multiply_adds(&results.models, &words).map(Some),
        "chart/resolution" => charts::resolution(&results.models, &words),
        "chart/channels" => charts::channels(&results.models, &words),
        "chart/truth" => charts::truth(results, &words),
        _ => Ok(None),
    }
}

/// The figure at `key` as an SVG of its own.
///
/// # Errors
/// If there is no such key, or what is stored there is no picture.
pub fn figure(results: &Results, tensors: &Tensors, key: &str) -> Result<String> {
    if let Some(chart) = chart(key, results)? {
        return Ok(standalone(&chart, results));
    }
    let Some(array) = tensors.get(key) else {
        let keys = keys(results, tensors);
        let error = Error::new(ErrorKind::Usage, format!("there is no figure `{key}`"));
        return Err(match nearest(key, keys.iter().map(String::as_str)) {
            Some(other) => error.help(format!("did you mean `{other}`?")),
            None => error.help("without a key, `convscope figure FOLDER` lists them"),
        });
    };
    if !is_picture(array) {
        let message = format!("`{key}` is no picture: its shape is {:?}", array.shape);
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let words = Words::of(results.experiment.lang);
    let of = results.figures.iter().find(|figure| names(figure, key));
    let drawing = Draw {
        results,
        tensors,
        words: &words,
    };
    Ok(drawing.drawing(key, array, of)?.svg())
}

/// Whether a figure's content is in the tensor `key`.
fn names(figure: &Figure, key: &str) -> bool {
    match &figure.content {
        Content::Map { tensor, .. }
        | Content::Channels { tensor, .. }
        | Content::ColourKernels { tensor, .. }
        | Content::Kernels { tensor, .. } => tensor == key,
        _ => false,
    }
}

struct Draw<'a> {
    results: &'a Results,
    tensors: &'a Tensors,
    words: &'a Words,
}

impl Draw<'_> {
    fn drawing(&self, key: &str, array: &Array, of: Option<&Figure>) -> Result<Drawing> {
        let (heading, lines) = self.said(key, of);
        let mut drawing = Drawing {
            heading,
            lines,
            pictures: Vec::new(),
            bar: None,
        };
        if let Values::U8(bytes) = &array.values {
            let photo = photo(array, bytes)?;
            drawing.pictures.push(Picture::jpeg(&photo)?);
            return Ok(drawing);
        }
        let values = array.floats().unwrap_or_default();
        let negative = values.iter().any(|value| *value < 0.0);
        match (&array.shape[..], of.map(|figure| &figure.content)) {
            (&[height, width], content) => {
                let signed = match content {
                    Some(Content::Map { signed, .. }) => *signed,
                    _ => negative,
                };
                let shown = Shown::of(values, signed);
                let colours = colours(signed);
                let seen = of.and_then(|figure| self.seen(figure));
                if let Some(photo) = &seen {
                    drawing.pictures.push(Picture::jpeg(photo)?);
                }
                let shape = seen.as_ref().map_or((width, height), |photo| {
                    (photo.width() as usize, photo.height() as usize)
                });
                let indices = shown.scale.indices(values);
                let map = Picture::map((width, height), &indices, colours)?;
                drawing.pictures.push(map.with_sides(shape));
                if let Some(photo) = &seen {
                    let laid = crate::image::overlay(
                        photo,
                        values,
                        width,
                        height,
                        colours,
                        shown.scale,
                        ALPHA,
                    )?;
                    drawing.pictures.push(Picture::jpeg(&laid)?);
                }
                drawing.bar = Some(self.bar(&shown)?);
            }
            (&[3, height, width], None) if negative => {
                // Something taken back to the pixels: grey is 0.
                let magnitude = Shown::of(values, true).scale.high;
                let tile = crate::image::kernel_mosaic(values, [1, height, width], magnitude, 1)?;
                drawing.pictures.push(Picture::png(&tile)?);
            }
            (&[count, 3, height, width], Some(Content::ColourKernels { magnitude, .. })) => {
                let zoom = zoom(count, width.max(height));
                let tiles =
                    crate::image::kernel_mosaic(values, [count, height, width], *magnitude, zoom)?;
                drawing.pictures.push(Picture::png(&tiles)?);
            }
            (&[count, height, width], _) => {
                self.mosaic(&mut drawing, values, [count, height, width], negative)?;
            }
            (&[units, slices, height, width], _) => {
                let shape = [units * slices, height, width];
                self.mosaic(&mut drawing, values, shape, negative)?;
            }
            _ => {}
        }
        Ok(drawing)
    }

    fn mosaic(
        &self,
        drawing: &mut Drawing,
        values: &[f32],
        shape: [usize; 3],
        signed: bool,
    ) -> Result<()> {
        let shown = Shown::of(values, signed);
        let zoom = zoom(shape[0], shape[1].max(shape[2]));
        let mosaic = crate::image::channel_mosaic(values, shape, &[shown.scale], zoom)?;
        let size = (mosaic.width as usize, mosaic.height as usize);
        let map = Picture::map(size, &mosaic.indices, colours(signed))?;
        drawing.pictures.push(map);
        drawing.bar = Some(self.bar(&shown)?);
        Ok(())
    }

    /// The heading and the lines below it.
    fn said(&self, key: &str, of: Option<&Figure>) -> (String, Vec<String>) {
        let Some(figure) = of else {
            return (key.to_owned(), Vec::new());
        };
        let name = self.words.text(&format!("method.{}", figure.method), &[]);
        let name = name.unwrap_or_else(|| figure.method.clone());
        let mut parts = vec![name, figure.model.clone()];
        parts.extend(figure.layer.clone());
        parts.extend(figure.image.clone());
        parts.extend(figure.class.as_ref().map(|class| class.name.clone()));
        let lines = figure.notes.iter().map(|note| self.words.note(note));
        (parts.join(" · "), lines.collect())
    }

    /// The photo as the figure's network saw it.
    fn seen(&self, figure: &Figure) -> Option<RgbImage> {
        let own = |image: &&ImageInfo| Some(&image.id) == figure.image.as_ref();
        let image = self.results.images.iter().find(own)?;
        let view = image
            .views
            .iter()
            .find(|view| view.models.contains(&figure.model))?;
        let array = self.tensors.get(&view.tensor)?;
        photo(array, array.bytes()?).ok()
    }

    fn bar(&self, shown: &Shown) -> Result<Bar> {
        let steps: Vec<u8> = (1..=255).collect();
        let number = |value: f32| self.words.number(f64::from(value));
        Ok(Bar {
            uri: Picture::map((255, 1), &steps, colours(shown.scale.signed))?.uri,
            low: number(shown.scale.low),
            high: number(shown.scale.high),
        })
    }
}

fn colours(signed: bool) -> ColourMap {
    match signed {
        true => ColourMap::BlueRed,
        false => ColourMap::Inferno,
    }
}

/// A picture of bytes, or several side by side.
fn photo(array: &Array, bytes: &[u8]) -> Result<RgbImage> {
    let refused = || {
        let message = format!("bytes of the shape {:?} are no picture", array.shape);
        Error::new(ErrorKind::Usage, message)
    };
    let (count, height, width) = match array.shape[..] {
        [height, width, 3] => (1, height, width),
        [count, height, width, 3] => (count, height, width),
        _ => return Err(refused()),
    };
    let grid = crate::image::MosaicGrid::new(count, width, height, 1)?;
    let mut all = RgbImage::from_pixel(grid.width(), grid.height(), image::Rgb([255; 3]));
    for (number, bytes) in bytes.chunks_exact(3 * width * height).enumerate() {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let one = RgbImage::from_raw(side(width), side(height), bytes.to_vec());
        let (x, y) = grid.origin(number);
        image::imageops::replace(&mut all, &one.ok_or_else(refused)?, x.into(), y.into());
    }
    Ok(all)
}

/// How many times a value is enlarged, so that a mosaic has the pixels that print asks for.
fn zoom(count: usize, side: usize) -> u32 {
    let columns = (count as f64).sqrt().ceil().max(1.0);
    (2400.0 / (columns * side as f64)).clamp(1.0, 40.0) as u32
}

impl Picture {
    fn new(uri: String, (width, height): (u32, u32)) -> Self {
        Picture {
            uri,
            width: f64::from(width),
            height: f64::from(height),
        }
    }

    fn png(pixels: &RgbImage) -> Result<Self> {
        let bytes = crate::image::encode_rgb_png(pixels)?;
        Ok(Picture::new(
            data_uri("image/png", &bytes),
            pixels.dimensions(),
        ))
    }

    /// A photo, enlarged so that print does not show its pixels.
    fn jpeg(photo: &RgbImage) -> Result<Self> {
        let times = (900 / photo.width().max(1)).clamp(1, 4);
        let (width, height) = (photo.width() * times, photo.height() * times);
        let large = crate::image::resize(photo, width, height, Interpolation::Bicubic);
        let bytes = crate::image::encode_jpeg(&large, 92)?;
        Ok(Picture::new(
            data_uri("image/jpeg", &bytes),
            photo.dimensions(),
        ))
    }

    /// Values as squares.
    fn map((width, height): (usize, usize), indices: &[u8], colours: ColourMap) -> Result<Self> {
        let times = (900 / width.max(height).max(1)).max(1);
        let (wide, high) = (width * times, height * times);
        let large: Vec<u8> = (0..wide * high)
            .map(|at| indices[at / wide / times * width + at % wide / times])
            .collect();
        let size = (wide as u32, high as u32);
        let bytes = crate::image::encode_palette_png(size.0, size.1, &large, &colours.palette())?;
        Ok(Picture::new(data_uri("image/png", &bytes), size))
    }

    /// The same in the proportions of something else.
    fn with_sides(self, (width, height): (usize, usize)) -> Self {
        Picture {
            uri: self.uri,
            width: width as f64,
            height: height as f64,
        }
    }
}

impl Drawing {
    /// The pictures in a row of one height, the words above and the scale below.
    fn svg(&self) -> String {
        const MARGIN: f64 = 24.0;
        const GAP: f64 = 14.0;
        let room = WIDTH - 2.0 * MARGIN - GAP * (self.pictures.len().saturating_sub(1)) as f64;
        let wide: f64 = self.pictures.iter().map(|p| p.width / p.height).sum();
        let height = (room / wide.max(f64::MIN_POSITIVE)).min(1100.0);
        let mut body = String::new();
        let mut y = MARGIN + 24.0;
        let mut line = |size: f64, weight: u32, y: f64, text: &str| {
            body.push_str(&format!(
                "<text x=\"{MARGIN}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\">{}</text>\n",
                escaped(text)
            ));
        };
        line(26.0, 700, y, &self.heading);
        for text in &self.lines {
            y += 26.0;
            line(18.0, 400, y, text);
        }
        y += 22.0;
        let mut x = MARGIN;
        for picture in &self.pictures {
            let width = height * picture.width / picture.height;
            body.push_str(&format!(
                "<image x=\"{x:.2}\" y=\"{y}\" width=\"{width:.2}\" height=\"{height:.2}\" \
                 preserveAspectRatio=\"none\" href=\"{}\"/>\n",
                picture.uri
            ));
            x += width + GAP;
        }
        y += height;
        if let Some(bar) = &self.bar {
            y += 20.0;
            body.push_str(&format!(
                "<image x=\"{MARGIN}\" y=\"{y}\" width=\"360\" height=\"16\" \
                 preserveAspectRatio=\"none\" href=\"{}\"/>\n<text x=\"{MARGIN}\" y=\"{}\" \
                 font-size=\"18\">{}</text>\n<text x=\"{}\" y=\"{}\" font-size=\"18\" \
                 text-anchor=\"end\">{}</text>\n",
                bar.uri,
                y + 38.0,
                escaped(&bar.low),
                MARGIN + 360.0,
                y + 38.0,
                escaped(&bar.high)
            ));
            y += 40.0;
        }
        let height = y + MARGIN;
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.2}\" \
             font-family=\"{FONTS}\" fill=\"#1b1f24\">\n<title>{}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n",
            escaped(&self.heading)
        )
    }
}

const FONTS: &str = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

/// A chart of the page with the page's colours in it, light, a margin around and the networks' names below.
fn standalone(chart: &str, results: &Results) -> String {
    let size = chart
        .split_once("viewBox=\"0 0 ")
        .map_or("", |(_, rest)| rest);
    let size = size.split_once('"').map_or("", |(size, _)| size);
    let sides: Vec<f64> = size
        .split(' ')
        .filter_map(|side| side.parse().ok())
        .collect();
    let &[width, height] = &sides[..] else {
        return chart.to_owned();
    };
    let mut legend = String::new();
    for (place, model) in results.models.iter().enumerate() {
        let y = height + 14.0 + 18.0 * place as f64;
        legend.push_str(&format!(
            "<circle cx=\"6\" cy=\"{y}\" r=\"5\" style=\"fill:var(--n{})\"/>\n\
             <text x=\"18\" y=\"{}\" font-size=\"13\" fill=\"#1b1f24\">{}</text>\n",
            place % 8,
            y + 4.5,
            escaped(&model.id)
        ));
    }
    let below = 12.0 + 18.0 * results.models.len() as f64;
    let opening = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"{FONTS}\" viewBox=\"-14 -12 {} {}\"",
        width + 28.0,
        height + below + 20.0
    );
    let ground = "</title><rect x=\"-14\" y=\"-12\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>";
    let old = format!("<svg class=\"chart\" viewBox=\"0 0 {size}\"");
    let mut svg = chart
        .replacen(&old, &opening, 1)
        .replacen("</title>", ground, 1)
        .replacen("</svg>", &format!("{legend}</svg>"), 1);
    for (name, colour) in COLOURS {
        svg = svg.replace(&format!("var({name})"), colour);
    }
    svg
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
