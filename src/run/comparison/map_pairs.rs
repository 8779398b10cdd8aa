//! Pairs of maps that two networks have of one image, by the same method and selector, and how similar they are.

use super::super::stored_tensor::stored_floats;
use crate::compare::{overlap, spearman, ssim};
use crate::error::Result;
use crate::figures::{Content, Figure, TargetInfo, Tensors};
use crate::image::upsample;
use crate::results::{Prediction, Results};

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
                        let (x, y, width) = same_size(x, y)?;
                        pairs.push(MapPair {
                            method: method_layer.0,
                            layer: method_layer.1.as_ref().map(layer_name),
                            image: &image.id,
                            models: [a, b],
                            spearman: spearman(&x, &y),
                            overlap: overlap(&x, &y, BRIGHTEST),
                            ssim: ssim(&x, &y, width),
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

/// Values of a map, row by row, and its height and width.
type SizedMap<'a> = (&'a [f32], [usize; 2]);

/// Two maps, both enlarged to the larger height and width, and that width.
///
/// # Errors
/// If a map is empty or too large.
fn same_size(a: SizedMap, b: SizedMap) -> Result<(Vec<f32>, Vec<f32>, usize)> {
    let [height, width] = [0, 1].map(|side: usize| a.1[side].max(b.1[side]));
    let enlarge = |(values, [from_height, from_width]): SizedMap| {
        if [from_height, from_width] == [height, width] {
            return Ok(values.to_vec());
        }
        upsample(
            values,
            (from_width, from_height),
            (width as u32, height as u32),
        )
    };
    Ok((enlarge(a)?, enlarge(b)?, width))
}
