//! The images of a section: each photo and each map is stored once, in the `<defs>` of its section, and used by its id.

use image::{ImageEncoder, RgbImage, codecs::png};
use serde::Serialize;

use crate::error::{Error, ErrorKind, Result};
use crate::image::data_uri;

/// The JPEG quality of photos: artefacts are not visible at the size at which they are displayed.
const PHOTO_QUALITY: u8 = 88;

/// The JPEG quality of small images, which are noisy: projections, patches, maximised images.
const SMALL_QUALITY: u8 = 78;

/// An image that is stored in the page.
#[derive(Debug, Serialize)]
pub struct StoredImageView {
    /// Its anchor.
    pub id: String,
    /// Its bytes, as a `data:` URI.
    pub uri: String,
}

/// The images of one section.
#[derive(Debug)]
pub struct ImageStore {
    prefix: String,
    /// All images so far.
    pub stored: Vec<StoredImageView>,
}

impl ImageStore {
    /// A store whose ids begin with `prefix`.
    pub fn new(prefix: impl Into<String>) -> Self {
        ImageStore {
            prefix: prefix.into(),
            stored: Vec::new(),
        }
    }

    /// Adds an image, unless it is there. Its id follows from its content, so that another section can name it.
    fn add(&mut self, mime: &str, bytes: &[u8]) -> String {
        let hash = blake3::hash(bytes).to_hex();
        let id = format!("{}-{}", self.prefix, &hash[..8]);
        if !self.stored.iter().any(|image| image.id == id) {
            self.push(id.clone(), mime, bytes);
        }
        id
    }

    fn push(&mut self, id: String, mime: &str, bytes: &[u8]) {
        let uri = data_uri(mime, bytes);
        self.stored.push(StoredImageView { id, uri });
    }

    /// A photo, whose id ends in the number of images before it.
    ///
    /// # Errors
    /// If it has no pixels.
    pub fn photo(&mut self, pixels: &RgbImage) -> Result<String> {
        let bytes = crate::image::encode_jpeg(pixels, PHOTO_QUALITY)?;
        let id = format!("{}-{}", self.prefix, self.stored.len());
        self.push(id.clone(), "image/jpeg", &bytes);
        Ok(id)
    }

    /// A small image in its own colours, as JPEG.
    ///
    /// # Errors
    /// If it has no pixels.
    pub fn small_rgb(&mut self, pixels: &RgbImage) -> Result<String> {
        let bytes = crate::image::encode_jpeg(pixels, SMALL_QUALITY)?;
        Ok(self.add("image/jpeg", &bytes))
    }

    /// Grey levels that a filter of the page colours: the indices of a [`ValueScale`](crate::image::ValueScale).
    ///
    /// # Errors
    /// If there are not `width · height` of them.
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

    /// An image in its own colours, as PNG.
    ///
    /// # Errors
    /// If it has no pixels.
    pub fn rgb(&mut self, pixels: &RgbImage) -> Result<String> {
        Ok(self.add("image/png", &crate::image::encode_rgb_png(pixels)?))
    }
}
