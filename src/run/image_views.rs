//! The views of an image: what networks see of it, computed and stored once for all that see the same.

use std::sync::Arc;

use image::RgbImage;

use super::fingerprint::fingerprint_bytes;
use super::model::RunModel;
use crate::error::Result;
use crate::figures::{Array, Tensors};
use crate::image::DecodedImage;
use crate::results::ViewInfo;

/// An image after the resizing and cropping of a network.
#[derive(Debug)]
pub(super) struct ImageView {
    /// Its pixels, before normalisation.
    pub(super) pixels: RgbImage,
    /// A hash of its pixels.
    pub(super) hash: String,
}

/// The view of every network, in their order; networks whose views have the same pixels share one.
pub(super) fn image_views(
    decoded: &DecodedImage,
    models: &[RunModel],
) -> Vec<Result<Arc<ImageView>>> {
    let mut views: Vec<Result<Arc<ImageView>>> = Vec::with_capacity(models.len());
    for (index, model) in models.iter().enumerate() {
        let preprocess = &model.loaded.preprocess;
        let same = models[..index]
            .iter()
            .zip(&views)
            .find_map(|(other, view)| {
                let view = view.as_ref().ok()?;
                let same = other.loaded.preprocess.has_same_view(preprocess);
                same.then(|| view.clone())
            });
        let view = match same {
            Some(view) => Ok(view),
            None => preprocess
                .view(&decoded.pixels)
                .map(|pixels| share(&views, pixels)),
        };
        views.push(view);
    }
    views
}

/// The view of `views` with these pixels, or a new one.
fn share(views: &[Result<Arc<ImageView>>], pixels: RgbImage) -> Arc<ImageView> {
    let mut made = views.iter().flatten();
    match made.find(|view| view.pixels == pixels) {
        Some(view) => view.clone(),
        None => Arc::new(ImageView {
            hash: fingerprint_bytes(pixels.as_raw()),
            pixels,
        }),
    }
}

/// Stores the pixels of each view under `_photos/<image>/<number>` and lists the models that see it.
pub(super) fn store_views(
    image: &str,
    models: &[RunModel],
    views: &[Option<Arc<ImageView>>],
    tensors: &mut Tensors,
) -> Vec<ViewInfo> {
    let mut stored: Vec<(&Arc<ImageView>, ViewInfo)> = Vec::new();
    for (model, view) in models.iter().zip(views) {
        let Some(view) = view else { continue };
        let id = model.loaded.id.clone();
        if let Some((_, info)) = stored
            .iter_mut()
            .find(|(other, _)| Arc::ptr_eq(other, view))
        {
            info.models.push(id);
            continue;
        }
        let (width, height) = view.pixels.dimensions();
        let tensor = format!("_photos/{image}/{}", stored.len());
        let shape = [height as usize, width as usize, 3];
        tensors.insert(
            tensor.clone(),
            Array::u8(&shape, view.pixels.as_raw().clone()),
        );
        let info = ViewInfo {
            tensor,
            width,
            height,
            models: vec![id],
        };
        stored.push((view, info));
    }
    stored.into_iter().map(|(_, info)| info).collect()
}
