//! Pairs of maps that two networks have of one image, by the same method and selector, and how similar they are.

use super::super::stored_tensor::stored_floats;
use super::common_part::{CommonPart, PlacedMap};
use crate::compare::{overlap, spearman, ssim};
use crate::error::Result;
use crate::figures::{Content, Figure, TargetInfo, Tensors};
use crate::results::{ImageInfo, Prediction, Results};

/// The share of spatial positions that count as a map's brightest.
const BRIGHTEST: f64 = 0.2;

/// Two networks' maps of one image by one method.
pub(super) struct MapPair<'a> {
    pub(super) method: &'a str,
    /// The selector of their layers; with its number where the selector has several layers.
    pub(super) layer: Option<String>,
    /// The image's id.
    pub(super) image: &'a str,
    /// The indices of the two networks, the smaller first.
    pub(super) models: [usize; 2],
    /// Spearman's rank correlation.
    pub(super) spearman: Option<f64>,
    /// The share of the brightest positions that both have in common.
    pub(super) overlap: Option<f64>,
    /// The structural similarity.
    pub(super) ssim: Option<f64>,
    /// The share of the photo over which they are compared, if the networks see different parts of it.
    pub(super) share: Option<f64>,
}

/// A method and a layer: the selector, and the layer's index among those that it selects.
type MethodLayer<'a> = (&'a str, Option<(String, usize)>);

/// All pairs of maps that explain the same class; where two networks have no class in common, those of the classes that
/// each predicts.
///
/// # Errors
/// If a map is not float32.
pub(super) fn map_pairs<'a>(results: &'a Results, tensors: &Tensors) -> Result<Vec<MapPair<'a>>> {
    let mut pairs = Vec::new();
    let method_layers = method_layers(results);
    for image in &results.images {
        for method_layer in &method_layers {
            let figures: Vec<Vec<&Figure>> = results
                .models
                .iter()
                .map(|model| figures_of(results, &model.id, &image.id, method_layer))
                .collect();
            for a in 0..figures.len() {
                for b in a + 1..figures.len() {
                    for (x, y) in same_class(results, &figures[a], &figures[b]) {
                        let maps = map_values(tensors, x)?.zip(map_values(tensors, y)?);
                        let Some((x, y)) = maps else { continue };
                        let place = |model: usize, (values, size)| PlacedMap {
                            values,
                            size,
                            bounds: bounds(image, &results.models[model].id),
                        };
                        let size = (image.width, image.height);
                        let common = CommonPart::new(place(a, x), place(b, y), size)?;
                        let Some(common) = common else { continue };
                        let [x, y] = common.values;
                        pairs.push(MapPair {
                            method: method_layer.0,
                            layer: method_layer.1.as_ref().map(layer_name),
                            image: &image.id,
                            models: [a, b],
                            spearman: spearman(&x, &y),
                            overlap: overlap(&x, &y, BRIGHTEST),
                            ssim: ssim(&x, &y, common.width),
                            share: common.share,
                        });
                    }
                }
            }
        }
    }
    Ok(pairs)
}

/// Every method and layer that has a map, in the order of the results.
fn method_layers(results: &Results) -> Vec<MethodLayer<'_>> {
    let mut found: Vec<MethodLayer> = Vec::new();
    for figure in &results.figures {
        let method_layer = (figure.method.as_str(), results.selector_of(figure));
        if matches!(figure.content, Content::Map { .. }) && !found.contains(&method_layer) {
            found.push(method_layer);
        }
    }
    found
}

fn figures_of<'a>(
    results: &'a Results,
    model: &str,
    image: &str,
    (method, layer): &MethodLayer,
) -> Vec<&'a Figure> {
    let figures = results.figures.iter().filter(|figure| {
        figure.method == *method
            && figure.model == model
            && figure.image.as_deref() == Some(image)
            && results.selector_of(figure) == *layer
    });
    figures.collect()
}

fn layer_name((selector, index): &(String, usize)) -> String {
    match index {
        0 => selector.clone(),
        _ => format!("{selector} ({})", index + 1),
    }
}

/// The figures of two networks that explain the same class, by its name; without any, those of the classes that each
/// network predicts.
fn same_class<'a>(
    results: &Results,
    a: &[&'a Figure],
    b: &[&'a Figure],
) -> Vec<(&'a Figure, &'a Figure)> {
    let class = |figure: &Figure| figure.target.as_ref().map(TargetInfo::name);
    let pairs = a.iter().filter_map(|x| {
        let y = b.iter().find(|y| class(x) == class(y))?;
        Some((*x, *y))
    });
    let mut pairs: Vec<_> = pairs.collect();
    if pairs.is_empty() {
        let predicted = |figures: &[&'a Figure]| {
            let mut figures = figures.iter().copied();
            figures.find(|figure| explains_prediction(results, figure))
        };
        pairs.extend(predicted(a).zip(predicted(b)));
    }
    pairs
}

/// Whether the figure explains the class that its network predicts for its image.
fn explains_prediction(results: &Results, figure: &Figure) -> bool {
    let of_figure =
        |p: &&Prediction| p.model == figure.model && Some(&p.image) == figure.image.as_ref();
    let prediction = results.predictions.iter().find(of_figure);
    let first = prediction.and_then(|prediction| prediction.top.first());
    first.map(|first| &first.class) == figure.target.as_ref().and_then(TargetInfo::class)
}

/// A map's values, row by row, with its height and width; `None` for a figure of another kind.
fn map_values<'a>(
    tensors: &'a Tensors,
    figure: &Figure,
) -> Result<Option<(&'a [f32], [usize; 2])>> {
    match &figure.content {
        Content::Map { tensor, .. } => stored_floats(tensors, tensor).map(Some),
        _ => Ok(None),
    }
}

/// Where what a network sees of an image lies in the image.
fn bounds(image: &ImageInfo, model: &str) -> [f64; 4] {
    let view = image
        .views
        .iter()
        .find(|view| view.models.iter().any(|id| id == model));
    view.map_or([0.0; 4], |view| view.bounds)
}
