//! The display of values in a Rust notebook: evcxr shows the last value of a cell by its inherent `evcxr_display`.
//!
//! Each value is printed as one `text/html` and one `text/plain` block: of two blocks of one type, evcxr shows only the
//! last. Everything that is printed consists of whole lines of UTF-8, because evcxr reads nothing else.
//!
//! A last line that moves a variable of an earlier cell (`network.explain(&dog, options)?`) shows text only, because evcxr
//! compiles such a cell a second time and then uses `Debug`; pass a clone to see the images. A `?` on an [`Error`] prints the
//! same message as the command line: see its `Debug`.

mod file;

use crate::error::{Error, Result};
use crate::image::DecodedImage;
use crate::report::inline;
use crate::session::{
    Chart, Experiment, Figures, Image, LayerTable, Model, Predictions, Report, Session,
};
use crate::spec::SpecFile;

pub use file::text;

/// Prints a value's `text/html` and `text/plain` blocks. If there is no HTML, the error's message is printed instead.
fn print_blocks(text: &str, html: Result<String>) {
    let html = match html {
        Ok(html) => html,
        Err(error) => inline::text(&format!("{error:?}")).unwrap_or_default(),
    };
    evcxr_runtime::mime_type("text/html").text(html.trim());
    evcxr_runtime::mime_type("text/plain").text(text);
}

/// Implements `evcxr_display` with a value's `Display` and with HTML from an expression.
macro_rules! display {
    ($($value:ty: |$it:ident| $html:expr;)*) => {
        $(impl $value {
            /// Shows the value in a notebook's cell.
            pub fn evcxr_display(&self) {
                let $it = self;
                print_blocks(&self.to_string(), $html);
            }
        })*
    };
}

display! {
    Report: |report| report.framed();
    Figures: |figures| figures.html();
    Predictions: |predictions| predictions.html();
    LayerTable: |layers| layers.html();
    Chart: |chart| chart.html();
    Image: |image| inline::photo(&image.photo().pixels, &image.to_string());
    Experiment: |experiment| inline::text(&experiment.to_string());
    Session: |session| inline::text(&session.to_string());
    Model: |model| model_table(model);
}

impl DecodedImage {
    /// Shows the image in a notebook's cell.
    pub fn evcxr_display(&self) {
        let (width, height) = self.pixels.dimensions();
        let caption = format!("{width} × {height}");
        print_blocks(&caption, inline::photo(&self.pixels, &caption));
    }
}

impl SpecFile {
    /// Shows the spec's text in a notebook's cell.
    pub fn evcxr_display(&self) {
        print_blocks(self.text(), inline::text(self.text()));
    }
}

impl Error {
    /// Shows the message with its line and caret in a notebook's cell.
    pub fn evcxr_display(&self) {
        let message = format!("{self:?}");
        print_blocks(&message, inline::text(&message));
    }
}

/// A table of the network's weights, size and preprocessing.
fn model_table(model: &Model) -> Result<String> {
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
