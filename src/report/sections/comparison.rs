//! Where the networks agree: in their classes, in their maps, and in which images their layers find similar.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::{Array, ComparedPart, ImageAgreement, LayerAgreement, MapAgreement};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::method::method_title;
use crate::report::views::net::NetView;
use crate::report::words::Words;

/// The section.
pub const SECTION: Section = Section {
    key: "comparison",
    template: "comparison.html",
    entry: ContentsEntry::Titled("nav.comparison"),
    shows_figures: false,
    view,
};

/// Tables of CKA with more rows or columns than this show colours without numbers.
const NUMBERS_UP_TO: usize = 12;

#[derive(Debug, Serialize)]
struct ComparisonView<'a> {
    nets: &'a [NetView],
    predictions: Option<MatrixView>,
    /// Networks whose maps are compared over a part of the photos.
    parts: Vec<String>,
    /// For every method its title and the three measures.
    maps: Vec<(String, Vec<MatrixView>)>,
    photos: Vec<PhotoAgreementView>,
    layers: Vec<LayerAgreementView>,
}

/// A value for every two networks.
#[derive(Debug, Serialize)]
struct MatrixView {
    title: String,
    rows: Vec<Vec<ShadedView>>,
}

/// A number, and how dark its cell is, 0 to 1.
#[derive(Debug, Serialize)]
struct ShadedView {
    text: String,
    shade: String,
}

/// How far the networks' maps of a photo agree.
#[derive(Debug, Serialize)]
struct PhotoAgreementView {
    id: String,
    anchor: String,
    spearman: ShadedView,
    lowest: String,
    odd_one: Option<NetView>,
}

/// CKA of the layers of two networks.
#[derive(Debug, Serialize)]
struct LayerAgreementView {
    down: NetView,
    across: NetView,
    columns: Vec<String>,
    rows: Vec<(String, Vec<ShadedView>)>,
    /// Whether there are too many cells for numbers.
    dense: bool,
    note: String,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let Some(found) = &input.results.comparison else {
        return Ok(None);
    };
    let words = input.words;
    let predictions = &found.predictions;
    let has_photos = !input.photos.is_empty();
    if !has_photos && found.layers.is_empty() {
        return Ok(None);
    }
    let maps = found.maps.iter().map(|agreement| maps(agreement, words));
    let photos = found.images.iter();
    let layers = found.layers.iter();
    Ok(Some(to_value(&ComparisonView {
        nets: &input.nets,
        predictions: (has_photos && !predictions.is_empty())
            .then(|| matrix("comparison.predictions", predictions, words)),
        parts: found
            .parts
            .iter()
            .map(|part| self::part(part, words))
            .collect(),
        maps: maps.collect(),
        photos: photos
            .filter_map(|photo| self::photo(photo, input))
            .collect(),
        layers: layers
            .filter_map(|pair| self::layers(pair, input))
            .collect(),
    })))
}

/// The three measures of one method's maps.
fn maps(agreement: &MapAgreement, words: &Words) -> (String, Vec<MatrixView>) {
    let measures = vec![
        matrix("comparison.spearman", &agreement.spearman, words),
        matrix("comparison.overlap", &agreement.overlap, words),
        matrix("comparison.ssim", &agreement.ssim, words),
    ];
    (
        title(&agreement.method, agreement.layer.as_ref(), words),
        measures,
    )
}

fn part(part: &ComparedPart, words: &Words) -> String {
    let gaps = [
        ("one", &*part.models[0]),
        ("other", &*part.models[1]),
        ("share", &*words.percent(part.share)),
    ];
    words.text("comparison.part", &gaps)
}

fn title(method: &str, layer: Option<&String>, words: &Words) -> String {
    let title = method_title(method, words);
    match layer {
        Some(layer) => format!("{title}, {layer}"),
        None => title,
    }
}

fn matrix(title: &str, values: &[Vec<Option<f64>>], words: &Words) -> MatrixView {
    MatrixView {
        title: words.text(title, &[]),
        rows: values
            .iter()
            .map(|row| row.iter().map(|value| shaded(*value, words)).collect())
            .collect(),
    }
}

fn photo(agreement: &ImageAgreement, input: &ReportInput) -> Option<PhotoAgreementView> {
    let words = input.words;
    let photo = input
        .photos
        .iter()
        .find(|photo| photo.id == agreement.image)?;
    let lowest = words.text(
        "comparison.lowest",
        &[
            (
                "method",
                &*title(&agreement.method, agreement.layer.as_ref(), words),
            ),
            ("one", &*agreement.models[0]),
            ("other", &*agreement.models[1]),
            ("value", &*words.signed(agreement.lowest, 2)),
        ],
    );
    let odd_one = agreement.outlier.as_ref();
    Some(PhotoAgreementView {
        id: agreement.image.clone(),
        anchor: photo.anchor.clone(),
        spearman: shaded(Some(agreement.spearman), words),
        lowest,
        odd_one: odd_one.and_then(|id| Some(input.net(id)?.1.clone())),
    })
}

fn layers(agreement: &LayerAgreement, input: &ReportInput) -> Option<LayerAgreementView> {
    let words = input.words;
    let array = input.tensors.get(&agreement.tensor);
    let (values, [_, columns]) = array.and_then(Array::shaped::<2>)?;
    let [down, across] = &agreement.models;
    let rows = values
        .chunks(columns)
        .zip(&agreement.rows)
        .map(|(row, name)| {
            let cells = row.iter().map(|value| {
                let known = value.is_finite().then_some(f64::from(*value));
                shaded(known, words)
            });
            (name.clone(), cells.collect())
        });
    let gaps = [
        ("images", &*agreement.images.to_string()),
        ("batches", &*agreement.batches.to_string()),
    ];
    Some(LayerAgreementView {
        down: input.net(down)?.1.clone(),
        across: input.net(across)?.1.clone(),
        columns: agreement.columns.clone(),
        dense: agreement.columns.len().max(agreement.rows.len()) > NUMBERS_UP_TO,
        rows: rows.collect(),
        note: words.text("comparison.cka.note", &gaps),
    })
}

fn shaded(value: Option<f64>, words: &Words) -> ShadedView {
    ShadedView {
        text: value.map_or("–".to_owned(), |value| words.signed(value, 2)),
        shade: format!("{:.3}", value.unwrap_or(0.0).clamp(0.0, 1.0)),
    }
}
