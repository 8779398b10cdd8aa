//! Pages in a frame: the report, and figures that need its style.

use minijinja::context;

use super::template::{SCHEME, render};
use crate::error::Result;
use crate::figures::{Figure, Tensors};
use crate::report::input::ReportInput;
use crate::report::page::{self, sections};
use crate::report::section::to_value;
use crate::report::templates::{RenderOptions, Templates};
use crate::report::words::Words;
use crate::results::Results;
use crate::spec::Lang;

/// The whole report in a frame.
///
/// # Errors
/// If an image can't be encoded.
pub fn report(results: &Results, tensors: &Tensors) -> Result<String> {
    let page = page::render(results, tensors, &RenderOptions::default())?;
    framed(&page, &results.experiment.title)
}

/// Some figures of the results, as the report shows them, in a frame.
///
/// # Errors
/// If an image can't be encoded.
pub fn framed_figures(
    results: &Results,
    tensors: &Tensors,
    figures: Vec<&Figure>,
) -> Result<String> {
    let words = Words::new(results.experiment.lang);
    let input = ReportInput::new(results, tensors, &words).with_figures(figures);
    let (sections, page) = sections(&input, |section| section.shows_figures)?;
    let page = Templates::built_in(words.clone())?.render(
        "framed_figures.html",
        context! { page => to_value(&page), sections => to_value(&sections) },
    )?;
    framed(&page, &results.experiment.title)
}

/// A page in a frame as high as the page.
fn framed(page: &str, title: &str) -> Result<String> {
    // Without a base, a link to a section would open the page around the frame inside the frame.
    let page = page.replacen("<head>", "<head><base href=\"about:srcdoc\">", 1);
    render(
        "inline-frame.html",
        Lang::default(),
        context! { page, title, scheme => SCHEME },
    )
}
