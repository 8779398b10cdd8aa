//! What a cell of a Rust notebook (evcxr) shows: its last value, by an inherent `evcxr_display`.
//!
//! Each value goes out as one `text/html` and one `text/plain`, for of two blocks of one type only the last
//! would show. Nothing else is ever printed here but whole lines of UTF-8, which is all that evcxr reads.
//! A last line that moves a variable of an earlier cell (`network.explain(&dog, options)?`) shows its text alone: evcxr compiles
//! such a cell a second time and asks for `Debug` then. A clone shows the pictures.
//! A `?` that ends on an [`Error`] prints the same message as the command line does: see its `Debug`.

mod file;

use crate::error::{Error, Result};
use crate::image::DecodedImage;
use crate::report::inline;
use crate::session::{
    Chart, Experiment, Figures, Image, LayerTable, Model, Predictions, Report, Session,
};
use crate::spec::SpecFile;

pub use file::text;

/// Sends a value to the cell. What can't be drawn says why in its place.
fn send(text: &str, html: Result<String>) {
    let html = match html {
        Ok(html) => html,
        Err(error) => inline::text(&format!("{error:?}")).unwrap_or_default(),
    };
    evcxr_runtime::mime_type("text/html").text(html.trim());
    evcxr_runtime::mime_type("text/plain").text(text);
}

macro_rules! shown {
    ($($value:ty: |$it:ident| $html:expr;)*) => {
        $(impl $value {
            /// Shows the value in a notebook's cell.
            pub fn evcxr_display(&self) {
                let $it = self;
                send(&self.to_string(), $html);
            }
        })*
    };
}

shown! {
    Report: |report| report.framed();
    Figures: |figures| figures.html();
    Predictions: |predictions| predictions.html();
    LayerTable: |layers| layers.html();
    Chart: |chart| chart.html();
    Image: |image| inline::photo(&image.photo().pixels, &image.to_string());
    Experiment: |experiment| inline::text(&experiment.to_string());
    Session: |session| inline::text(&session.to_string());
    Model: |model| facts(model);
}

impl DecodedImage {
    /// Shows the photo in a notebook's cell.
    pub fn evcxr_display(&self) {
        let (width, height) = self.pixels.dimensions();
        let caption = format!("{width} × {height}");
        send(&caption, inline::photo(&self.pixels, &caption));
    }
}

impl SpecFile {
    /// Shows the spec's text in a notebook's cell.
    pub fn evcxr_display(&self) {
        send(&self.text, inline::text(&self.text));
    }
}

impl Error {
    /// Shows the message with its line and caret in a notebook's cell.
    pub fn evcxr_display(&self) {
        let message = format!("{self:?}");
        send(&message, inline::text(&message));
    }
}

fn facts(model: &Model) -> Result<String> {
    let info = model.info();
    let row = |name: &str, value: String| vec![name.to_owned(), value];
    let mut rows = vec![
        row("architecture", info.arch.clone()),
        row(
            "weights",
            format!("{}, {}", info.weights.name, info.weights.source),
        ),
        row(
            "parameters",
            crate::text_table::grouped(info.parameters as i64),
        ),
        row(
            "multiply-adds",
            crate::text_table::grouped(info.multiply_adds as i64),
        ),
        row("layers with weights", info.depth.to_string()),
        row("input", info.preprocess.clone()),
        row("classes", info.classes.to_string()),
    ];
    rows.extend(info.weights.note.clone().map(|note| row("note", note)));
    inline::table(&info.id, &[], &rows, 2)
}
