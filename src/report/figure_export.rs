//! One figure by itself, for print and slides: an SVG that needs no other file, from stored results.
//!
//! A figure's key is that of its tensor in `data.safetensors`, or `chart/NAME`.

use image::RgbImage;

use super::charts::ChartKind;
use super::charts::standalone::{standalone, with_legend};
use super::figure_svg::{ColourBar, DrawnImage, FigureDrawing};
use super::views::method::method_title;
use super::views::pixels::photo_image;
use super::views::scale::DisplayScale;
use super::words::Words;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::figures::{Array, Content, Figure, Tensors, Values};
use crate::results::{ImageInfo, Results};

/// The opacity of an overlay where the map is strongest, as in the report.
const ALPHA: f32 = 0.9;

/// A chart of the whole results as an SVG that needs no other file, with its title; `None` where the results have no
/// values for it.
///
/// # Errors
/// If it can't be drawn.
pub fn chart(results: &Results, measure: ChartKind) -> Result<Option<(String, String)>> {
    let words = Words::new(results.experiment.lang);
    let chart = measure.chart();
    let svg = (chart.draw)(results, &words)?;
    Ok(svg.map(|svg| (words.text(chart.title, &[]), standalone(&svg))))
}

/// Every key that [`figure`] draws.
pub fn keys(results: &Results, tensors: &Tensors) -> Vec<String> {
    let words = Words::new(results.experiment.lang);
    let charts = ChartKind::ALL.iter().map(|measure| measure.chart());
    let charts = charts.filter(|chart| matches!((chart.draw)(results, &words), Ok(Some(_))));
    let charts = charts.map(|chart| format!("chart/{}", chart.key));
    let drawn = tensors.iter().filter(|(_, array)| is_drawable(array));
    charts.chain(drawn.map(|(key, _)| key.clone())).collect()
}

/// Whether an array can be drawn as one or several images.
fn is_drawable(array: &Array) -> bool {
    let sides = array.shape.iter().all(|&side| side > 0);
    let fits = match array.values {
        Values::U8(_) => matches!(array.shape[..], [_, _, 3] | [_, _, _, 3]),
        Values::F32(_) => matches!(array.shape.len(), 2..=4),
    };
    sides && fits
}

/// The figure at `key` as an SVG of its own.
///
/// # Errors
/// If there is no such key, or what is stored there can't be drawn.
pub fn figure(results: &Results, tensors: &Tensors, key: &str) -> Result<String> {
    let words = Words::new(results.experiment.lang);
    let name = key.strip_prefix("chart/");
    let mut charts = ChartKind::ALL.iter().map(|measure| measure.chart());
    if let Some(chart) = charts.find(|chart| Some(chart.key) == name)
        && let Some(svg) = (chart.draw)(results, &words)?
    {
        return Ok(with_legend(&svg, results));
    }
    let Some(array) = tensors.get(key) else {
        let keys = keys(results, tensors);
        let error = Error::new(ErrorKind::Usage, format!("there is no figure `{key}`"));
        return Err(match nearest(key, keys.iter().map(String::as_str)) {
            Some(other) => error.help(format!("did you mean `{other}`?")),
            None => error.help("without a key, `convscope figure FOLDER` lists them"),
        });
    };
    if !is_drawable(array) {
        let message = format!("`{key}` can't be drawn: its shape is {:?}", array.shape);
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let mut figures = results.figures.iter();
    let renderer = FigureRenderer {
        results,
        tensors,
        words: &words,
        figure: figures.find(|figure| tensor_key(figure) == Some(key)),
    };
    Ok(renderer.drawing(key, array)?.svg())
}

/// The key of the tensor that a figure's content shows.
fn tensor_key(figure: &Figure) -> Option<&str> {
    match &figure.content {
        Content::Map { tensor, .. }
        | Content::Channels { tensor, .. }
        | Content::ColourKernels { tensor, .. }
        | Content::Kernels { tensor, .. } => Some(tensor),
        _ => None,
    }
}

/// Draws one tensor.
struct FigureRenderer<'a> {
    results: &'a Results,
    tensors: &'a Tensors,
    words: &'a Words,
    /// The figure whose content it is, where there is one.
    figure: Option<&'a Figure>,
}

