//! The section on where the networks agree: on classes, on their maps, and on which images are alike.

use serde::Serialize;

use super::page::Net;
use super::photos::Photo;
use super::words::Words;
use crate::figures::{Array, LayerAgreement, Tensors};
use crate::results::Results;

#[derive(Debug, Serialize)]
pub struct Comparison {
    pub nets: Vec<Net>,
    pub predictions: Option<Matrix>,
    /// For every method its name and the three measures.
    pub maps: Vec<(String, Vec<Matrix>)>,
    pub photos: Vec<PhotoRow>,
    pub layers: Vec<Layers>,
}

/// A number for every two networks.
#[derive(Debug, Serialize)]
pub struct Matrix {
    pub title: String,
    pub rows: Vec<Vec<Shade>>,
}

/// A number as text, and how dark its cell is, 0 to 1.
#[derive(Debug, Serialize)]
pub struct Shade {
    pub text: String,
    pub shade: String,
}

#[derive(Debug, Serialize)]
pub struct PhotoRow {
    pub id: String,
    pub anchor: String,
    pub spearman: Shade,
    pub lowest: String,
    pub odd_one: Option<Net>,
}

/// CKA of the layers of two networks.
#[derive(Debug, Serialize)]
pub struct Layers {
    pub down: Net,
    pub across: Net,
    pub columns: Vec<String>,
    pub rows: Vec<(String, Vec<Shade>)>,
    /// Whether there are so many cells that numbers would not fit.
    pub dense: bool,
    pub note: String,
}

pub fn section(
    results: &Results,
    tensors: &Tensors,
    nets: &[Net],
    photos: &[Photo],
    words: &Words,
) -> Option<Comparison> {
    let found = results.comparison.as_ref()?;
    let shade = |value: Option<f64>| shade(value, words);
    let matrix = |title: &str, values: &[Vec<Option<f64>>]| Matrix {
        title: words.say(title, &[]),
        rows: values
            .iter()
            .map(|row| row.iter().map(|value| shade(*value)).collect())
            .collect(),
    };
    let named = |method: &str, layer: &Option<String>| {
        let name = words.say(&format!("method.{method}"), &[]);
        match layer {
            Some(layer) => format!("{name}, {layer}"),
            None => name,
        }
    };
    let maps = found.maps.iter().map(|agreement| {
        let all = vec![
            matrix("comparison.spearman", &agreement.spearman),
            matrix("comparison.overlap", &agreement.overlap),
            matrix("comparison.ssim", &agreement.ssim),
        ];
        (named(&agreement.method, &agreement.layer), all)
    });
    let photo = |agreement: &crate::figures::ImageAgreement| {
        let own = photos.iter().find(|photo| photo.id == agreement.image)?;
        let lowest = words.say(
            "comparison.lowest",
            &[
                ("method", &*named(&agreement.method, &agreement.layer)),
                ("one", &*agreement.models[0]),
                ("other", &*agreement.models[1]),
                ("value", &*words.signed(agreement.lowest, 2)),
            ],
        );
        let odd = agreement.outlier.as_ref();
        Some(PhotoRow {
            id: agreement.image.clone(),
            anchor: own.anchor.clone(),
            spearman: shade(Some(agreement.spearman)),
            lowest,
            odd_one: odd.and_then(|id| nets.iter().find(|net| net.id == *id).cloned()),
        })
    };
    let layers = |agreement: &LayerAgreement| layers(agreement, tensors, nets, words);
    Some(Comparison {
        nets: nets.to_vec(),
        predictions: (!found.predictions.is_empty())
            .then(|| matrix("comparison.predictions", &found.predictions)),
        maps: maps.collect(),
        photos: found.images.iter().filter_map(photo).collect(),
        layers: found.layers.iter().filter_map(layers).collect(),
    })
}

/// What the summary says of the comparison: on which photo maps agree least, on which most.
pub fn sentences(results: &Results, words: &Words) -> Vec<String> {
    let Some(found) = &results.comparison else {
        return Vec::new();
    };
    let (Some(least), Some(most)) = (found.images.first(), found.images.last()) else {
        return Vec::new();
    };
    let gaps = [
        ("least", &*least.image),
        ("low", &*words.signed(least.spearman, 2)),
        ("most", &*most.image),
        ("high", &*words.signed(most.spearman, 2)),
    ];
    match found.images.len() {
        1 => vec![words.say("summary.maps.one", &gaps[..2])],
        _ => vec![words.say("summary.maps", &gaps)],
    }
}

fn layers(
    agreement: &LayerAgreement,
    tensors: &Tensors,
    nets: &[Net],
    words: &Words,
) -> Option<Layers> {
    let (values, [_, columns]) = tensors
        .get(&agreement.tensor)
        .and_then(Array::shaped::<2>)?;
    let [down, across] = [0, 1].map(|side| {
        let id = &agreement.models[side];
        nets.iter().find(|net| net.id == *id).cloned()
    });
    let rows = values
        .chunks(columns)
        .zip(&agreement.rows)
        .map(|(row, name)| {
            let cells = row.iter().map(|value| {
                let known = value.is_finite().then_some(f64::from(*value));
                shade(known, words)
            });
            (name.clone(), cells.collect())
        });
    let gaps = [
        ("images", agreement.images.to_string()),
        ("batches", agreement.batches.to_string()),
    ];
    let gaps: Vec<(&str, &str)> = gaps.iter().map(|(name, value)| (*name, &**value)).collect();
    Some(Layers {
        down: down?,
        across: across?,
        columns: agreement.columns.clone(),
        dense: agreement.columns.len().max(agreement.rows.len()) > 12,
        rows: rows.collect(),
        note: words.say("comparison.cka.note", &gaps),
    })
}

fn shade(value: Option<f64>, words: &Words) -> Shade {
    Shade {
        text: value.map_or("–".to_owned(), |value| words.signed(value, 2)),
        shade: format!("{:.3}", value.unwrap_or(0.0).clamp(0.0, 1.0)),
    }
}
