//! The report: results in, one self-contained HTML page out.
//!
//! ```text
//! Results, Tensors ─► sections (views, charts, images) ─► templates (with words) ─► HTML
//! ```
//!
//! A section is a file of [`sections`](self) that makes a view from a `ReportInput`, and a template that shows it; a
//! chart is a file of `charts`; a language is a file of `templates/words`. The page needs no network and no other file,
//! holds every photo and every map once, and reads in full without JavaScript. A map is stored as grey levels at its own
//! size; an SVG filter colours it in the page, so that enlarging interpolates values and not colours.

mod charts;
mod embedded;
mod figure_export;
mod figure_svg;
pub mod inline;
mod input;
mod number_format;
mod page;
mod photo_names;
mod prediction_summary;
mod run_diff;
mod section;
mod sections;
mod templates;
mod views;
mod words;

pub use charts::ChartKind;
pub use embedded::templates;
pub use figure_export::{chart, figure, keys};
pub use page::render;
pub use prediction_summary::summary;
pub use run_diff::{FinishedRun, render_diff};
pub use sections::papers;
pub use templates::RenderOptions;
pub use words::Words;
