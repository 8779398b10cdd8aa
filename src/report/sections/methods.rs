//! How the figures of each method are read.

use minijinja::Value;

use crate::error::Result;
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::method::MethodView;

/// The section.
pub const SECTION: Section = Section {
    key: "methods",
    template: "methods.html",
    entry: ContentsEntry::Titled("nav.methods"),
    shows_figures: false,
    view,
};

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let mut keys: Vec<&str> = Vec::new();
    for figure in &input.figures {
        if !keys.contains(&figure.method.as_str()) {
            keys.push(&figure.method);
        }
    }
    let methods = keys.iter().map(|key| MethodView::new(key, input.words));
    let methods: Vec<MethodView> = methods.collect();
    Ok((!methods.is_empty()).then(|| to_value(&methods)))
}
