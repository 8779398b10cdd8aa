//! Parts of the report for a page that is not ours, as a notebook's cell is: HTML without a style sheet
//! and without ids, in the colours that the text around it has.
//!
//! A photo, a map and a chart are pictures with their own bytes, so that they show wherever pictures do,
//! on a code host too. What needs the report's style (the page itself, and figures that are more than
//! pictures) stands in a frame of its own, as high as it is.

mod rows;

use image::RgbImage;
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;

use self::rows::{KEPT, Picture, SIDE, jpeg, pixels};
use super::page::{Net, Page};
use super::photos::{self, Column};
use super::words::Words;
use super::{Options, broken, charts, environment};
use crate::error::Result;
use crate::figures::{Content, Tensors};
use crate::results::Results;
use crate::spec::Lang;

/// Light or dark as the text around is, which the page may choose by itself: what is in a frame or a picture
/// follows it.
const SCHEME: &str = "const ink=getComputedStyle(this.parentNode).color.match(/[\\d.]+/g);\
this.style.colorScheme=+ink[0]+ +ink[1]+ +ink[2]>382?'dark':'light'";

/// Eight colours that can be told from a light and from a dark page: the report's, between its two sets.
const COLOURS: [&str; 8] = [
    "#2b86c9", "#e0702a", "#149a70", "#bd6ba6", "#5aa5d8", "#c48a1a", "#8a8a1e", "#808080",
];

/// Some of the results' figures.
///
/// # Errors
/// If they can't be drawn.
pub fn figures(results: &Results, tensors: &Tensors, chosen: &[usize]) -> Result<String> {
    let plain = |at: &usize| {
        let figure = &results.figures[*at];
        match figure.content {
            Content::Map { .. } | Content::Channels { .. } | Content::Absent { .. } => {
                figure.image.is_some()
            }
            Content::ColourKernels { .. } => true,
            _ => false,
        }
    };
    let (chosen, others): (Vec<usize>, Vec<usize>) = chosen.iter().partition(|at| plain(at));
    let mut html = rows::pictures(results, tensors, &chosen)?;
    if !others.is_empty() {
        let figures = others.iter().map(|&at| results.figures[at].clone());
        let some = Results {
            figures: figures.collect(),
            ..results.clone()
        };
        html.push_str(&framed(&alone(&some, tensors)?, &results.experiment.title)?);
    }
    Ok(html)
}

#[derive(Debug, Serialize)]
struct Said {
    image: String,
    label: Option<String>,
    photo: Option<Picture>,
    columns: Vec<Column>,
}

/// What the networks say of the pictures.
///
/// # Errors
/// If it can't be drawn.
pub fn predictions(results: &Results, tensors: &Tensors) -> Result<String> {
    let words = Words::of(results.experiment.lang);
    let nets = nets(results);
    let mut all = Vec::new();
    for (number, image) in results.images.iter().enumerate() {
        let drawing = photos::drawing(number, image, &nets, results, tensors, &words);
        let view = image.views.first();
        let photo = view.and_then(|view| pixels(tensors, &view.tensor));
        all.push(Said {
            image: image.id.clone(),
            label: image.label.as_ref().map(|label| label.name.clone()),
            photo: photo.map(|p| jpeg(&p, SIDE, &image.id)).transpose()?,
            columns: nets.iter().map(|net| drawing.column(net)).collect(),
        });
    }
    draw(
        "inline-predictions.html",
        results.experiment.lang,
        context! { all => Value::from(Serde(&all)), colours => COLOURS },
    )
}

/// A photo with a line below it.
///
/// # Errors
/// If it has no pixels.
pub fn photo(pixels: &RgbImage, caption: &str) -> Result<String> {
    let photo = jpeg(pixels, 2 * KEPT, caption)?;
    draw(
        "inline-photo.html",
        Lang::default(),
        context! { photo => Value::from(Serde(&photo)), caption },
    )
}

/// A table of words and numbers: words in the first `words` columns, numbers in the others.
///
/// # Errors
/// If it can't be drawn.
pub fn table(title: &str, head: &[&str], rows: &[Vec<String>], words: usize) -> Result<String> {
    draw(
        "inline-table.html",
        Lang::default(),
        context! { title, head => Value::from(Serde(head)), rows => Value::from(Serde(rows)), words },
    )
}

