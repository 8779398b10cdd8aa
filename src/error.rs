//! The one error type: what went wrong, where in which text, and what would be right.
//!
//! Everything a user can cause ends here, from a misspelt key to a truncated weight file. The
//! command line prints it through `miette`, a notebook cell through the same report.

use std::fmt;
use std::path::Path;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};

/// What convscope's fallible functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What sort of thing went wrong; it decides the exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The command line asks for something that can't be.
    Usage,
    /// The experiment file is wrong.
    Spec,
    /// A weight file, or the catalogue entry behind it, can't be used.
    Weights,
    /// An image can't be read.
    Image,
    /// A network or a layer can't do what was asked of it.
    Network,
    /// A download failed.
    Fetch,
    /// A template of the report is wrong.
    Report,
    /// The file system said no.
    Io,
}

/// One message with what was found, where, and what would be right.
///
/// The fields behind it are boxed, so that a `Result` stays a pointer wide.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    help: Option<String>,
    place: Option<Place>,
    cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A stretch of a named text that an error points at.
struct Place {
    source: NamedSource<String>,
    span: SourceSpan,
    label: String,
}

impl Error {
    /// An error of `kind` that says `message` (a sentence without a full stop).
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Error(Box::new(Inner {
            kind,
            message: message.into(),
            help: None,
            place: None,
            cause: None,
        }))
    }

    /// An I/O error with the path it happened at: `can't read photos/cat.jpg`.
    pub fn io(doing: &str, path: &Path, cause: std::io::Error) -> Self {
        Error::new(ErrorKind::Io, format!("can't {doing} {}", path.display())).because(cause)
    }

    /// Adds what would be right.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// PointSet at `length` bytes from `offset` of `text`, which stands in the file `name`.
    pub fn at(
        mut self,
        name: &str,
        text: &str,
        offset: usize,
        length: usize,
        label: impl Into<String>,
    ) -> Self {
        self.0.place = Some(Place {
            source: NamedSource::new(name, text.to_owned()),
            span: (offset.min(text.len()), length).into(),
            label: label.into(),
        });
        self
    }

    /// Adds the error below this one.
    pub fn because(mut self, cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.cause = Some(cause.into());
        self
    }

    /// The same message as another sort of error.
    pub fn of_kind(mut self, kind: ErrorKind) -> Self {
        self.0.kind = kind;
        self
    }

    /// What sort of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The message alone, without place and help.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The message and the messages of its causes, in one line.
    pub fn one_line(&self) -> String {
        let mut line = self.0.message.clone();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            line.push_str(": ");
            line.push_str(&error.to_string());
            cause = error.source();
        }
        line
    }

    /// What would be right, if the error knows.
    pub fn advice(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Whether the error points into a text.
    pub fn has_place(&self) -> bool {
        self.0.place.is_some()
    }

    /// The process's exit code: 2 where the call or the spec is wrong, 1 where the run failed.
    pub fn exit_code(&self) -> u8 {
        match self.0.kind {
            ErrorKind::Usage | ErrorKind::Spec => 2,
            _ => 1,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

/// A `?` at the end of a notebook cell prints this: the whole report, as the command line does.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        miette::GraphicalReportHandler::new_themed(miette::GraphicalTheme::unicode_nocolor())
            .render_report(f, self)
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
        self.0.place.as_ref().map(|place| &place.source as _)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let place = self.0.place.as_ref()?;
        let label = LabeledSpan::new_with_span(Some(place.label.clone()), place.span);
        Some(Box::new(std::iter::once(label)))
    }
}

impl From<tch::TchError> for Error {
    fn from(error: tch::TchError) -> Self {
        // libtorch's messages carry a C++ stack trace below the first line.
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        Error::new(ErrorKind::Network, format!("libtorch refused: {first}"))
    }
}

/// The candidate most similar to `name`, if one is similar enough to be meant: for the help of an error about an unknown
/// name.
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
