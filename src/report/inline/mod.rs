//! Parts of the report for a page that is not ours, as a notebook's cell is: HTML without a style sheet and without ids,
//! in the colours of the text around it.
//!
//! A photo, a map and a chart are images with their own bytes, so that they are displayed wherever images are, on a code
//! host too. What needs the report's style (the page itself, and figures that are more than images) is in a frame of its
//! own, as high as its content.

mod chart;
mod figures;
mod frame;
mod images;
mod predictions;
mod template;
mod text;

pub use chart::{chart, over_depth};
pub use figures::figures;
pub use frame::report;
pub use images::photo;
pub use predictions::predictions;
pub use text::{table, text};
