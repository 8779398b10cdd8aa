//! A map in two runs, and its signed difference.

use serde::Serialize;

use super::finished_run::FinishedRun;
use crate::compare::{spearman, ssim};
use crate::error::Result;
use crate::figures::{Content, Figure};
use crate::image::{ColourMap, data_uri, encode_palette_png};
use crate::report::views::method::method_title;
use crate::report::views::scale::DisplayScale;
use crate::report::words::Words;

/// A map in both runs.
#[derive(Debug, Serialize)]
pub struct MapView {
    model: String,
    method: String,
    layer: Option<String>,
    class: Option<String>,
    /// The first map, the second map and their difference; empty where they differ in size.
    images: Vec<ImageView>,
    /// Spearman's rank correlation, where it is defined.
    spearman: Option<String>,
    /// The structural similarity, where it is defined.
    ssim: Option<String>,
}

/// A drawn map.
#[derive(Debug, Serialize)]
struct ImageView {
    uri: String,
    /// The ends of its colour scale.
    low: String,
    high: String,
}

/// Draws a map of both runs, on one scale, and what the second has more than the first.
///
/// # Errors
/// If an image can't be encoded.
pub fn view(runs: [FinishedRun; 2], figures: [&Figure; 2], words: &Words) -> Result<MapView> {
    let figure = figures[0];
    let mut view = MapView {
        model: figure.model.clone(),
        method: method_title(&figure.method, words),
        layer: figure.layer.clone(),
        class: figure.target.as_ref().map(|target| target.name()),
        images: Vec::new(),
        spearman: None,
        ssim: None,
    };
    let map = |side: usize| match &figures[side].content {
        Content::Map { tensor, signed, .. } => {
            let (values, shape) = runs[side].tensors.get(tensor)?.shaped::<2>()?;
            Some((values, shape, *signed))
        }
        _ => None,
    };
    let (Some((a, shape, signed)), Some((b, other, _))) = (map(0), map(1)) else {
        return Ok(view);
    };
    if shape != other || a.is_empty() {
        return Ok(view);
    }
    let scale = DisplayScale::new(&[a, b].concat(), signed);
    for values in [a, b] {
        view.images
            .push(draw(values, shape, &scale, scale.colour_map(), words)?);
    }
    let difference: Vec<f32> = a.iter().zip(b).map(|(a, b)| b - a).collect();
    let scale = DisplayScale::new(&difference, true);
    view.images.push(draw(
        &difference,
        shape,
        &scale,
        ColourMap::PurpleOrange,
        words,
    )?);
    view.spearman = spearman(a, b).map(|value| words.fixed(value, 2));
    view.ssim = ssim(a, b, shape[1]).map(|value| words.fixed(value, 2));
    Ok(view)
}

fn draw(
    values: &[f32],
    [height, width]: [usize; 2],
    scale: &DisplayScale,
    colours: ColourMap,
    words: &Words,
) -> Result<ImageView> {
    let indices = scale.scale.indices(values);
    let png = encode_palette_png(width as u32, height as u32, &indices, &colours.palette())?;
    Ok(ImageView {
        uri: data_uri("image/png", &png),
        low: words.number(f64::from(scale.scale.low)),
        high: words.number(f64::from(scale.scale.high)),
    })
}
