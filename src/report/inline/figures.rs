//! Some figures of the results: in rows of images where images and text are enough, the others in a frame.

use image::RgbImage;
use minijinja::context;
use serde::Serialize;

use super::frame::framed_figures;
use super::images::{DISPLAYED_WIDTH, InlineImageView, colour_bar, overlay};
use super::template::render;
use crate::error::Result;
use crate::figures::{Content, Figure, Tensors};
use crate::report::charts::standalone::ADAPTIVE_COLOURS;
use crate::report::input::ReportInput;
use crate::report::section::to_value;
use crate::report::views::cell::{CellRenderer, CellView};
use crate::report::views::image_store::ImageStore;
use crate::report::views::method::method_title;
use crate::report::views::method_rows::method_rows;
use crate::report::views::pixels::photo_image;
use crate::report::views::scale::DisplayScale;
use crate::report::words::Words;
use crate::results::{ImageInfo, Results};

/// A row of figures.
#[derive(Debug, Serialize)]
struct InlineRowView {
    title: String,
    /// What the networks see: one image for all networks with the same preprocessing.
    photos: Vec<InlineImageView>,
    cells: Vec<InlineCellView>,
}

/// A figure of a network.
#[derive(Debug, Serialize)]
struct InlineCellView {
    cell: CellView,
    images: Vec<InlineImageView>,
    /// The colours of the scale.
    ramp: Option<String>,
}

/// The figures of the results at the indices `chosen`.
///
/// # Errors
/// If an image can't be encoded.
pub fn figures(results: &Results, tensors: &Tensors, chosen: &[usize]) -> Result<String> {
    let chosen = chosen.iter().map(|index| &results.figures[*index]);
    let (images, others): (Vec<&Figure>, Vec<&Figure>) =
        chosen.partition(|figure| images_are_enough(figure));
    let mut html = String::new();
    if !images.is_empty() {
        html.push_str(&rows(results, tensors, images)?);
    }
    if !others.is_empty() {
        html.push_str(&framed_figures(results, tensors, others)?);
    }
    Ok(html)
}

fn images_are_enough(figure: &Figure) -> bool {
    match figure.content {
        Content::Map { .. } | Content::Channels { .. } | Content::Absent { .. } => {
            figure.image.is_some()
        }
        Content::ColourKernels { .. } => true,
        _ => false,
    }
}

fn rows(results: &Results, tensors: &Tensors, figures: Vec<&Figure>) -> Result<String> {
    let words = Words::new(results.experiment.lang);
    let input = ReportInput::new(results, tensors, &words).with_figures(figures);
    let mut rows = Vec::new();
    rows.extend(kernel_row(&input)?);
    for (index, image) in results.images.iter().enumerate() {
        let own = input.figures.iter();
        let own = own.filter(|figure| figure.image.as_ref() == Some(&image.id));
        let mut methods: Vec<&str> = Vec::new();
        for figure in own {
            if !methods.contains(&figure.method.as_str()) {
                methods.push(&figure.method);
            }
        }
        for method in methods {
            photo_rows(&input, index, image, method, &mut rows)?;
        }
    }
    render(
        "inline-figures.html",
        results.experiment.lang,
        context! { rows => to_value(&rows), colours => ADAPTIVE_COLOURS },
    )
}

