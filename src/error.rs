//! The crate's error type: a message, the position in a text that it concerns, and help.
//!
//! Every error that a user can cause has this type, from a misspelt key to a truncated weight file. The command line
//! prints it through `miette`; a notebook cell prints the same report.

use std::fmt;
use std::path::Path;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};

/// The result of convscope's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The kind of an error; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An argument of the command line, or of a function of the library, is invalid.
    Usage,
    /// The experiment file is invalid.
    Spec,
    /// A weight file, or its entry in the catalogue, can't be used.
    Weights,
    /// An image can't be read.
    Image,
    /// A network can't be built or evaluated, or has no such layer.
    Network,
    /// A download failed.
    Fetch,
    /// The report can't be made, or is larger than it may be.
    Report,
    /// Reading or writing a file failed.
    Io,
    /// The user, or the system, has stopped the work.
    Interrupted,
}

/// An error: a message, and optionally a position in a text, help and the error that caused it.
///
/// The fields are boxed, so that a `Result` stays a pointer wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    position: Option<Position>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
    /// Further errors of the same text.
    others: Vec<Error>,
}

/// The span of a named text that an error concerns.
struct Position {
    source: NamedSource<String>,
    span: SourceSpan,
    label: String,
}

impl Error {
    /// An error with a message: a sentence without a full stop.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            help: None,
            position: None,
            cause: None,
            others: Vec::new(),
        }))
    }

    /// The error of work that was stopped.
    pub fn interrupted(message: impl Into<String>) -> Self {
        Error::new(ErrorKind::Interrupted, message)
    }

    /// An I/O error that names its file: `can't read photos/cat.jpg`, where `action` is `read`.
    pub fn io(action: &str, path: &Path, cause: std::io::Error) -> Self {
        let message = format!("can't {action} {}", path.display());
        Error::new(ErrorKind::Io, message).caused_by(cause)
    }

    /// Adds help: what the user can do.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Adds a position: `length` bytes from the byte `offset` of `text`, the content of the file `name`. The label is
    /// printed under them.
    pub fn with_position(
        mut self,
        name: &str,
        text: &str,
        offset: usize,
        length: usize,
        label: impl Into<String>,
    ) -> Self {
        self.0.position = Some(Position {
            source: NamedSource::new(name, text.to_owned()),
            span: (offset.min(text.len()), length).into(),
            label: label.into(),
        });
        self
    }

    /// Adds the error that caused this one.
    pub fn caused_by(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// Changes the kind; message, help, position and cause stay.
    pub fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// The kind.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without position, help and causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The message and those of its causes in one line, with colons between them.
    pub fn full_message(&self) -> String {
        let mut line = self.0.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }

    /// The help, if there is one.
    pub fn help_text(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Whether the error has a position in a text.
    pub fn has_position(&self) -> bool {
        self.0.position.is_some()
    }

    /// The error and those that were found with it, one by one, in the order of their positions.
    pub fn split(mut self) -> Vec<Error> {
        let others = std::mem::take(&mut self.0.others);
        std::iter::once(self).chain(others).collect()
    }

    /// What is left without the errors of this kind.
    pub fn without(self, kind: ErrorKind) -> Option<Error> {
        let mut mistakes = Mistakes(self.split());
        mistakes.0.retain(|error| error.kind() != kind);
        mistakes.into_result().err()
    }

    /// The process's exit code: 2 where the command line or the spec is invalid, else 1.
    pub fn exit_code(&self) -> u8 {
        let own = match self.0.kind {
            ErrorKind::Usage | ErrorKind::Spec => 2,
            _ => 1,
        };
        let others = self.0.others.iter().map(Error::exit_code);
        others.fold(own, u8::max)
    }

    /// Where errors are sorted: those without a position come last.
    fn offset(&self) -> Option<usize> {
        let position = self.0.position.as_ref();
        position.map(|position| position.span.offset())
    }
}

/// Errors that don't depend on each other, collected so that all mistakes of a text are reported at once.
#[derive(Debug, Default)]
pub struct Mistakes(Vec<Error>);

impl Mistakes {
    /// The value, or `None` once its error is collected.
    ///
    /// # Errors
    /// If the work was stopped: then there is nothing more to collect.
    pub fn collect<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(error) if error.kind() == ErrorKind::Interrupted => Err(error),
            Err(error) => {
                self.0.extend(error.split());
                Ok(None)
            }
        }
    }

    /// Collects the error, if there is one.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn add(&mut self, result: Result<()>) -> Result<()> {
        self.collect(result).map(drop)
    }

    /// Collects those errors whose position has none so far: at one place, what a later step finds follows from what an earlier
    /// one found.
    ///
    /// # Errors
    /// As [`collect`](Self::collect).
    pub fn add_elsewhere(&mut self, result: Result<()>) -> Result<()> {
        let mut found = Mistakes::default();
        found.add(result)?;
        let is_new = |error: &Error| {
            let at = error.offset();
            at.is_none() || self.0.iter().all(|known| known.offset() != at)
        };
        found.0.retain(is_new);
        self.0.extend(found.0);
        Ok(())
    }

    /// Whether there is none so far.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// One error for all of them, in the order of their positions; each once.
    ///
    /// # Errors
    /// If there is one.
    pub fn into_result(self) -> Result<()> {
        let mut errors: Vec<Error> = Vec::new();
        for error in self.0 {
            let is_known = |known: &Error| {
                known.offset() == error.offset() && known.message() == error.message()
            };
            if !errors.iter().any(is_known) {
                errors.push(error);
            }
        }
        errors.sort_by_key(|error| error.offset().unwrap_or(usize::MAX));
        let mut errors = errors.into_iter();
        match errors.next() {
            None => Ok(()),
            Some(mut first) => {
                first.0.others = errors.collect();
                Err(first)
            }
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// The whole report, as the command line prints it: a notebook prints it for a `?` at the end of a cell.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
            .render_report(f, self)?;
        for other in &self.0.others {
            write!(f, "\n{other:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.cause.as_deref().map(|cause| cause as _)
    }
}

impl Diagnostic for Error {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as _)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0
            .position
            .as_ref()
            .map(|position| &position.source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let position = self.0.position.as_ref()?;
        let label = LabeledSpan::new_with_span(Some(position.label.clone()), position.span);
        Some(Box::new(std::iter::once(label)))
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        // libtorch's messages carry a C++ stack trace below the first line.
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Error::new(ErrorKind::Network, format!("libtorch error: {first}"))
    }
}

/// The candidate most similar to `name`, if it is similar enough (a normalised Damerau–Levenshtein similarity of at
/// least 0.55): for the help of an error about an unknown name.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let lower = name.to_lowercase();
    candidates
        .into_iter()
        .map(|candidate| {
            let score = strsim::normalized_damerau_levenshtein(&lower, &candidate.to_lowercase());
            (score, candidate)
        })
        .filter(|(score, _)| *score >= 0.55)
        .max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(a.1)))
        .map(|(_, candidate)| candidate)
}
