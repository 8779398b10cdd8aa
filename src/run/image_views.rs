//! The views of an image: what networks see of it, computed and stored once for all that see the same.

use std::sync::Arc;

use super::fingerprint::fingerprint_bytes;
use super::model::RunModel;
use crate::error::Result;
use crate::figures::{Array, Tensors};
use crate::image::{DecodedImage, View};
use crate::results::ViewInfo;

/// An image after the resizing and cropping of a network.
#[derive(Debug)]
pub(super) struct ImageView {
    /// Before normalisation.
    pub(super) view: View,
    /// Where it lies in the image, in the image's pixels: left, top, right and bottom.
    pub(super) bounds: [f64; 4],
    /// A hash of what the network gets.
    pub(super) hash: String,
}

/// The view of every network, in their order; networks whose views are equal share one.
pub(super) fn image_views(
    decoded: &DecodedImage,
    models: &[RunModel],
) -> Vec<Result<Arc<ImageView>>> {
    let mut views: Vec<Result<Arc<ImageView>>> = Vec::with_capacity(models.len());
    for (index, model) in models.iter().enumerate() {
        let (preprocess, channels) = (&model.loaded.preprocess, model.loaded.channels());
        let same = models[..index]
            .iter()
            .zip(&views)
            .find_map(|(other, view)| {
                let view = view.as_ref().ok()?;
                let same = other.loaded.channels() == channels
                    && other.loaded.preprocess.has_same_view(preprocess);
                same.then(|| view.clone())
            });
        let view = match same {
            Some(view) => Ok(view),
            None => preprocess.view_of(decoded, channels).map(|view| {
                let bounds = preprocess.view_box(decoded.pixels.dimensions());
                share(&views, view, bounds)
            }),
        };
        views.push(view);
    }
    views
}

/// The view of `views` that is this one, or a new one.
fn share(views: &[Result<Arc<ImageView>>], view: View, bounds: [f64; 4]) -> Arc<ImageView> {
    let mut made = views.iter().flatten();
    match made.find(|other| other.view == view && other.bounds == bounds) {
        Some(other) => other.clone(),
        None => Arc::new(ImageView {
            hash: hash(&view),
            view,
            bounds,
        }),
    }
}

fn hash(view: &View) -> String {
    let Some(channels) = view.channels() else {
        return fingerprint_bytes(view.pixels.as_raw());
    };
    let values = channels.iter().flatten();
    let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    fingerprint_bytes(&bytes)
}

/// Stores the pixels of each view under `_photos/<image>/<number>` and lists the models that see it. Networks that differ only
/// in how many channels they take have one picture.
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
        let same = stored.iter_mut().find(|(other, _)| {
            let is_same = other.bounds == view.bounds && other.view.pixels == view.view.pixels;
            Arc::ptr_eq(other, view) || is_same
        });
        if let Some((_, info)) = same {
            info.models.push(id);
            continue;
        }
        let pixels = &view.view.pixels;
        let (width, height) = pixels.dimensions();
        let tensor = format!("_photos/{image}/{}", stored.len());
        let shape = [height as usize, width as usize, 3];
        tensors.insert(tensor.clone(), Array::u8(&shape, pixels.as_raw().clone()));
        let info = ViewInfo {
            tensor,
            width,
            height,
            bounds: view.bounds,
            models: vec![id],
        };
        stored.push((view, info));
    }
    stored.into_iter().map(|(_, info)| info).collect()
}
