//! The samples of an image file: any number of bands, of 8 or 16 bits or float.

use image::RgbImage;

use super::limits::MAX_BANDS;
use crate::error::{Error, ErrorKind, Result};

/// The samples of an image, upright.
#[derive(Debug, Clone, PartialEq)]
pub struct Bands {
    width: u32,
    height: u32,
    count: usize,
    has_alpha: bool,
    samples: Samples,
}

/// Samples, band by band, each row by row.
#[derive(Debug, Clone, PartialEq)]
pub enum Samples {
    /// 0 to 255, which a network gets as 0 to 1.
    Bits8(Vec<u8>),
    /// 0 to 65535, which a network gets as 0 to 1.
    Bits16(Vec<u16>),
    /// As a network gets them: floats of the file, or integers of more than 16 bits or with a sign, divided by the
    /// largest value of their type.
    Float(Vec<f32>),
}

impl Samples {
    fn len(&self) -> usize {
        match self {
            Samples::Bits8(values) => values.len(),
            Samples::Bits16(values) => values.len(),
            Samples::Float(values) => values.len(),
        }
    }
}

impl Bands {
    /// The bands of an image of `width` × `height`; with `has_alpha`, the last one is opacity.
    ///
    /// # Errors
    /// Of kind [`ErrorKind::Image`]: there is no sample, more than [`MAX_BANDS`] bands or another number of samples than these
    /// sides have, or a float is not finite.
    pub fn new(
        (width, height): (u32, u32),
        count: usize,
        has_alpha: bool,
        samples: Samples,
    ) -> Result<Bands> {
        let error = |message: String| Error::new(ErrorKind::Image, message);
        if count > MAX_BANDS {
            return Err(error(format!(
                "it has {count} bands; at most {MAX_BANDS} are read"
            )));
        }
        let expected = u64::from(width) * u64::from(height) * count as u64;
        if expected == 0 || expected != samples.len() as u64 {
            return Err(error(format!(
                "{count} bands of {width} × {height} pixels have {expected} samples, not {}",
                samples.len()
            )));
        }
        if let Samples::Float(values) = &samples {
            let wrong = values.iter().filter(|value| !value.is_finite()).count();
            if wrong > 0 {
                return Err(
                    error(format!("{wrong} of its samples are no finite numbers"))
                        .help("put a number in the place of NaN and infinity, such as 0 or the band's mean"),
                );
            }
        }
        Ok(Bands {
            width,
            height,
            count,
            has_alpha,
            samples,
        })
    }

    /// The bands of samples that are stored pixel by pixel.
    ///
    /// # Errors
    /// As [`Bands::new`].
    pub fn from_interleaved(
        size: (u32, u32),
        count: usize,
        has_alpha: bool,
        samples: Samples,
    ) -> Result<Bands> {
        let samples = match samples {
            Samples::Bits8(values) => Samples::Bits8(band_by_band(&values, count)),
            Samples::Bits16(values) => Samples::Bits16(band_by_band(&values, count)),
            Samples::Float(values) => Samples::Float(band_by_band(&values, count)),
        };
        Bands::new(size, count, has_alpha, samples)
    }

    /// The three bands of a picture.
    ///
    /// # Errors
    /// If it has no pixels.
    pub(super) fn from_rgb(pixels: &RgbImage) -> Result<Bands> {
        let samples = Samples::Bits8(pixels.as_raw().clone());
        Bands::from_interleaved(pixels.dimensions(), 3, false, samples)
    }

    /// The picture whose samples these are; `None` unless they are three colours of 8 bits.
    pub(super) fn to_rgb(&self) -> Option<RgbImage> {
        let [red, green, blue] = [0, 1, 2].map(|band| self.bytes(band));
        let (red, green, blue) = (red?, green?, blue?);
        if self.count != 3 {
            return None;
        }
        let colours = red.iter().zip(green).zip(blue);
        let rgb = colours.flat_map(|((red, green), blue)| [*red, *green, *blue]);
        RgbImage::from_raw(self.width, self.height, rgb.collect())
    }

    /// The bands of an image that is stored with an orientation of EXIF, 1 to 8, upright; any other number is no turn.
    pub(super) fn turned(self, orientation: u16) -> Bands {
        if !(2..=8).contains(&orientation) {
            return self;
        }
        let from = (self.width as usize, self.height as usize);
        let is_transposed = orientation >= 5;
        let (width, height) = if is_transposed {
            (from.1, from.0)
        } else {
            from
        };
        // Where a pixel of the upright image is stored.
        let place = |index: usize| {
            let (x, y) = (index % width, index / width);
            let (x, y) = if is_transposed { (y, x) } else { (x, y) };
            let (right, down) = (from.0 - 1 - x, from.1 - 1 - y);
            let (x, y) = match orientation {
                2 | 8 => (right, y),
                3 | 7 => (right, down),
                4 | 6 => (x, down),
                _ => (x, y),
            };
            y * from.0 + x
        };
        fn map<T: Copy>(values: &[T], area: usize, place: &dyn Fn(usize) -> usize) -> Vec<T> {
            let bands = values.chunks_exact(area);
            bands
                .flat_map(|band| (0..area).map(move |index| band[place(index)]))
                .collect()
        }
        let area = width * height;
        let samples = match &self.samples {
            Samples::Bits8(values) => Samples::Bits8(map(values, area, &place)),
            Samples::Bits16(values) => Samples::Bits16(map(values, area, &place)),
            Samples::Float(values) => Samples::Float(map(values, area, &place)),
        };
        Bands {
            width: width as u32,
            height: height as u32,
            samples,
            ..self
        }
    }

    /// Width and height in pixels.
    pub fn size(&self) -> (u32, u32) {
        (self.width, self.height)
    }

    /// How many there are, with opacity.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether the last band is opacity.
    pub fn has_alpha(&self) -> bool {
        self.has_alpha
    }

    /// The samples, band by band.
    pub fn samples(&self) -> &Samples {
        &self.samples
    }

    /// One band as floats, 0 to 1 for 8 and 16 bits; empty if there is no such band.
    pub fn floats(&self, band: usize) -> Vec<f32> {
        let area = self.width as usize * self.height as usize;
        let range = band.saturating_mul(area)..band.saturating_add(1).saturating_mul(area);
        match &self.samples {
            Samples::Bits8(values) => {
                let values = values.get(range).unwrap_or_default().iter();
                values.map(|value| f32::from(*value) / 255.0).collect()
            }
            Samples::Bits16(values) => {
                let values = values.get(range).unwrap_or_default().iter();
                values.map(|value| f32::from(*value) / 65535.0).collect()
            }
            Samples::Float(values) => values.get(range).unwrap_or_default().to_vec(),
        }
    }

    /// One band of 8 bits; `None` if the samples have another depth or there is no such band.
    pub(super) fn bytes(&self, band: usize) -> Option<&[u8]> {
        let area = self.width as usize * self.height as usize;
        match &self.samples {
            Samples::Bits8(values) => values.chunks_exact(area).nth(band),
            _ => None,
        }
    }
}

/// Samples that are stored pixel by pixel, in the order of their bands.
fn band_by_band<T: Copy>(samples: &[T], count: usize) -> Vec<T> {
    let count = count.max(1);
    let bands = (0..count).flat_map(|band| samples.iter().skip(band).step_by(count).copied());
    bands.collect()
}
