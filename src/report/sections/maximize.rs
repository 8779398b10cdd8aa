//! Maximised images of classes and units, each with the photo that excites it most; the networks side by side.

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::{Content, Figure, MaximisedImage, TopImage};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::image_store::{ImageStore, StoredImageView};
use crate::report::views::layer::{LayerView, selector_rows, selector_title};
use crate::report::views::net::NetView;
use crate::report::views::pixels::{photo_image, planes_image};

/// The section.
pub const SECTION: Section = Section {
    key: "maximize",
    template: "maximize.html",
    entry: ContentsEntry::Titled("nav.maximize"),
    shows_figures: true,
    view,
};

const METHOD: &str = "maximize";

#[derive(Debug, Serialize)]
struct MaximizeView<'a> {
    nets: &'a [NetView],
    rows: Vec<MaximizeRowView>,
    stored: Vec<StoredImageView>,
}

/// The images of one class, or of the layers of one selector.
#[derive(Debug, Serialize)]
struct MaximizeRowView {
    title: String,
    cells: Vec<MaximizeCellView>,
}

/// The images of one network.
#[derive(Debug, Serialize)]
struct MaximizeCellView {
    net: NetView,
    layer: Option<LayerView>,
    /// Whether a unit's value at the centre of its map was maximised, rather than the mean.
    centre: bool,
    cards: Vec<AscentImageView>,
    /// Why there are none.
    message: Option<String>,
    notes: Vec<String>,
}

/// One maximised image.
#[derive(Debug, Serialize)]
struct AscentImageView {
    /// `unit 17`, `goldfish`
    name: String,
    correlation: Option<String>,
    /// The id of the stored image.
    image: Option<String>,
    side: usize,
    reached: String,
    best: Option<BestPhotoView>,
    /// The reached value in multiples of the best photo's, where that is a meaningful number.
    times: Option<String>,
    /// Why the image is missing.
    message: Option<String>,
}

/// The photo of the collection that excites the class or the unit most.
#[derive(Debug, Serialize)]
struct BestPhotoView {
    image: String,
    label: Option<String>,
    value: String,
    thumbnail: Option<String>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let figures: Vec<&Figure> = input.figures_of(METHOD).collect();
    let (of_layers, of_classes): (Vec<&Figure>, Vec<&Figure>) =
        figures.iter().partition(|figure| figure.layer.is_some());
    let mut store = ImageStore::new("m");
    let mut rows = Vec::new();
    for class in class_names(&of_classes) {
        rows.push(class_row(input, &mut store, &of_classes, class)?);
    }
    for selector in selector_rows(input.results, &of_layers) {
        rows.push(layer_row(input, &mut store, &of_layers, selector)?);
    }
    if rows.is_empty() && !of_classes.is_empty() {
        rows.push(empty_row(input, &of_classes));
    }
    Ok((!rows.is_empty()).then(|| {
        to_value(&MaximizeView {
            nets: &input.nets,
            rows,
            stored: store.stored,
        })
    }))
}

/// The names of the classes that any network has an image of, in the order of the figures.
fn class_names<'a>(figures: &[&'a Figure]) -> Vec<&'a str> {
    let mut names = Vec::new();
    for image in figures.iter().flat_map(|figure| images(figure)) {
        if let Some(class) = &image.class
            && !names.contains(&class.name.as_str())
        {
            names.push(&class.name);
        }
    }
    names
}

fn class_row(
    input: &ReportInput,
    store: &mut ImageStore,
    figures: &[&Figure],
    name: &str,
) -> Result<MaximizeRowView> {
    let mut cells = Vec::new();
    for net in &input.nets {
        let figure = figures
            .iter()
            .find(|figure| figure.model == net.id)
            .copied();
        let all = figure.map(images).unwrap_or_default().iter();
        let own: Vec<&MaximisedImage> = all
            .filter(|image| image.class.as_ref().is_some_and(|class| class.name == name))
            .collect();
        cells.push(cell(input, store, net, figure, &own)?);
    }
    let title = input.words.text("maximize.class", &[("class", name)]);
    Ok(MaximizeRowView { title, cells })
}

