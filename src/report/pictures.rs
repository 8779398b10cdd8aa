//! What the page stores of pictures: each photo and each map once, in the `<defs>` of its section.

use image::{ImageEncoder, RgbImage, codecs::png};
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::figures::Array;
use crate::image::{ColourMap, ValueScale, data_uri};

/// The quality of photos: artefacts don't show at the size they are shown at.
const JPEG_QUALITY: u8 = 88;

/// Of projections, which are noisy and shown small.
const SMALL_QUALITY: u8 = 78;

/// Maps with more places than this are scaled to a percentile: a gradient's few largest values
/// would leave the rest in the dark.
const CLIPPED_FROM: usize = 56 * 56;
const PERCENTILE: f64 = 0.995;

/// One stored picture.
#[derive(Debug, Serialize)]
pub struct Stored {
    pub id: String,
    pub uri: String,
}

/// The pictures of one section, with ids that begin alike.
#[derive(Debug)]
pub struct Store {
    prefix: String,
    pub stored: Vec<Stored>,
}

impl Store {
    pub fn new(prefix: impl Into<String>) -> Self {
        Store {
            prefix: prefix.into(),
            stored: Vec::new(),
        }
    }

    fn add(&mut self, mime: &str, bytes: &[u8]) -> String {
        let id = format!("{}-{}", self.prefix, self.stored.len());
        self.stored.push(Stored {
            id: id.clone(),
            uri: data_uri(mime, bytes),
        });
        id
    }

    /// A photo from an 8-bit array `[height, width, 3]`.
    pub fn photo(&mut self, array: &Array) -> Option<String> {
        let [height, width, 3] = array.shape[..] else {
            return None;
        };
        let pixels = array.bytes()?.to_vec();
        let photo = RgbImage::from_raw(width.try_into().ok()?, height.try_into().ok()?, pixels)?;
        let bytes = crate::image::encode_jpeg(&photo, JPEG_QUALITY).ok()?;
        Some(self.add("image/jpeg", &bytes))
    }

    /// A small picture in its own colours, smooth enough for JPEG.
    ///
    /// # Errors
    /// If it has no pixels.
    pub fn small(&mut self, pixels: &RgbImage) -> Result<String> {
        let bytes = crate::image::encode_jpeg(pixels, SMALL_QUALITY)?;
        Ok(self.add("image/jpeg", &bytes))
    }

    /// Grey levels that a filter of the page colours: the indices of a [`ValueScale`].
    pub fn grey(&mut self, width: u32, height: u32, indices: &[u8]) -> Result<String> {
        let mut bytes = Vec::new();
        png::PngEncoder::new_with_quality(
            &mut bytes,
            png::CompressionType::Best,
            png::FilterType::NoFilter,
        )
        .write_image(indices, width, height, image::ExtendedColorType::L8)
        .map_err(|error| {
            Error::new(
                ErrorKind::Image,
                format!("can't encode a map of {width} × {height}"),
            )
            .caused_by(error)
        })?;
        Ok(self.add("image/png", &bytes))
    }

    /// A picture in its own colours.
    pub fn colours(&mut self, pixels: &RgbImage) -> Result<String> {
        Ok(self.add("image/png", &crate::image::encode_rgb_png(pixels)?))
    }
}

/// How the numbers of a map became grey levels.
#[derive(Debug, Clone, Copy)]
pub struct Shown {
    pub scale: ValueScale,
    /// Whether values beyond the scale's end are shown as its end.
    pub clipped: bool,
    /// The largest magnitude among the values.
    pub largest: f32,
}

impl Shown {
    /// From 0 (or the smallest, where that is positive a 0 all the same) to the largest value, or
    /// symmetric about 0; for large maps to the 99.5th percentile of the magnitudes.
    pub fn of(values: &[f32], signed: bool) -> Shown {
        let mut magnitudes: Vec<f32> = values
            .iter()
            .filter(|v| v.is_finite())
            .map(|v| v.abs())
            .collect();
        magnitudes.sort_by(f32::total_cmp);
        let largest = magnitudes.last().copied().unwrap_or(0.0);
        let mut end = largest;
        if magnitudes.len() >= CLIPPED_FROM {
            let place = (magnitudes.len() as f64 * PERCENTILE) as usize;
            let percentile = magnitudes.get(place).copied().unwrap_or(largest);
            // A map that is 0 nearly everywhere has no percentile to speak of.
            if percentile > 0.0 {
                end = percentile;
            }
        }
        let scale = if signed {
            ValueScale::symmetric(end)
        } else {
            ValueScale::between(0.0, end)
        };
        Shown {
            scale,
            clipped: end < largest,
            largest,
        }
    }
}

/// Where the largest magnitude of a map `[height, width]` lies, in parts of its sides.
pub fn peak(values: &[f32], width: usize) -> Option<(f64, f64)> {
    let (place, _) = values
        .iter()
        .enumerate()
        .filter(|(_, v)| v.is_finite())
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()).then(b.0.cmp(&a.0)))?;
    let height = values.len().checked_div(width)?;
    let middle = |at: usize, of: usize| (at as f64 + 0.5) / of as f64;
    Some((middle(place % width, width), middle(place / width, height)))
}

/// How many channels of a layer are shown when nobody listed them: a large early map needs room, a
/// small late one doesn't.
pub fn channels_shown(side: usize) -> usize {
    match side {
        80.. => 4,
        40.. => 9,
        20.. => 16,
        _ => 64,
    }
}

/// Tables of one filter of the page: what each grey level becomes.
#[derive(Debug, Serialize)]
pub struct Palette {
    pub name: String,
    /// As it is known: `Viridis`.
    pub title: String,
    pub signed: bool,
    /// Of red, green and blue.
    pub tables: [String; 3],
}

/// The palettes of the page: sequential ones first.
pub fn palettes() -> Vec<Palette> {
    ColourMap::ALL
        .into_iter()
        .map(|map| {
            let mut colours = map.palette();
            // Level 0 is left open where there are gaps; elsewhere it is only ever a rounding of 1.
            colours[0] = colours[1];
            let table = |c: usize| {
                let entries: Vec<String> = colours
                    .iter()
                    .map(|colour| {
                        let part = f64::from(colour[c]) / 255.0;
                        format!("{part:.3}").trim_start_matches('0').to_owned()
                    })
                    .collect();
                entries.join(" ")
            };
            Palette {
                name: format!("{map:?}").to_lowercase(),
                title: format!("{map:?}"),
                signed: map.is_diverging(),
                tables: [table(0), table(1), table(2)],
            }
        })
        .collect()
}
