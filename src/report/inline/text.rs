//! Tables and text.

use minijinja::context;

use super::template::render;
use crate::error::Result;
use crate::report::section::to_value;
use crate::spec::Lang;

/// A table: text in the first `words` columns, numbers in the others.
///
/// # Errors
/// If the template is wrong.
pub fn table(title: &str, head: &[&str], rows: &[Vec<String>], words: usize) -> Result<String> {
    render(
        "inline-table.html",
        Lang::default(),
        context! { title, head => to_value(&head), rows => to_value(&rows), words },
    )
}

/// Text as it is, in a fixed width.
///
/// # Errors
/// If the template is wrong.
pub fn text(text: &str) -> Result<String> {
    render("inline-text.html", Lang::default(), context! { text })
}
