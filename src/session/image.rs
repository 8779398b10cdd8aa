//! An image of a session, decoded.

use std::path::PathBuf;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::image::{DecodedImage, RgbImage};
use crate::plan::{ImageLabel, PlannedImage};
use crate::spec;

/// An image for networks to classify and methods to explain.
#[derive(Clone)]
pub struct Image {
    pub(super) planned: PlannedImage,
    decoded: Arc<DecodedImage>,
}

impl Image {
    /// An image from pixels; `name` becomes its id in the results' keys.
    pub fn from_pixels(name: &str, pixels: RgbImage) -> Self {
        let sha256 = Sha256::digest(pixels.as_raw());
        let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let decoded = Arc::new(DecodedImage::from_pixels(pixels, sha256));
        Image {
            planned: PlannedImage {
                id: spec::id_from_text(name),
                decoded: Some(decoded.clone()),
                ..PlannedImage::file(PathBuf::new(), name.to_owned())
            },
            decoded,
        }
    }

    /// Decodes a planned image.
    pub(super) fn decode(planned: PlannedImage) -> Result<Self> {
        let decoded = planned.decode()?;
        Ok(Image { planned, decoded })
    }

    /// The same image with its true class: a name, a WordNet id or an index.
    pub fn with_class(mut self, class: impl Into<String>) -> Self {
        self.planned.labels = vec![ImageLabel::Named(class.into())];
        self
    }

    /// Its id in the results' keys.
    pub fn id(&self) -> &str {
        &self.planned.id
    }

    /// Its path, or the pack and the file in it.
    pub fn source(&self) -> &str {
        &self.planned.source
    }

    /// Its pixels, upright.
    pub fn photo(&self) -> &DecodedImage {
        &self.decoded
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (width, height) = self.decoded.pixels.dimensions();
        write!(f, "{}: {width} × {height}, {}", self.id(), self.source())
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
