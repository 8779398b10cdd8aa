//! A layer's caption, and the selectors that align the layers of several networks.

use serde::Serialize;

use crate::figures::Figure;
use crate::results::{LayerInfo, Results};

/// A layer in a caption.
#[derive(Debug, Serialize)]
pub struct LayerView {
    /// The node's full name.
    pub name: String,
    /// `conv`, `relu`, …
    pub op: String,
    /// `7 × 7 × 2048`
    pub shape: String,
    /// Pixels of the input between two spatial positions.
    pub stride: i64,
    /// Side of the receptive field, in pixels of the input.
    pub receptive_field: i64,
}

impl LayerView {
    /// The view of one layer.
    pub fn new(layer: &LayerInfo) -> Self {
        let shape = match layer.shape[..] {
            [channels, height, width] => format!("{width} × {height} × {channels}"),
            _ => layer
                .shape
                .iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(" × "),
        };
        LayerView {
            name: layer.name.clone(),
            op: layer.op.clone(),
            shape,
            stride: layer.stride,
            receptive_field: layer.receptive_field,
        }
    }

    /// The layer of a figure, where the results describe it.
    pub fn for_figure(results: &Results, figure: &Figure) -> Option<LayerView> {
        let name = figure.layer.as_ref()?;
        let model = results.models.iter().find(|m| m.id == figure.model)?;
        let layer = model.layers.iter().find(|layer| layer.name == *name)?;
        Some(LayerView::new(layer))
    }
}

/// A row's title: the selector, and which of its layers it is where it selects several.
pub fn selector_title(selector: &(String, usize)) -> String {
    match selector {
        (name, 0) => name.clone(),
        (name, index) => format!("{name} ({})", index + 1),
    }
}

/// The selectors of `figures`, each once, in the order of the figures: a row of the report each.
pub fn selector_rows(results: &Results, figures: &[&Figure]) -> Vec<Option<(String, usize)>> {
    let mut rows = Vec::new();
    for figure in figures {
        let selector = results.selector_of(figure);
        if !rows.contains(&selector) {
            rows.push(selector);
        }
    }
    rows
}
