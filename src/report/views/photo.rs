//! A photo of the experiment: its anchor in the page, and its stored image.

use serde::Serialize;

use super::image_store::ImageStore;
use super::pixels::photo_image;
use crate::error::Result;
use crate::figures::Tensors;
use crate::results::ImageInfo;

/// A photo where only its name and its image are needed; the photo's own section stores the image.
#[derive(Debug, Clone, Serialize)]
pub struct PhotoView {
    /// The anchor of its section: `photo-0`.
    pub anchor: String,
    /// The image's id.
    pub id: String,
    /// The name of its true class, where it is known.
    pub label: Option<String>,
    /// What the first network sees of it.
    pub thumbnail: Option<PhotoImageView>,
    /// The stored images, with the networks that see them.
    #[serde(skip)]
    images: Vec<(Vec<String>, PhotoImageView)>,
    #[serde(skip)]
    store_prefix: String,
}

/// A photo as a network sees it.
#[derive(Debug, Clone, Serialize)]
pub struct PhotoImageView {
    /// The id of the stored image.
    pub id: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
}

impl PhotoView {
    /// The photo at `index` in the experiment.
    pub fn new(index: usize, image: &ImageInfo, tensors: &Tensors) -> PhotoView {
        let store_prefix = format!("i{index}");
        let mut images = Vec::new();
        let stored = image.views.iter().filter(|view| {
            let array = tensors.get(&view.tensor);
            array.is_some_and(|array| {
                array.bytes().is_some() && matches!(array.shape[..], [_, _, 3])
            })
        });
        for (number, view) in stored.enumerate() {
            let seen = PhotoImageView {
                id: format!("{store_prefix}-{number}"),
                width: view.width,
                height: view.height,
            };
            images.push((view.models.clone(), seen));
        }
        PhotoView {
            anchor: format!("photo-{index}"),
            id: image.id.clone(),
            label: labels(image),
            thumbnail: images.first().map(|(_, image)| image.clone()),
            images,
            store_prefix,
        }
    }

    /// The photo as the network `model` sees it.
    pub fn image_for(&self, model: &str) -> Option<&PhotoImageView> {
        let sees = |(models, _): &&(Vec<String>, PhotoImageView)| models.iter().any(|m| m == model);
        self.images.iter().find(sees).map(|(_, image)| image)
    }

    /// A store that begins with the photo's images, under the ids that this view gives them.
    ///
    /// # Errors
    /// If an image has no pixels.
    pub fn store(&self, image: &ImageInfo, tensors: &Tensors) -> Result<ImageStore> {
        let mut store = ImageStore::new(self.store_prefix.clone());
        for view in &image.views {
            if let Some(pixels) = tensors.get(&view.tensor).and_then(photo_image) {
                store.photo(&pixels)?;
            }
        }
        Ok(store)
    }
}

/// The names of the photo's true classes.
fn labels(image: &ImageInfo) -> Option<String> {
    let labels = image.label.iter().chain(&image.other_labels);
    let names: Vec<&str> = labels.map(|label| label.name.as_str()).collect();
    (!names.is_empty()).then(|| names.join(", "))
}
