//! Preprocessing: resize, centre crop and normalisation, as torchvision does them with Pillow.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::interpolation::Interpolation;
use super::limits::MAX_PIXELS;
use super::resize::{resize, resize_band, resize_floats};
use crate::error::{Error, ErrorKind, Result};

/// The steps from an image's pixels to a network's input.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preprocess {
    /// Length of the short side after resizing; `None` keeps the size.
    pub resize: Option<u32>,
    /// Side of the square cropped from the centre; `None` crops nothing.
    pub crop: Option<u32>,
    /// The filter of the resize.
    pub interpolation: Interpolation,
    /// Subtracted from the channels (red, green and blue) after scaling to 0…1.
    pub mean: Vec<f64>,
    /// The divisors of the channels, after `mean` is subtracted.
    pub std: Vec<f64>,
}

impl Preprocess {
    /// The preprocessing of most torchvision models: short side 256 bilinear, centre crop 224,
    /// ImageNet's mean and standard deviation.
    pub fn imagenet() -> Self {
        Preprocess {
            resize: Some(256),
            crop: Some(224),
            interpolation: Interpolation::Bilinear,
            mean: vec![0.485, 0.456, 0.406],
            std: vec![0.229, 0.224, 0.225],
        }
    }

    /// The same for networks with another input size: the short side is 8/7 of the crop, as 256 is of
    /// 224.
    pub fn for_input(side: u32) -> Self {
        Preprocess {
            resize: Some((side * 8).div_ceil(7)),
            crop: Some(side),
            ..Preprocess::imagenet()
        }
    }

    /// Whether both give the same [`view`](Self::view) of every image; mean and deviation may differ.
    pub fn has_same_view(&self, other: &Preprocess) -> bool {
        (self.resize, self.crop, self.interpolation)
            == (other.resize, other.crop, other.interpolation)
            && self.beyond_unit().is_some() == other.beyond_unit().is_some()
    }

    /// A mean beyond 0 to 1, which is for images of floats only.
    pub(super) fn beyond_unit(&self) -> Option<f64> {
        let mut means = self.mean.iter().copied();
        means.find(|mean| !(0.0..=1.0).contains(mean))
    }

    /// The resized and cropped image, before normalisation: the same pixels as torchvision's `Resize` and
    /// `CenterCrop` give with Pillow. Where the crop is larger than the image, black is added around it.
    ///
    /// # Errors
    /// If a side of the image, of the resized image or of the crop is 0, or if the resized or the cropped
    /// image would have more than [`MAX_PIXELS`].
    pub fn view(&self, pixels: &RgbImage) -> Result<RgbImage> {
        let (width, height) = self.checked_size(pixels.dimensions())?;
        let resized = resize(pixels, width, height, self.interpolation);
        Ok(match self.crop {
            Some(side) => centre_crop(&resized, side),
            None => resized,
        })
    }

    /// A band of 8 bits, resized and cropped as [`view`](Self::view) does.
    pub(super) fn view_band(&self, band: &[u8], from: (u32, u32)) -> Result<Vec<u8>> {
        let to = self.checked_size(from)?;
        let resized = resize_band(band, from, to, self.interpolation);
        Ok(self.cropped_band(resized, to))
    }

    /// The same of a band of floats, without rounding.
    pub(super) fn view_floats(&self, band: &[f32], from: (u32, u32)) -> Result<Vec<f32>> {
        let to = self.checked_size(from)?;
        let resized = resize_floats(band, from, to, self.interpolation);
        Ok(self.cropped_band(resized, to))
    }

    /// The square at the centre of a resized band, 0 outside of it.
    fn cropped_band<T: Copy + Default>(&self, band: Vec<T>, (width, height): (u32, u32)) -> Vec<T> {
        let Some(side) = self.crop else {
            return band;
        };
        let (left, top) = (offset(width, side), offset(height, side));
        let at = |x: i64, y: i64| {
            let is_inside =
                (0..i64::from(width)).contains(&x) && (0..i64::from(height)).contains(&y);
            let index = (y * i64::from(width) + x) as usize;
            let value = is_inside.then(|| band.get(index).copied()).flatten();
            value.unwrap_or_default()
        };
        let side = i64::from(side);
        let rows = (0..side).flat_map(|y| (0..side).map(move |x| (x, y)));
        rows.map(|(x, y)| at(left + x, top + y)).collect()
    }

    /// Where the view of an image of `width` × `height` lies in the image: left, top, right and bottom, in the image's own
    /// pixels. A crop larger than the image reaches beyond it.
    pub fn view_box(&self, (width, height): (u32, u32)) -> [f64; 4] {
        let (to_width, to_height) = self.resized(width, height);
        let part = |length: u32, resized: u64| {
            let resized = u32::try_from(resized).unwrap_or(u32::MAX).max(1);
            let scale = f64::from(length) / f64::from(resized);
            let (first, end) = match self.crop {
                Some(side) => {
                    let first = offset(resized, side);
                    (first, first + i64::from(side))
                }
                None => (0, i64::from(resized)),
            };
            [first as f64 * scale, end as f64 * scale]
        };
        let ([left, right], [top, bottom]) = (part(width, to_width), part(height, to_height));
        [left, top, right, bottom]
    }