fn layer_row(
    input: &ReportInput,
    store: &mut ImageStore,
    figures: &[&Figure],
    selector: Option<(String, usize)>,
) -> Result<MaximizeRowView> {
    let mut cells = Vec::new();
    for net in &input.nets {
        let mut own = figures.iter().filter(|figure| figure.model == net.id);
        let figure = own.find(|figure| input.results.selector_of(figure) == selector);
        let figure = figure.copied();
        let own: Vec<&MaximisedImage> = figure.map(images).unwrap_or_default().iter().collect();
        cells.push(cell(input, store, net, figure, &own)?);
    }
    let layer = selector.as_ref().map(selector_title).unwrap_or_default();
    let title = input.words.text("maximize.layer", &[("layer", &layer)]);
    Ok(MaximizeRowView { title, cells })
}

/// The row where no network had a class to maximise.
fn empty_row(input: &ReportInput, figures: &[&Figure]) -> MaximizeRowView {
    let cells = input.nets.iter().map(|net| {
        let figure = figures.iter().find(|figure| figure.model == net.id);
        empty_cell(input, net, figure.copied())
    });
    MaximizeRowView {
        title: String::new(),
        cells: cells.collect(),
    }
}

fn empty_cell(input: &ReportInput, net: &NetView, figure: Option<&Figure>) -> MaximizeCellView {
    let words = input.words;
    let message = match figure.map(|figure| &figure.content) {
        Some(Content::Absent { reason }) => words.note(reason),
        _ => input.missing_figure(net, None, METHOD),
    };
    let notes = figure.map_or(&[][..], |figure| &figure.notes).iter();
    MaximizeCellView {
        net: net.clone(),
        layer: None,
        centre: false,
        cards: Vec::new(),
        message: Some(message),
        notes: notes.map(|note| words.note(note)).collect(),
    }
}

fn cell(
    input: &ReportInput,
    store: &mut ImageStore,
    net: &NetView,
    figure: Option<&Figure>,
    images: &[&MaximisedImage],
) -> Result<MaximizeCellView> {
    let mut cell = empty_cell(input, net, figure);
    if images.is_empty() {
        return Ok(cell);
    }
    for image in images {
        cell.cards.push(card(input, store, image)?);
    }
    cell.message = None;
    cell.layer = figure.and_then(|figure| LayerView::for_figure(input.results, figure));
    if let Some(Content::Maximised { centre, .. }) = figure.map(|figure| &figure.content) {
        cell.centre = *centre;
    }
    Ok(cell)
}

fn card(
    input: &ReportInput,
    store: &mut ImageStore,
    maximised: &MaximisedImage,
) -> Result<AscentImageView> {
    let words = input.words;
    let unit = maximised.unit.to_string();
    let mut card = AscentImageView {
        name: match &maximised.class {
            Some(class) => class.name.clone(),
            None => words.text("maximize.unit", &[("unit", &unit)]),
        },
        correlation: maximised.correlation.map(|r| words.fixed(r, 2)),
        image: None,
        side: 1,
        reached: words.number(maximised.final_value),
        best: None,
        times: None,
        message: None,
    };
    let array = input.tensors.get(&maximised.tensor);
    match array.and_then(planes_image) {
        Some(pixels) => {
            card.side = pixels.width() as usize;
            card.image = Some(store.small_rgb(&pixels)?);
        }
        None => card.message = Some(input.missing_tensor(&maximised.tensor)),
    }
    if let Some(best) = &maximised.top_image {
        // A multiple of a value near 0 or below it has no meaning.
        let value = f64::from(best.value);
        let times = maximised.final_value / value;
        card.times = (value > 0.0 && (0.0..1e3).contains(&times)).then(|| words.fixed(times, 1));
        card.best = Some(best_photo(input, store, best)?);
    }
    Ok(card)
}

fn best_photo(
    input: &ReportInput,
    store: &mut ImageStore,
    best: &TopImage,
) -> Result<BestPhotoView> {
    let thumbnail = input.tensors.get(&best.tensor).and_then(photo_image);
    Ok(BestPhotoView {
        image: best.image.clone(),
        label: best.label.as_ref().map(|class| class.name.clone()),
        value: input.words.number(f64::from(best.value)),
        thumbnail: thumbnail.map(|pixels| store.photo(&pixels)).transpose()?,
    })
}

fn images(figure: &Figure) -> &[MaximisedImage] {
    match &figure.content {
        Content::Maximised { images, .. } => images,
        _ => &[],
    }
}
