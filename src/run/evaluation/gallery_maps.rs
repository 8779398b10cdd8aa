//! The attributions beside the images of galleries: computed for these images alone, of the class that each network predicts.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::super::fingerprint::{fingerprint, fingerprint_bytes};
use super::super::model::RunModel;
use super::super::result_cache::ResultCache;
use super::super::run_output::{PartialResults, failure};
use super::thumbnails::store_pixels;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, GalleryMap, Tensors};
use crate::image::{DecodedImage, Interpolation, RgbImage, View, resize};
use crate::methods::{MethodOutput, MethodSpec};
use crate::plan::{Plan, PlannedImage};
use crate::results::Failure;

/// The longer side of a stored view in pixels.
const SIDE: u32 = 128;

/// The method's name in failures.
const EVALUATE: &str = "evaluate";

/// Computes maps for images of galleries.
pub(super) struct MapMaker<'a> {
    plan: &'a Plan,
    models: &'a [RunModel],
    cache: Option<&'a ResultCache>,
    /// `None` for no maps.
    method: Option<MethodSpec>,
    /// The image that was decoded last.
    decoded: Option<(String, Option<Arc<DecodedImage>>)>,
    /// The networks for which it failed, which are not tried again.
    failed: BTreeSet<String>,
    /// What failed.
    pub(super) failures: Vec<Failure>,
}

impl<'a> MapMaker<'a> {
    pub(super) fn new(
        plan: &'a Plan,
        models: &'a [RunModel],
        cache: Option<&'a ResultCache>,
        method: Option<MethodSpec>,
    ) -> Self {
        MapMaker {
            plan,
            models,
            cache,
            method,
            decoded: None,
            failed: BTreeSet::new(),
            failures: Vec::new(),
        }
    }

    /// The map of a class for an image, stored in `tensors` with the image as the network sees it. `None` without a method, where the
    /// image can't be read again, and for a network for which it failed.
    pub(super) fn map(
        &mut self,
        image: &PlannedImage,
        id: &str,
        class: usize,
        tensors: &mut Tensors,
    ) -> Option<GalleryMap> {
        let spec = self.method.clone()?;
        let place = self.models.iter().position(|model| model.loaded.id == id)?;
        if self.failed.contains(id) {
            return None;
        }
        let decoded = self.decode(image)?;
        let model = &self.models[place];
        let loaded = &model.loaded;
        let view = loaded
            .preprocess
            .view_of(&decoded, loaded.channels())
            .ok()?;
        match self.find_or_compute(model, &spec, image, &view, class) {
            Ok(found) => {
                let (tensor, signed) = found_map(&found)?;
                let key = format!("_evaluation/{}/{id}", image.id);
                tensors.insert(key.clone(), found.tensors.get(tensor)?.clone());
                Some(GalleryMap {
                    tensor: key,
                    signed,
                    view: self.store_view(image, place, &view, tensors),
                })
            }
            Err(error) => {
                let method = Some(EVALUATE);
                self.failures
                    .push(failure(Some(id), Some(&image.source), method, &error));
                self.failed.insert(id.to_owned());
                None
            }
        }
    }

    fn decode(&mut self, image: &PlannedImage) -> Option<Arc<DecodedImage>> {
        let known = self.decoded.as_ref().filter(|(id, _)| *id == image.id);
        if known.is_none() {
            self.decoded = Some((image.id.clone(), image.decode().ok()));
        }
        self.decoded.as_ref()?.1.clone()
    }

    /// The key of the view, which networks that see the same share.
    fn store_view(
        &self,
        image: &PlannedImage,
        place: usize,
        view: &View,
        tensors: &mut Tensors,
    ) -> String {
        let own = &self.models[place].loaded;
        let first = self.models.iter().position(|model| {
            let other = &model.loaded;
            other.channels() == own.channels() && other.preprocess.has_same_view(&own.preprocess)
        });
        let key = format!("_evaluation/{}/view {}", image.id, first.unwrap_or(place));
        if !tensors.contains_key(&key) {
            store_pixels(&key, smaller(&view.pixels), tensors);
        }
        key
    }

    fn find_or_compute(
        &self,
        model: &RunModel,
        spec: &MethodSpec,
        image: &PlannedImage,
        view: &View,
        class: usize,
    ) -> Result<PartialResults> {
        let experiment = &self.plan.experiment;
        let values = view.channels().into_iter().flatten().flatten();
        let mut bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
        bytes.extend(view.pixels.as_raw());
        let fingerprint = fingerprint(&(
            ("map of a gallery", &model.fingerprint, spec),
            (
                &image.id,
                fingerprint_bytes(&bytes),
                view.pixels.dimensions(),
            ),
            (class, experiment.target, experiment.seed),
        ))?;
        if let Some(found) = self.cache.and_then(|cache| cache.find(&fingerprint)) {
            return Ok(found);
        }
        let computed = self.compute(model, spec, image, view, class)?;
        if let Some(cache) = self.cache {
            cache.store(&fingerprint, &computed);
        }
        Ok(computed)
    }

    fn compute(
        &self,
        model: &RunModel,
        spec: &MethodSpec,
        image: &PlannedImage,
        view: &View,
        class: usize,
    ) -> Result<PartialResults> {
        let (loaded, method) = (&model.loaded, spec.method());
        let graph = loaded.network.graph();
        let no_map = || {
            let message = format!("`{}` gives no map of an image", spec.name());
            Error::new(ErrorKind::Network, message).help("write `attribution: none`")
        };
        let of_class = method.for_class().ok_or_else(no_map)?;
        let mut layers = Vec::new();
        for selector in method.selectors() {
            layers.extend(method.resolve(selector, graph, &loaded.info)?);
        }
        layers.sort_unstable();
        layers.dedup();
        let nodes = [&layers[..], &method.nodes(graph)].concat();
        let input = loaded.input_of_views(&[view])?;
        let pass = loaded.forward_with_gradients(&image.id, &input, &nodes)?;
        let target = loaded.target_of_class(loaded.class(class), self.plan.experiment.target);
        let backward = pass.backward(target, &nodes)?;
        let mut output = MethodOutput::default();
        tch::no_grad(|| of_class.class_figures(&backward, &layers, &mut output))?;
        let mut results = PartialResults {
            figures: output.figures,
            tensors: output.tensors,
            ..PartialResults::default()
        };
        // The tensors before reduction are not stored again for each image of a gallery.
        let (tensor, _) = found_map(&results).ok_or_else(no_map)?;
        let tensor = tensor.to_owned();
        results.tensors.retain(|key, _| *key == tensor);
        Ok(results)
    }
}

/// The key of the first map, and whether its signs have a meaning.
fn found_map(results: &PartialResults) -> Option<(&str, bool)> {
    let mut figures = results.figures.iter();
    figures.find_map(|figure| match &figure.content {
        Content::Map { tensor, signed, .. } => Some((tensor.as_str(), *signed)),
        _ => None,
    })
}

/// The view with its longer side at most [`SIDE`].
fn smaller(pixels: &RgbImage) -> RgbImage {
    let (width, height) = pixels.dimensions();
    let longer = width.max(height);
    if longer <= SIDE {
        return pixels.clone();
    }
    let side = |length: u32| (length * SIDE / longer).max(1);
    resize(pixels, side(width), side(height), Interpolation::Bicubic)
}
