//! A photo of the experiment: its anchor in the page, and its stored image.

use serde::Serialize;

use super::image_store::ImageStore;
use super::pixels::photo_image;
use crate::error::Result;
use crate::figures::Tensors;
use crate::report::words::Words;
use crate::results::{ImageInfo, ViewInfo};

/// A photo where only its name and its image are needed; the photo's own section stores the image.
#[derive(Debug, Clone, Serialize)]
pub struct PhotoView {
    /// The anchor of its section: `photo-0`.
    pub anchor: String,
    /// The image's id.
    pub id: String,
    /// What the report calls it.
    pub name: String,
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
    /// Where networks see different parts of the photo: the part that any of them sees, in per cent of this image (left, top,
    /// width and height), and its width divided by its height. Enlarged images show this part, all at one place of the photo.
    pub frame: Option<String>,
}

impl PhotoView {
    /// The photo at `index` in the experiment, which the report calls `name`.
    pub fn new(index: usize, image: &ImageInfo, name: String, tensors: &Tensors) -> PhotoView {
        let store_prefix = format!("i{index}");
        let mut images = Vec::new();
        let stored = image.views.iter().filter(|view| {
            let array = tensors.get(&view.tensor);
            array.is_some_and(|array| {
                array.bytes().is_some() && matches!(array.shape[..], [_, _, 3])
            })
        });
        let whole = frame(image);
        for (number, view) in stored.enumerate() {
            let seen = PhotoImageView {
                id: format!("{store_prefix}-{number}"),
                width: view.width,
                height: view.height,
                frame: whole.map(|whole| frame_text(whole, view.bounds)),
            };
            images.push((view.models.clone(), seen));
        }
        PhotoView {
            anchor: format!("photo-{index}"),
            id: image.id.clone(),
            name,
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

/// The part of the photo that any network sees, in the photo's pixels; `None` where all see the same.
fn frame(image: &ImageInfo) -> Option<[f64; 4]> {
    let mut all = image.views.iter().map(|view| view.bounds);
    let first = all.next()?;
    let mut whole = first;
    let mut differs = false;
    for bounds in all {
        differs |= bounds != first;
        for side in 0..2 {
            whole[side] = whole[side].min(bounds[side]);
            whole[side + 2] = whole[side + 2].max(bounds[side + 2]);
        }
    }
    differs.then_some(whole)
}

/// The frame as the page has it: see [`PhotoImageView::frame`].
fn frame_text(whole: [f64; 4], bounds: [f64; 4]) -> String {
    let part = |axis: usize| {
        let length = bounds[axis + 2] - bounds[axis];
        let first = (whole[axis] - bounds[axis]) / length * 100.0;
        (first, (whole[axis + 2] - whole[axis]) / length * 100.0)
    };
    let ((left, width), (top, height)) = (part(0), part(1));
    let ratio = (whole[2] - whole[0]) / (whole[3] - whole[1]);
    format!("{left:.4} {top:.4} {width:.4} {height:.4} {ratio:.5}")
}

/// What each network sees of the photo, as sentences; empty where all see the same.
pub fn seen_parts(image: &ImageInfo, words: &Words) -> Vec<String> {
    if frame(image).is_none() {
        return Vec::new();
    }
    let (width, height) = (f64::from(image.width), f64::from(image.height));
    let sentence = |view: &ViewInfo| {
        let [left, top, right, bottom] = view.bounds;
        let seen = (right.min(width) - left.max(0.0)) * (bottom.min(height) - top.max(0.0));
        let number = |value: f64| words.fixed(value, 0);
        let gaps = [
            ("networks", &*view.models.join(", ")),
            ("left", &*number(left)),
            ("right", &*number(right)),
            ("top", &*number(top)),
            ("bottom", &*number(bottom)),
            ("share", &*words.percent(seen / (width * height))),
        ];
        words.text("photo.sees", &gaps)
    };
    image.views.iter().map(sentence).collect()
}

/// How the photo's picture was drawn, unless it shows a grey or three colours of 8 bits.
pub fn drawn_from(image: &ImageInfo, words: &Words) -> Option<String> {
    let drawing = image.drawing.as_ref()?;
    let bands: Vec<String> = drawing.bands.iter().map(usize::to_string).collect();
    let depth = match drawing.bits {
        8 => "photo.depth.8",
        16 => "photo.depth.16",
        _ => "photo.depth.float",
    };
    let gaps = [
        ("count", &*bands.len().to_string()),
        ("bands", &*bands.join(", ")),
        ("of", &*drawing.of.to_string()),
        ("depth", &*words.text(depth, &[])),
    ];
    let mut sentence = words.text("photo.drawn", &gaps);
    if let Some([low, high]) = drawing.range {
        let gaps = [
            ("low", &*words.number(f64::from(low))),
            ("high", &*words.number(f64::from(high))),
        ];
        sentence.push_str(&format!(" {}", words.text("photo.range", &gaps)));
    }
    Some(sentence)
}