/// Adds the rows of one method for one photo.
fn photo_rows(
    input: &ReportInput,
    index: usize,
    image: &ImageInfo,
    method: &str,
    rows: &mut Vec<InlineRowView>,
) -> Result<()> {
    let mut renderer = CellRenderer::new(input, index, ImageStore::new("inline"));
    for row in method_rows(&mut renderer, method)? {
        let mut tensors: Vec<&str> = Vec::new();
        let mut photos = Vec::new();
        let mut cells = Vec::new();
        for cell in row.cells {
            let Some(figure) = cell.figure.map(|index| &input.results.figures[index]) else {
                continue;
            };
            let mut views = image.views.iter();
            let view = views.find(|view| view.models.contains(&figure.model));
            let photo = view.and_then(|view| photo_image(input.tensors.get(&view.tensor)?));
            if let (Some(view), Some(photo)) = (view, &photo)
                && !tensors.contains(&view.tensor.as_str())
            {
                tensors.push(&view.tensor);
                photos.push(InlineImageView::photo(photo, DISPLAYED_WIDTH, &image.id)?);
            }
            cells.push(inline_cell(input, cell, figure, photo.as_ref())?);
        }
        if cells.is_empty() {
            continue;
        }
        let title = [&image.id, &method_title(method, input.words), &row.title];
        let title: Vec<&str> = title.map(String::as_str).into_iter().collect();
        let title: Vec<&str> = title.into_iter().filter(|part| !part.is_empty()).collect();
        rows.push(InlineRowView {
            title: title.join(" · "),
            photos,
            cells,
        });
    }
    Ok(())
}

/// The row of the first layers' kernels, which belong to no photo.
fn kernel_row(input: &ReportInput) -> Result<Option<InlineRowView>> {
    let words = input.words;
    let mut cells = Vec::new();
    let mut title = String::new();
    for figure in &input.figures {
        let Content::ColourKernels {
            tensor,
            total,
            magnitude,
            units,
            ..
        } = &figure.content
        else {
            continue;
        };
        let array = input.tensors.get(tensor);
        let Some((values, [count, _, height, width])) = array.and_then(|array| array.shaped())
        else {
            continue;
        };
        let Some((_, net)) = input.net(&figure.model) else {
            continue;
        };
        title = method_title(&figure.method, words);
        let layer = figure.layer.clone().unwrap_or_default();
        let mut cell = CellView::without_figure(net, "message", String::new());
        cell.notes.push(format!(
            "{layer}: {} / {total}, ±{}",
            units.len(),
            words.number(f64::from(*magnitude))
        ));
        let alt = format!("{title}, {}, {layer}", figure.model);
        let shape = [count, height, width];
        cells.push(InlineCellView {
            images: vec![InlineImageView::kernels(values, shape, *magnitude, alt)?],
            cell,
            ramp: None,
        });
    }
    Ok((!cells.is_empty()).then(|| InlineRowView {
        title,
        photos: Vec::new(),
        cells,
    }))
}

/// The images of one figure.
fn inline_cell(
    input: &ReportInput,
    cell: CellView,
    figure: &Figure,
    photo: Option<&RgbImage>,
) -> Result<InlineCellView> {
    let mut images = Vec::new();
    let mut ramp = None;
    let alt = match &figure.layer {
        Some(layer) => format!("{}, {}, {layer}", figure.method, figure.model),
        None => format!("{}, {}", figure.method, figure.model),
    };
    match &figure.content {
        Content::Map { tensor, signed, .. } if cell.map.is_some() => {
            let array = input.tensors.get(tensor);
            if let Some((values, [height, width])) = array.and_then(|array| array.shaped()) {
                let scale = DisplayScale::new(values, *signed).scale;
                let size = (width, height);
                if let Some(photo) = photo {
                    let overlay = overlay(photo, values, size, scale)?;
                    images.push(InlineImageView::photo(&overlay, DISPLAYED_WIDTH, &alt)?);
                }
                images.push(InlineImageView::map(values, size, scale, &alt)?);
                ramp = Some(colour_bar(*signed)?);
            }
        }
        Content::Channels { tensor, .. } => {
            let array = input.tensors.get(tensor);
            if let (Some((values, [_, height, width])), Some(mosaic)) =
                (array.and_then(|array| array.shaped()), &cell.mosaic)
            {
                let shape = [mosaic.shown, height, width];
                let values = &values[..shape.iter().product()];
                let signed = mosaic.scale.signed;
                images.push(InlineImageView::channels(values, shape, signed, &alt)?);
                ramp = Some(colour_bar(signed)?);
            }
        }
        _ => {}
    }
    Ok(InlineCellView { cell, images, ramp })
}
