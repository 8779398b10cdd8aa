//! Photos, maps and mosaics as images with their own bytes.

use image::RgbImage;
use image::imageops::{self, FilterType};
use minijinja::context;
use serde::Serialize;

use super::template::render;
use crate::error::Result;
use crate::image::{MosaicGrid, ValueScale, data_uri, encode_jpeg, encode_palette_png};
use crate::report::section::to_value;
use crate::report::views::scale::{DisplayScale, colour_map};
use crate::spec::Lang;

/// The width at which a photo and a map are displayed, in pixels: two networks fit beside a photo in a notebook.
pub const DISPLAYED_WIDTH: u32 = 168;

/// The width at which a photo is stored, for screens with more pixels.
const STORED_WIDTH: u32 = 224;

/// The width of a mosaic, unless its tiles are wider.
const MOSAIC_WIDTH: u32 = 336;

/// The JPEG quality of a photo.
const QUALITY: u8 = 85;

/// The opacity of an overlay where the map is strongest, as in the report.
const ALPHA: f32 = 0.9;

/// An image of the page.
#[derive(Debug, Serialize)]
pub struct InlineImageView {
    uri: String,
    /// The width at which it is displayed.
    width: u32,
    alt: String,
}

/// A photo with a line below it.
///
/// # Errors
/// If it has no pixels.
pub fn photo(pixels: &RgbImage, caption: &str) -> Result<String> {
    let photo = InlineImageView::photo(pixels, 2 * STORED_WIDTH, caption)?;
    render(
        "inline-photo.html",
        Lang::default(),
        context! { photo => to_value(&photo), caption },
    )
}

impl InlineImageView {
    /// A photo, at most `displayed` pixels wide.
    ///
    /// # Errors
    /// If it has no pixels.
    pub fn photo(photo: &RgbImage, displayed: u32, alt: &str) -> Result<InlineImageView> {
        let (full_width, full_height) = photo.dimensions();
        let width = displayed.max(STORED_WIDTH).min(full_width);
        let height = u64::from(full_height) * u64::from(width) / u64::from(full_width.max(1));
        let height = u32::try_from(height).unwrap_or(u32::MAX).max(1);
        let bytes = if width < full_width {
            let small = imageops::resize(photo, width, height, FilterType::Triangle);
            encode_jpeg(&small, QUALITY)?
        } else {
            encode_jpeg(photo, QUALITY)?
        };
        Ok(InlineImageView {
            uri: data_uri("image/jpeg", &bytes),
            width: displayed.min(full_width),
            alt: alt.to_owned(),
        })
    }

    /// A map `[height, width]`, each value a square.
    ///
    /// # Errors
    /// If it has no values.
    pub fn map(
        values: &[f32],
        (width, height): (usize, usize),
        scale: ValueScale,
        alt: &str,
    ) -> Result<InlineImageView> {
        let zoom = (DISPLAYED_WIDTH as usize / width.max(1)).max(1);
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
        let palette = colour_map(scale.signed).palette();
        let bytes = encode_palette_png(side(width), side(height), &enlarged, &palette)?;
        Ok(InlineImageView {
            uri: data_uri("image/png", &bytes),
            width: DISPLAYED_WIDTH,
            alt: alt.to_owned(),
        })
    }

    /// Channels `[k, height, width]` side by side on one scale.
    ///
    /// # Errors
    /// If there are none.
    pub fn channels(
        values: &[f32],
        shape: [usize; 3],
        signed: bool,
        alt: &str,
    ) -> Result<InlineImageView> {
        let scale = DisplayScale::new(values, signed).scale;
        let zoom = mosaic_zoom(shape)?;
        let mosaic = crate::image::channel_mosaic(values, shape, &[scale], zoom)?;
        let palette = colour_map(signed).palette();
        let bytes = encode_palette_png(mosaic.width, mosaic.height, &mosaic.indices, &palette)?;
        Ok(InlineImageView {
            uri: data_uri("image/png", &bytes),
            width: mosaic.width.min(MOSAIC_WIDTH),
            alt: alt.to_owned(),
        })
    }

    /// Kernels `[k, 3, height, width]` as colour tiles from −`magnitude` to `magnitude`; `shape` is `[k, height, width]`.
    ///
    /// # Errors
    /// If there are none.
    pub fn kernels(
        values: &[f32],
        shape: [usize; 3],
        magnitude: f32,
        alt: String,
    ) -> Result<InlineImageView> {
        let zoom = mosaic_zoom(shape)?;
        let tiles = crate::image::kernel_mosaic(values, shape, magnitude, zoom)?;
        Ok(InlineImageView {
            uri: data_uri("image/png", &crate::image::encode_rgb_png(&tiles)?),
            width: tiles.width(),
            alt,
        })
    }
}

/// How often each value of a mosaic is repeated in both directions, so that the mosaic is about as wide as it may be.
fn mosaic_zoom([count, height, width]: [usize; 3]) -> Result<u32> {
    let once = MosaicGrid::new(count, width, height, 1)?.width().max(1);
    Ok((MOSAIC_WIDTH / once).max(1))
}

/// A map's colours over the photo; the weaker a value, the more of the photo is visible, as in the report.
///
/// # Errors
/// If the map has no values.
pub fn overlay(
    photo: &RgbImage,
    values: &[f32],
    size: (usize, usize),
    scale: ValueScale,
) -> Result<RgbImage> {
    let values = crate::image::upsample(values, size, photo.dimensions())?;
    let palette = colour_map(scale.signed).palette();
    let mut overlay = photo.clone();
    for (pixel, value) in overlay.pixels_mut().zip(values) {
        let index = scale.index(value);
        if index == crate::image::NO_VALUE {
            continue;
        }
        let strength = if scale.signed {
            (f32::from(index) - 128.0).abs() / 127.0
        } else {
            (f32::from(index) - 1.0) / 254.0
        };
        let alpha = (strength * 1.15).min(1.0) * ALPHA;
        for (sample, colour) in pixel.0.iter_mut().zip(palette[usize::from(index)]) {
            let mixed = f32::from(*sample) * (1.0 - alpha) + f32::from(colour) * alpha;
            *sample = mixed.round() as u8;
        }
    }
    Ok(overlay)
}

/// The colours of a scale from its lower end to its upper, as a `data:` URI.
///
/// # Errors
/// If it can't be encoded.
pub fn colour_bar(signed: bool) -> Result<String> {
    // Pages scale an image's height with its width, so it has the proportions in which it is displayed.
    let row: Vec<u8> = (1..=255).collect();
    let palette = colour_map(signed).palette();
    let bytes = encode_palette_png(255, 16, &row.repeat(16), &palette)?;
    Ok(data_uri("image/png", &bytes))
}
