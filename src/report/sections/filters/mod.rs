//! The kernels of convolutions: a row for each selector, a column for each network, and the norms over the depth.

mod kernels;
mod norms;

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::{Content, Figure};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::image_store::StoredImageView;
use crate::report::views::layer::selector_title;
use crate::results::Results;
use kernels::{FilterCellView, KernelRenderer};
use norms::NormsView;

/// The section.
pub const SECTION: Section = Section {
    key: "filters",
    template: "filters.html",
    entry: ContentsEntry::Titled("nav.filters"),
    shows_figures: true,
    view,
};

const METHOD: &str = "filters";

#[derive(Debug, Serialize)]
struct FiltersView {
    /// The end of the common scale of all first layers, where some are shown.
    magnitude: Option<String>,
    rows: Vec<FilterRowView>,
    norms: Option<NormsView>,
    stored: Vec<StoredImageView>,
}

/// The layers of one selector.
#[derive(Debug, Serialize)]
struct FilterRowView {
    title: String,
    cells: Vec<FilterCellView>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let figures = input.figures_of(METHOD);
    let figures: Vec<&Figure> = figures.filter(|figure| figure.image.is_none()).collect();
    if figures.is_empty() {
        return Ok(None);
    }
    let mut renderer = KernelRenderer::new(input, &figures);
    let mut rows = Vec::new();
    for selector in selectors(input.results, &figures) {
        let mut cells = Vec::new();
        for net in &input.nets {
            let is_shown = |figure: &&&Figure| {
                figure.model == net.id
                    && selector_of(input.results, figure) == Some(selector.clone())
            };
            cells.push(match figures.iter().find(is_shown) {
                Some(figure) => renderer.cell(net, figure)?,
                None => FilterCellView::message(net, input.missing_figure(net, None, METHOD)),
            });
        }
        rows.push(FilterRowView {
            title: selector_title(&selector),
            cells,
        });
    }
    Ok(Some(to_value(&FiltersView {
        magnitude: renderer.common_magnitude(),
        rows,
        norms: NormsView::new(input, &figures)?,
        stored: renderer.into_stored(),
    })))
}

/// The selectors of the figures, in the order of the experiment.
fn selectors(results: &Results, figures: &[&Figure]) -> Vec<(String, usize)> {
    let mut keys: Vec<(String, usize)> = Vec::new();
    for figure in figures {
        if let Some(key) = selector_of(results, figure).filter(|key| !keys.contains(key)) {
            keys.push(key);
        }
    }
    let selected = results.models.iter().flat_map(|model| &model.selected);
    let selected = selected.filter(|selected| selected.method == METHOD);
    let order: Vec<&str> = selected
        .map(|selected| selected.selector.as_str())
        .collect();
    let position = |name: &str| order.iter().position(|selector| *selector == name);
    keys.sort_by_key(|(name, index)| (position(name), *index));
    keys
}

/// The selector that selected the figure's layer, and the layer's index among those that it selected.
fn selector_of(results: &Results, figure: &Figure) -> Option<(String, usize)> {
    let model = results.models.iter().find(|m| m.id == figure.model)?;
    match figure.content {
        // Results of a version that showed the first layer only, without a selector.
        Content::ColourKernels { .. } if model.selected.iter().all(|s| s.method != METHOD) => {
            Some(("first".into(), 0))
        }
        _ => results.selector_of(figure),
    }
}
