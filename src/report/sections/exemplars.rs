//! The unit cards: for each unit the patches of the collection that excite it most, the projection of the first one, and
//! the maximised image; the networks side by side.

use image::RgbImage;
use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::{Array, Content, Exemplar, Figure, UnitExemplars};
use crate::image::thumbnail;
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::image_store::{ImageStore, StoredImageView};
use crate::report::views::layer::{LayerView, selector_rows, selector_title};
use crate::report::views::net::NetView;
use crate::report::views::pixels::{planes_image, projection_image, three_colours, tiled_images};

/// The section.
pub const SECTION: Section = Section {
    key: "exemplars",
    template: "exemplars.html",
    entry: ContentsEntry::Titled("nav.exemplars"),
    shows_figures: true,
    view,
};

const METHOD: &str = "exemplars";

#[derive(Debug, Serialize)]
struct ExemplarsView {
    /// How many images were searched.
    images: String,
    /// Whether they are the report's own photos.
    own: bool,
    rows: Vec<ExemplarRowView>,
    stored: Vec<StoredImageView>,
}

/// The layers of one selector.
#[derive(Debug, Serialize)]
struct ExemplarRowView {
    title: String,
    cells: Vec<ExemplarCellView>,
}

/// The units of one layer of a network.
#[derive(Debug, Serialize)]
struct ExemplarCellView {
    net: NetView,
    layer: Option<LayerView>,
    cards: Vec<UnitCardView>,
    message: Option<String>,
    notes: Vec<String>,
}

/// One unit.
#[derive(Debug, Serialize)]
struct UnitCardView {
    unit: usize,
    correlation: Option<String>,
    patches: Option<UnitImageView>,
    projection: Option<UnitImageView>,
    maximised: Option<UnitImageView>,
    /// The unit's value for the maximised image, in the measure of the patches.
    reached: Option<String>,
    highest: String,
    lowest: String,
    list: Vec<ExemplarView>,
    notes: Vec<String>,
}

/// A stored image of a card.
#[derive(Debug, Serialize)]
struct UnitImageView {
    id: String,
    width: u32,
    height: u32,
}

/// An image in the list of a card.
#[derive(Debug, Serialize)]
struct ExemplarView {
    value: String,
    image: String,
    label: Option<String>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let figures: Vec<&Figure> = input.figures_of(METHOD).collect();
    if figures.is_empty() {
        return Ok(None);
    }
    let mut store = ImageStore::new("e");
    let mut rows = Vec::new();
    for selector in selector_rows(input.results, &figures) {
        let mut cells = Vec::new();
        for net in &input.nets {
            let mut own = figures.iter().filter(|figure| figure.model == net.id);
            let figure = own.find(|figure| input.results.selector_of(figure) == selector);
            cells.push(cell(input, &mut store, net, figure.copied())?);
        }
        rows.push(ExemplarRowView {
            title: selector.as_ref().map(selector_title).unwrap_or_default(),
            cells,
        });
    }
    let collection = input.results.collection.as_ref();
    let images = collection.map_or(0, |collection| collection.images);
    Ok(Some(to_value(&ExemplarsView {
        images: input.words.integer(images as u64),
        own: collection.is_some_and(|collection| collection.own),
        rows,
        stored: store.stored,
    })))
}

fn cell(
    input: &ReportInput,
    store: &mut ImageStore,
    net: &NetView,
    figure: Option<&Figure>,
) -> Result<ExemplarCellView> {
    let words = input.words;
    let mut cell = ExemplarCellView {
        net: net.clone(),
        layer: None,
        cards: Vec::new(),
        message: None,
        notes: Vec::new(),
    };
    let Some(figure) = figure else {
        cell.message = Some(input.missing_figure(net, None, METHOD));
        return Ok(cell);
    };
    cell.layer = LayerView::for_figure(input.results, figure);
    cell.notes = figure.notes.iter().map(|note| words.note(note)).collect();
    match &figure.content {
        Content::Exemplars { units } => {
            for unit in units {
                cell.cards.push(card(input, store, unit)?);
            }
        }
        Content::Absent { reason } => cell.message = Some(words.note(reason)),
        _ => cell.message = Some(words.text("cell.none", &[])),
    }
    Ok(cell)
}

fn card(input: &ReportInput, store: &mut ImageStore, card: &UnitExemplars) -> Result<UnitCardView> {
    let (tensors, words) = (input.tensors, input.words);
    let number = |value: f32| words.number(f64::from(value));
    let value = |exemplar: Option<&Exemplar>| number(exemplar.map_or(0.0, |e| e.value));
    let patches = tensors.get(&card.patches).and_then(tiled_images);
    let projection = card.projection.as_ref().and_then(|key| tensors.get(key));
    let projection = projection.map(square_projection).transpose()?.flatten();
    let maximised = card.maximised.as_ref();
    let image = maximised.and_then(|maximised| planes_image(tensors.get(&maximised.tensor)?));
    Ok(UnitCardView {
        unit: card.unit,
        correlation: card.correlation.map(|c| words.fixed(c, 2)),
        patches: stored_image(store, patches)?,
        projection: stored_image(store, projection)?,
        maximised: stored_image(store, image)?,
        reached: maximised.map(|maximised| number(maximised.value)),
        highest: value(card.exemplars.first()),
        lowest: value(card.exemplars.last()),
        list: card
            .exemplars
            .iter()
            .map(|exemplar| ExemplarView {
                value: number(exemplar.value),
                image: exemplar.image.clone(),
                label: exemplar.label.as_ref().map(|label| label.name.clone()),
            })
            .collect(),
        notes: card.notes.iter().map(|note| words.note(note)).collect(),
    })
}

/// A projection on a grey square, as the patches are; `None` where nothing of it is stored or it is 0 everywhere.
fn square_projection(array: &Array) -> Result<Option<RgbImage>> {
    let Some((values, shape @ [_, height, width])) = array.shaped() else {
        return Ok(None);
    };
    let values = &*three_colours(values, shape, None);
    if values.iter().all(|value| *value == 0.0) {
        return Ok(None);
    }
    let (pixels, _) = projection_image(values, height, width)?;
    let (width, height) = pixels.dimensions();
    let side = width.max(height);
    Ok(Some(thumbnail(&pixels, [0, 0, width, height], side)))
}

fn stored_image(store: &mut ImageStore, pixels: Option<RgbImage>) -> Result<Option<UnitImageView>> {
    let Some(pixels) = pixels else {
        return Ok(None);
    };
    Ok(Some(UnitImageView {
        width: pixels.width(),
        height: pixels.height(),
        id: store.small_rgb(&pixels)?,
    }))
}
