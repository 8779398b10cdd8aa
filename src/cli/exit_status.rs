//! The exit status of a command, and its output on stdout and stderr.

use std::io::Write;

use convscope::{Error, ErrorKind, Result};

/// The outcome of a command that ended without an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Everything succeeded: exit code 0.
    Success,
    /// A part failed, and the rest succeeded: exit code 1.
    PartialFailure,
}

/// Prints to stdout. A reader that stops early (`| head`) is not an error.
pub fn print(text: &str) -> Result<Status> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match out
        .write_all(text.as_bytes())
        .and_then(|()| out.write_all(end.as_bytes()))
    {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Error::new(ErrorKind::Io, "can't write to stdout").caused_by(error))
        }
        _ => Ok(Status::Success),
    }
}

/// Prints a line to stderr. Where nothing reads it any more (`2>&1 | head`), nothing is printed.
pub fn print_note(line: impl std::fmt::Display) {
    // There is nowhere to report that the stream for reports is closed.
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// Prints an error, and those that were found with it, each with its line, caret and help, to stderr, in colour on a terminal; then
/// how many there are.
pub fn print_error(error: Error) {
    let errors = error.split();
    let count = errors.len();
    for error in errors {
        print_note(format_args!("{:?}", miette::Report::new(error)));
    }
    if count > 1 {
        print_note(format_args!("{count} errors"));
    }
}

/// Indented JSON.
pub fn to_json(value: &impl serde::Serialize) -> Result<String> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Error::new(ErrorKind::Io, "can't write JSON").caused_by(error))
}