    /// The size to which an image is resized.
    ///
    /// # Errors
    /// If there is none, as [`view`](Self::view) says.
    fn checked_size(&self, (width, height): (u32, u32)) -> Result<(u32, u32)> {
        if width == 0 || height == 0 {
            return Err(Error::new(
                ErrorKind::Image,
                format!("can't preprocess an image of {width} × {height} pixels"),
            ));
        }
        let (to_width, to_height) = self.resized(width, height);
        self.check_size(to_width, to_height, (width, height))?;
        if let Some(side) = self.crop {
            self.check_size(side.into(), side.into(), (width, height))?;
        }
        // Both fit: no more than `MAX_PIXELS`, and no side is 0.
        Ok((to_width as u32, to_height as u32))
    }

    /// The input `[3, height, width]` of a view in three colours: `(x/255 − mean) / std` in float32, as torchvision
    /// computes it.
    pub fn normalise(&self, view: &RgbImage) -> Vec<f32> {
        let mut planes = vec![0.0; view.len()];
        let area = (view.len() / 3).max(1);
        for (colour, plane) in planes.chunks_exact_mut(area).enumerate() {
            let (mean, std) = self.channel(colour);
            let levels: [f32; 256] =
                std::array::from_fn(|level| (level as f32 / 255.0 - mean) / std);
            for (value, pixel) in plane.iter_mut().zip(view.chunks_exact(3)) {
                *value = levels[usize::from(pixel[colour])];
            }
        }
        planes
    }

    /// The mean and the standard deviation of a channel; 0 and 1 for one without.
    pub(super) fn channel(&self, channel: usize) -> (f32, f32) {
        let mean = self.mean.get(channel).map_or(0.0, |mean| *mean as f32);
        let std = self.std.get(channel).map_or(1.0, |std| *std as f32);
        (mean, std)
    }

    /// Width and height of the [`view`](Self::view) of an image of `width` × `height`.
    pub fn input_size(&self, width: u32, height: u32) -> (u32, u32) {
        match self.crop {
            Some(side) => (side, side),
            None => {
                let (width, height) = self.resized(width, height);
                let narrow = |side: u64| u32::try_from(side).unwrap_or(u32::MAX);
                (narrow(width), narrow(height))
            }
        }
    }

    /// One line: `short side 256 bicubic, centre 224`.
    pub fn describe(&self) -> String {
        let interpolation = match self.interpolation {
            Interpolation::Bilinear => "bilinear",
            Interpolation::Bicubic => "bicubic",
        };
        match (self.resize, self.crop) {
            (Some(short), Some(side)) => {
                format!("short side {short} {interpolation}, centre {side}")
            }
            (Some(short), None) => format!("short side {short} {interpolation}"),
            (None, Some(side)) => format!("centre {side}"),
            (None, None) => "as it is".to_owned(),
        }
    }

    /// The size before the crop: the long side follows the short one, rounded down.
    fn resized(&self, width: u32, height: u32) -> (u64, u64) {
        let Some(short) = self.resize else {
            return (width.into(), height.into());
        };
        let short = u64::from(short);
        let scaled = |long: u32, over: u32| short * u64::from(long) / u64::from(over.max(1));
        if width <= height {
            (short, scaled(height, width))
        } else {
            (scaled(width, height), short)
        }
    }

    fn check_size(&self, width: u64, height: u64, from: (u32, u32)) -> Result<()> {
        let allowed = if width == 0 || height == 0 {
            "each side must be at least 1".to_owned()
        } else if width.saturating_mul(height) > MAX_PIXELS {
            format!("at most {MAX_PIXELS} pixels are allowed")
        } else {
            return Ok(());
        };
        let message = format!(
            "can't preprocess an image of {} × {} pixels with {}: it would become {width} × {height} pixels, and {allowed}",
            from.0,
            from.1,
            self.describe()
        );
        Err(Error::new(ErrorKind::Image, message))
    }
}

/// The square of `side` pixels at the centre, black outside of the image.
fn centre_crop(pixels: &RgbImage, side: u32) -> RgbImage {
    let mut view = RgbImage::new(side, side);
    let left = offset(pixels.width(), side);
    let top = offset(pixels.height(), side);
    image::imageops::replace(&mut view, pixels, -left, -top);
    view
}

/// The first pixel of a crop of `side` from a line of `length`; negative if the crop begins with black.
///
/// torchvision rounds the two cases differently: half to even for a crop (Python's `round`), down
/// for padding.
fn offset(length: u32, side: u32) -> i64 {
    let spare = i64::from(length) - i64::from(side);
    if spare < 0 {
        return -(-spare / 2);
    }
    let half = spare / 2;
    if spare % 2 == 1 && half % 2 == 1 {
        half + 1
    } else {
        half
    }
}
