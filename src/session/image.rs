//! A picture that is open, with what is known of it.

use sha2::{Digest, Sha256};

use crate::error::Result;
use crate::image::{DecodedImage, RgbImage};
use crate::plan::images::{Label, PlannedImage};

/// A picture to put before networks.
#[derive(Clone)]
pub struct Image {
    pub(super) picture: PlannedImage,
    photo: DecodedImage,
}

impl Image {
    /// A picture that is in memory, under a name for the results' keys.
    pub fn from_pixels(name: &str, pixels: RgbImage) -> Self {
        let sha256 = Sha256::digest(pixels.as_raw());
        let sha256 = sha256.iter().map(|byte| format!("{byte:02x}")).collect();
        let photo = DecodedImage { pixels, sha256 };
        Image {
            picture: PlannedImage {
                id: crate::spec::id_from(name),
                path: Default::default(),
                source: name.to_owned(),
                label: None,
                shows: None,
                place: 0,
                photo: Some(photo.clone()),
            },
            photo,
        }
    }

    pub(super) fn opened(picture: PlannedImage) -> Result<Self> {
        let photo = picture.open()?;
        Ok(Image { picture, photo })
    }

    /// With its true class: a name, a WordNet id or an index.
    pub fn with_class(mut self, class: impl Into<String>) -> Self {
        self.picture.label = Some(Label::Said(class.into()));
        self
    }

    /// Its name in the results' keys.
    pub fn id(&self) -> &str {
        &self.picture.id
    }

    /// Where it came from.
    pub fn source(&self) -> &str {
        &self.picture.source
    }

    /// Its pixels, upright.
    pub fn photo(&self) -> &DecodedImage {
        &self.photo
    }
}

impl std::fmt::Display for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (width, height) = self.photo.pixels.dimensions();
        write!(f, "{}: {width} × {height}, {}", self.id(), self.source())
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
