//! Preprocessing: resize, centre crop and normalisation, as torchvision does them with Pillow.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::decode::MAX_PIXELS;
use super::interpolation::Interpolation;
use super::resize::resize;
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
    /// Subtracted from red, green and blue after scaling to 0…1.
    pub mean: [f64; 3],
    /// The divisor of red, green and blue, after `mean` is subtracted.
    pub std: [f64; 3],
}

impl Preprocess {
    /// The preprocessing of most torchvision models: short side 256 bilinear, centre crop 224,
    /// ImageNet's mean and standard deviation.
    pub fn imagenet() -> Self {
        Preprocess {
            resize: Some(256),
            crop: Some(224),
            interpolation: Interpolation::Bilinear,
            mean: [0.485, 0.456, 0.406],
            std: [0.229, 0.224, 0.225],
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
    }

    /// The resized and cropped image, before normalisation: the same pixels as torchvision's `Resize` and
    /// `CenterCrop` give with Pillow. Where the crop is larger than the image, black is added around it.
    ///
    /// # Errors
    /// If a side of the image, of the resized image or of the crop is 0, or if the resized or the cropped
    /// image would have more than [`MAX_PIXELS`].
    pub fn view(&self, pixels: &RgbImage) -> Result<RgbImage> {
        let (width, height) = pixels.dimensions();
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
        let (to_width, to_height) = (to_width as u32, to_height as u32);
        let resized = resize(pixels, to_width, to_height, self.interpolation);
        Ok(match self.crop {
            Some(side) => centre_crop(&resized, side),
            None => resized,
        })
    }

    /// The input `[3, height, width]` of a view: `(x/255 − mean) / std` in float32, as torchvision
    /// computes it.
    pub fn normalise(&self, view: &RgbImage) -> Vec<f32> {
        let mut planes = vec![0.0; view.len()];
        let area = (view.len() / 3).max(1);
        for (colour, plane) in planes.chunks_exact_mut(area).enumerate() {
            let (mean, std) = (self.mean[colour] as f32, self.std[colour] as f32);
            let levels: [f32; 256] =
                std::array::from_fn(|level| (level as f32 / 255.0 - mean) / std);
            for (value, pixel) in plane.iter_mut().zip(view.chunks_exact(3)) {
                *value = levels[usize::from(pixel[colour])];
            }
        }
        planes
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
