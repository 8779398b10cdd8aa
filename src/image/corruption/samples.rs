//! The values of a picture from 0 to 1, as corruptions compute with them.

use ::image::RgbImage;

/// The values of a picture, 0 to 1, the three colours of each pixel together.
#[derive(Debug, Clone)]
pub(super) struct Samples {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) values: Vec<f64>,
}

impl Samples {
    pub(super) fn of(pixels: &RgbImage) -> Samples {
        let values = pixels
            .as_raw()
            .iter()
            .map(|value| f64::from(*value) / 255.0);
        Samples {
            width: pixels.width() as usize,
            height: pixels.height() as usize,
            values: values.collect(),
        }
    }

    /// The colour `channel` at a column and a row.
    pub(super) fn at(&self, x: usize, y: usize, channel: usize) -> f64 {
        self.values[(y * self.width + x) * 3 + channel]
    }

    /// The picture, with values beyond 0 to 1 clipped. Fractions of a level are cut off, as by ImageNet-C.
    pub(super) fn to_pixels(&self) -> RgbImage {
        let levels = self.values.iter();
        let levels = levels.map(|value| (value.clamp(0.0, 1.0) * 255.0) as u8);
        let (width, height) = (self.width as u32, self.height as u32);
        RgbImage::from_raw(width, height, levels.collect())
            .unwrap_or_else(|| RgbImage::new(width, height))
    }
}