impl FigureRenderer<'_> {
    fn drawing(&self, key: &str, array: &Array) -> Result<FigureDrawing> {
        let (heading, lines) = self.caption(key);
        let mut drawing = FigureDrawing {
            heading,
            lines,
            images: Vec::new(),
            bar: None,
        };
        let values = match &array.values {
            Values::U8(bytes) => {
                let photos = photos_image(array, bytes)?;
                drawing.images.push(DrawnImage::photo(&photos)?);
                return Ok(drawing);
            }
            Values::F32(values) => values,
        };
        let negative = values.iter().any(|value| *value < 0.0);
        match (&array.shape[..], self.figure.map(|figure| &figure.content)) {
            (&[height, width], content) => {
                let signed = match content {
                    Some(Content::Map { signed, .. }) => *signed,
                    _ => negative,
                };
                self.add_map(&mut drawing, values, (width, height), signed)?;
            }
            // A projection: grey is 0.
            (&[3, height, width], None) if negative => {
                let magnitude = DisplayScale::new(values, true).scale.high;
                let tile = crate::image::kernel_mosaic(values, [1, height, width], magnitude, 1)?;
                drawing.images.push(DrawnImage::png(&tile)?);
            }
            (&[count, 3, height, width], Some(Content::ColourKernels { magnitude, .. })) => {
                let zoom = mosaic_zoom(count, width.max(height));
                let shape = [count, height, width];
                let tiles = crate::image::kernel_mosaic(values, shape, *magnitude, zoom)?;
                drawing.images.push(DrawnImage::png(&tiles)?);
            }
            (&[count, height, width], _) => {
                self.add_mosaic(&mut drawing, values, [count, height, width], negative)?;
            }
            (&[units, slices, height, width], _) => {
                let shape = [units * slices, height, width];
                self.add_mosaic(&mut drawing, values, shape, negative)?;
            }
            _ => {}
        }
        Ok(drawing)
    }

    /// A map between the photo and the overlay, where the photo is known.
    fn add_map(
        &self,
        drawing: &mut FigureDrawing,
        values: &[f32],
        (width, height): (usize, usize),
        signed: bool,
    ) -> Result<()> {
        let display = DisplayScale::new(values, signed);
        let colours = display.colour_map();
        let photo = self.figure.and_then(|figure| self.photo(figure));
        let shape = photo.as_ref().map_or((width, height), |photo| {
            (photo.width() as usize, photo.height() as usize)
        });
        let indices = display.scale.indices(values);
        let map = DrawnImage::map((width, height), &indices, colours)?.with_sides(shape);
        match &photo {
            Some(photo) => {
                let overlay = crate::image::overlay(
                    photo,
                    values,
                    width,
                    height,
                    colours,
                    display.scale,
                    ALPHA,
                )?;
                drawing.images.push(DrawnImage::photo(photo)?);
                drawing.images.push(map);
                drawing.images.push(DrawnImage::photo(&overlay)?);
            }
            None => drawing.images.push(map),
        }
        drawing.bar = Some(self.bar(&display)?);
        Ok(())
    }

    fn add_mosaic(
        &self,
        drawing: &mut FigureDrawing,
        values: &[f32],
        shape: [usize; 3],
        signed: bool,
    ) -> Result<()> {
        let display = DisplayScale::new(values, signed);
        let zoom = mosaic_zoom(shape[0], shape[1].max(shape[2]));
        let mosaic = crate::image::channel_mosaic(values, shape, &[display.scale], zoom)?;
        let size = (mosaic.width as usize, mosaic.height as usize);
        let map = DrawnImage::map(size, &mosaic.indices, display.colour_map())?;
        drawing.images.push(map);
        drawing.bar = Some(self.bar(&display)?);
        Ok(())
    }

    /// The heading and the lines below it.
    fn caption(&self, key: &str) -> (String, Vec<String>) {
        let Some(figure) = self.figure else {
            return (key.to_owned(), Vec::new());
        };
        let mut parts = vec![
            method_title(&figure.method, self.words),
            figure.model.clone(),
        ];
        parts.extend(figure.layer.clone());
        parts.extend(figure.image.clone());
        parts.extend(figure.target.as_ref().map(|target| target.name()));
        let lines = figure.notes.iter().map(|note| self.words.note(note));
        (parts.join(" · "), lines.collect())
    }

    /// The photo as the figure's network sees it.
    fn photo(&self, figure: &Figure) -> Option<RgbImage> {
        let own = |image: &&ImageInfo| Some(&image.id) == figure.image.as_ref();
        let image = self.results.images.iter().find(own)?;
        let mut views = image.views.iter();
        let view = views.find(|view| view.models.contains(&figure.model))?;
        photo_image(self.tensors.get(&view.tensor)?)
    }

    fn bar(&self, display: &DisplayScale) -> Result<ColourBar> {
        let steps: Vec<u8> = (1..=255).collect();
        let number = |value: f32| self.words.number(f64::from(value));
        Ok(ColourBar {
            uri: DrawnImage::map((255, 1), &steps, display.colour_map())?.uri,
            low: number(display.scale.low),
            high: number(display.scale.high),
        })
    }
}
/// Photos side by side: 8-bit `[height, width, 3]` or `[n, height, width, 3]`.
fn photos_image(array: &Array, bytes: &[u8]) -> Result<RgbImage> {
    let shape_error = || {
        let message = format!("bytes of the shape {:?} are no image", array.shape);
        Error::new(ErrorKind::Usage, message)
    };
    let (count, height, width) = match array.shape[..] {
        [height, width, 3] => (1, height, width),
        [count, height, width, 3] => (count, height, width),
        _ => return Err(shape_error()),
    };
    let grid = crate::image::MosaicGrid::new(count, width, height, 1)?;
    let mut all = RgbImage::from_pixel(grid.width(), grid.height(), image::Rgb([255; 3]));
    for (number, bytes) in bytes.chunks_exact(3 * width * height).enumerate() {
        let side = |side: usize| u32::try_from(side).unwrap_or(u32::MAX);
        let one = RgbImage::from_raw(side(width), side(height), bytes.to_vec());
        let (x, y) = grid.origin(number);
        image::imageops::replace(&mut all, &one.ok_or_else(shape_error)?, x.into(), y.into());
    }
    Ok(all)
}

/// How often each value of a mosaic is repeated in both directions, so that the mosaic has enough pixels for print.
fn mosaic_zoom(count: usize, side: usize) -> u32 {
    let columns = (count as f64).sqrt().ceil().max(1.0);
    (2400.0 / (columns * side as f64)).clamp(1.0, 40.0) as u32
}
