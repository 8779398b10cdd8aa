//! What a section of the report is.

use minijinja::value::{Serde, Value};
use serde::Serialize;

use super::input::ReportInput;
use crate::error::Result;

/// A section of the report: what its template is given, and its entry in the contents.
#[derive(Debug)]
pub struct Section {
    /// Its name: that of its anchor, if it has one.
    pub key: &'static str,
    /// Its template, which is given the section's `view` and the `page`.
    pub template: &'static str,
    /// Its entry in the contents.
    pub entry: ContentsEntry,
    /// Whether it shows figures, so that a notebook displays some of them as the report does.
    pub shows_figures: bool,
    /// What it shows; `None` where the results have nothing for it.
    pub view: fn(&ReportInput) -> Result<Option<Value>>,
}

/// A section's entry in the contents of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentsEntry {
    /// None.
    Absent,
    /// A link to the section's key, with the text at this key of the word list.
    Titled(&'static str),
    /// A link to every photo.
    Photos,
}

/// A section's view as a template's value.
pub fn to_value<T: Serialize>(view: &T) -> Value {
    Value::from(Serde(view))
}
