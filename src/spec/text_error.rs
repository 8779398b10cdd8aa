//! Errors that point into a text, and those about its encoding and indentation.

use std::ops::Range;

use crate::error::{Error, ErrorKind, Result};

/// A longer line is not printed with an error: it would bury the message.
const MAX_LINE_BYTES: usize = 1000;

/// An [`ErrorKind::Spec`] error at the bytes `span` of `text`, the content of the file `name`. Where the span has several
/// lines it points at the first; where it is empty, at one byte.
pub(super) fn error_at_span(
    name: &str,
    text: &str,
    span: Range<usize>,
    message: impl Into<String>,
    label: impl Into<String>,
) -> Error {
    let own = text.get(span.clone()).unwrap_or_default();
    let first_line = own.lines().next().unwrap_or_default().trim_end();
    // An empty value (`title:`) has nothing to underline but the byte after it.
    let rest = text.len().saturating_sub(span.start);
    let length = first_line.len().max(1).min(rest);
    let line_start = text[..span.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let line = text[line_start..].lines().next().unwrap_or_default();
    if line.len() > MAX_LINE_BYTES {
        let number = 1 + text[..line_start].matches('\n').count();
        let column = span.start - line_start + 1;
        let message: String = message.into();
        let position = if message.contains(name) {
            format!("line {number}, byte {column}")
        } else {
            format!("{name} line {number}, byte {column}")
        };
        return Error::new(ErrorKind::Spec, format!("{message} ({position})"));
    }
    Error::new(ErrorKind::Spec, message).with_position(name, text, span.start, length, label)
}

/// The byte `at`, or that of the last visible character where only white space follows: a parser that meets the end of a text
/// stops below its last line.
pub(super) fn last_visible(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    let last = || text.char_indices().rfind(|(_, c)| !c.is_whitespace());
    match rest.trim().is_empty().then(last).flatten() {
        Some((last, _)) => last,
        None => at,
    }
}

/// The error for the first line that is indented by a tab, if there is one. To be called for a text that is not YAML:
/// parsers report tabs in terms of their grammar.
pub(super) fn tab_error(name: &str, text: &str) -> Option<Error> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line[..indent].find('\t');
        let rest = line[indent..].trim_end();
        if let Some(tab) = tab.filter(|_| !rest.is_empty() && !rest.starts_with('#')) {
            let span = start + tab..start + tab + 1;
            let message = "this line is indented by a tab, and YAML allows only spaces there";
            let error = error_at_span(name, text, span, message, "a tab");
            return Some(error.help("put two spaces for each tab"));
        }
        start += line.len();
    }
    None
}

/// The bytes of the file `name` as text.
///
/// # Errors
/// [`ErrorKind::Spec`] with the line of the first byte that is not UTF-8.
pub(super) fn decode_utf8(name: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + valid.iter().filter(|byte| **byte == b'\n').count();
        let message = format!("{name} is not UTF-8 text (line {line})");
        Error::new(ErrorKind::Spec, message)
            .help("save it as UTF-8; a spec is YAML text, not an image or a weight file")
    })
}