/// Text as it is, in a fixed width.
///
/// # Errors
/// If it can't be drawn.
pub fn text(text: &str) -> Result<String> {
    draw("inline-text.html", Lang::default(), context! { text })
}

/// A chart with the networks in their colours.
///
/// # Errors
/// If it can't be drawn.
pub fn chart(title: &str, svg: &str, networks: &[String]) -> Result<String> {
    let uri = crate::image::data_uri("image/svg+xml", svg.as_bytes());
    let nets: Vec<Net> = networks
        .iter()
        .enumerate()
        .map(|(place, id)| Net::named(place, id))
        .collect();
    draw(
        "inline-chart.html",
        Lang::default(),
        context! { title, uri, scheme => SCHEME, nets => Value::from(Serde(&nets)), colours => COLOURS },
    )
}

/// A chart of numbers over the depth, a line for each network; as an SVG of its own.
///
/// # Errors
/// If there are fewer than two numbers.
pub fn over_depth(lines: &[Vec<(f64, f64)>], title: &str) -> Result<String> {
    let drawn = charts::over_depth(lines, title, &Words::of(Lang::default()))?;
    drawn.map(|svg| standalone(&svg)).ok_or_else(|| {
        let message = "there are fewer than two numbers to draw";
        crate::Error::new(crate::ErrorKind::Usage, message)
            .help("numbers below 1 have no place on a logarithmic axis")
    })
}

/// A chart of the report as a picture by itself: with its own paper, for nobody knows what is behind it,
/// and in the reader's choice of light or dark.
pub(super) fn standalone(chart: &str) -> String {
    let body = chart.split_once('>').map_or("", |(_, body)| body);
    let size = chart
        .split_once("viewBox=\"0 0 ")
        .map_or("", |(_, rest)| rest);
    let size = size.split_once('"').map_or("", |(size, _)| size);
    let (width, height) = size.split_once(' ').unwrap_or(("300", "200"));
    let number = |text: &str| text.parse::<i32>().unwrap_or(300);
    let (outer_width, outer_height) = (number(width) + 24, number(height) + 24);
    let colours: Vec<String> = COLOURS
        .iter()
        .enumerate()
        .map(|(place, colour)| format!("--n{place}:{colour}"))
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-12 -12 {outer_width} {outer_height}\" \
         width=\"{outer_width}\" height=\"{outer_height}\" font-family=\"system-ui,sans-serif\">\
         <style>:root{{--paper:#fff;--ink:#1b1f24;--rule:#d5dae0;{}}}\
         @media(prefers-color-scheme:dark){{:root{{--paper:#14171b;--ink:#e7eaee;--rule:#39414a}}}}</style>\
         <rect x=\"-12\" y=\"-12\" width=\"{outer_width}\" height=\"{outer_height}\" rx=\"6\" \
         style=\"fill:var(--paper)\"/>{body}",
        colours.join(";")
    )
}

/// The whole report in a frame.
///
/// # Errors
/// If the page can't be drawn.
pub fn report(results: &Results, tensors: &Tensors) -> Result<String> {
    let page = super::render(results, tensors, &Options::default())?;
    framed(&page, &results.experiment.title)
}

/// A page in a frame as high as it is.
fn framed(page: &str, title: &str) -> Result<String> {
    // Else a link to a section would be one to the page around the frame, and open that inside of it.
    let page = page.replacen("<head>", "<head><base href=\"about:srcdoc\">", 1);
    draw(
        "inline-frame.html",
        Lang::default(),
        context! { page, title, scheme => SCHEME },
    )
}

/// A page that has the figures of `results` and nothing around them.
fn alone(results: &Results, tensors: &Tensors) -> Result<String> {
    let words = Words::of(results.experiment.lang);
    let page = Page::new(results, tensors, &words)?;
    draw(
        "alone.html",
        results.experiment.lang,
        context! { page => Value::from(Serde(&page)) },
    )
}

fn nets(results: &Results) -> Vec<Net> {
    let models = results.models.iter().enumerate();
    models
        .map(|(place, model)| Net::new(place, model))
        .collect()
}

fn draw(name: &str, lang: Lang, view: Value) -> Result<String> {
    let options = Options::default();
    let environment = environment(Words::of(lang), &options)?;
    environment
        .get_template(name)
        .and_then(|template| template.render(view))
        .map_err(|error| broken(error, &options))
}
