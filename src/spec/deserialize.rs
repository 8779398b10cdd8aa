//! From a spec's text to an [`Experiment`], with errors that name the key and say what is allowed.

use serde_path_to_error::Segment;

use super::experiment::ExperimentSpec;
use super::serde_message::{SerdeMessage, describe_expected, describe_found, without_position};
use super::spec_text::SpecText;
use super::text_error::error_at_span;
use super::yaml_tree::PathStep;
use crate::error::{Error, Result, nearest};

/// Why an experiment can't be read.
pub(super) struct ReadFailure {
    /// The error with its position.
    pub error: Error,
    /// What is to be left out to read the rest; `None` if that can't be said.
    pub fault: Option<Fault>,
}

/// What of a spec is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Fault {
    /// An entry of a list, by its position in the value that was read.
    Entry(String, usize),
    /// The value of a key of the spec.
    Value(String),
    /// A key that a spec doesn't have, and the known one that it resembles.
    UnknownKey(String, Option<String>),
    /// A key that a spec must have.
    MissingKey(String),
}

/// Reads the experiment from the text, or from a value that was made from it: the types of all values, not yet their ranges
/// and names.
///
/// # Errors
/// For the first unknown or missing key, unknown name, or value of a wrong type.
pub(super) fn deserialize<'de>(
    text: &SpecText,
    yaml: impl serde::Deserializer<'de, Error = serde_yaml::Error>,
) -> Result<ExperimentSpec, ReadFailure> {
    serde_path_to_error::deserialize(yaml).map_err(|error| {
        let path: Vec<PathStep> = error.path().iter().filter_map(path_step).collect();
        ReadFailure {
            fault: fault(&path, error.inner()),
            error: explain(text, &text.unread.path_in_text(&path), error.inner()),
        }
    })
}

fn fault(path: &[PathStep], error: &serde_yaml::Error) -> Option<Fault> {
    let full = error.to_string();
    let message = SerdeMessage::parse(without_position(&full, error));
    let at_top = |name: &str| path.is_empty() || path == [PathStep::Key(name)];
    match (message, path) {
        (SerdeMessage::UnknownKey { name, known }, _) if at_top(name) => {
            let meant = nearest(name, known.iter().copied()).map(str::to_owned);
            Some(Fault::UnknownKey(name.to_owned(), meant))
        }
        (SerdeMessage::MissingKey(key), []) => Some(Fault::MissingKey(key.to_owned())),
        (_, [PathStep::Key(list), PathStep::Index(index), ..]) => {
            Some(Fault::Entry((*list).to_owned(), *index))
        }
        (_, [PathStep::Key(key), ..]) => Some(Fault::Value((*key).to_owned())),
        _ => None,
    }
}

fn path_step(segment: &Segment) -> Option<PathStep<'_>> {
    match segment {
        Segment::Seq { index } => Some(PathStep::Index(*index)),
        Segment::Map { key } => Some(PathStep::Key(key)),
        _ => None,
    }
}

/// serde's error at `path` as an error for the spec's author.
fn explain(text: &SpecText, path: &[PathStep], error: &serde_yaml::Error) -> Error {
    let full = error.to_string();
    let message = without_position(&full, error);
    let context = ErrorContext { text, path };
    match SerdeMessage::parse(message) {
        SerdeMessage::UnknownKey { name, known } => context.unknown_key(name, &known),
        SerdeMessage::UnknownName { name, known } => context.unknown_name(name, &known),
        SerdeMessage::MissingKey(key) => context.missing_key(key),
        SerdeMessage::WrongType { found, expected } => context.wrong_type(found, expected),
        SerdeMessage::Other(message) => context.other(message),
    }
}

/// The path at which reading failed.
struct ErrorContext<'a> {
    text: &'a SpecText,
    path: &'a [PathStep<'a>],
}

impl ErrorContext<'_> {
    fn error(
        &self,
        span: std::ops::Range<usize>,
        message: String,
        label: impl Into<String>,
    ) -> Error {
        error_at_span(&self.text.name, &self.text.text, span, message, label)
    }

    fn unknown_key(&self, name: &str, known: &[&str]) -> Error {
        let tree = &self.text.tree;
        // serde reports the key itself as the path's last step.
        let span = if self.path.last() == Some(&PathStep::Key(name)) {
            tree.position(self.path).key
        } else {
            let key = tree.key_position(self.path, name);
            key.unwrap_or_else(|| tree.position(self.path).value)
        };
        let message = match self.owner() {
            Some(owner) => format!("{owner} has no key `{name}`"),
            None => format!("a spec has no key `{name}`"),
        };
        let error = self.error(span, message, unknown_label("key", name, known));
        match known {
            [] => error.help("it has no options: leave this out"),
            known => error.help(known_help("key", known)),
        }
    }

    fn unknown_name(&self, name: &str, known: &[&str]) -> Error {
        let tree = &self.text.tree;
        // With options, a method's name is a key: `- grad_cam: {…}`.
        let key = tree.key_position(self.path, name);
        let span = key.unwrap_or_else(|| tree.position(self.path).value);
        let what = match self.path {
            [PathStep::Key("methods"), ..] => "method",
            [PathStep::Key("checks"), ..] => "check",
            _ => "value",
        };
        let message = match (what, self.path.last()) {
            ("value", Some(PathStep::Key(key))) => {
                format!("`{key}` must be {}, got `{name}`", list_or(known))
            }
            _ => format!("there is no {what} `{name}`"),
        };
        let error = self.error(span, message, unknown_label(what, name, known));
        error.help(known_help(what, known))
    }

    /// What the path's last key belongs to, for a message; `None` for the spec itself.
    fn owner(&self) -> Option<String> {
        match self.path.split_last()?.1 {
            [.., PathStep::Key(key), PathStep::Index(_)] => Some(format!("an entry of `{key}`")),
            [.., PathStep::Key(key)] => Some(format!("`{key}`")),
            _ => None,
        }
    }

    fn missing_key(&self, key: &str) -> Error {
        let example = match key {
            "title" => "title: Where do two networks look?",
            "models" => "models: [resnet50, vgg16]",
            "images" => "images: [photos/cat.jpg]",
            "arch" => "arch: resnet50",
            _ => "",
        };
        let message = match self.path {
            [] => format!("the spec has no `{key}`"),
            [.., PathStep::Key(owner)] => format!("`{owner}` has no `{key}`"),
            [.., PathStep::Key(owner), PathStep::Index(_)] => {
                format!("an entry of `{owner}` must have `{key}`")
            }
            _ => format!("`{key}` is missing"),
        };
        let span = self.text.tree.position(self.path).value;
        let error = self.error(span, message, format!("`{key}` is missing"));
        if example.is_empty() {
            error
        } else {
            error.help(format!("add for example `{example}`"))
        }
    }

    fn wrong_type(&self, found: &str, expected: &str) -> Error {
        let (wanted, got) = (describe_expected(expected), describe_found(found));
        let message = match self.path {
            [.., PathStep::Key(key)] => format!("`{key}` must be {wanted}, got {got}"),
            [.., PathStep::Key(key), PathStep::Index(_)] => {
                format!("an entry of `{key}` must be {wanted}, got {got}")
            }
            _ => format!("a spec must be {wanted}, got {got}"),
        };
        let span = self.text.tree.position(self.path).value;
        let error = self.error(span, message, format!("this is {got}"));
        if expected == "a sequence" {
            error.help("write a list as `[a, b]`, or one entry a line after `- `")
        } else if self.path.is_empty() {
            error.help("a spec is a map with the keys `title`, `models` and `images`")
        } else {
            error
        }
    }

    /// A message of one of our `Deserialize` implementations. It names the wrong key, if one is wrong, in its first
    /// backticks, and has its help after `; `.
    fn other(&self, message: &str) -> Error {
        let tree = &self.text.tree;
        let named = message.split('`').nth(1).unwrap_or_default();
        let key = tree.key_position(self.path, named);
        let span = key.unwrap_or_else(|| tree.position(self.path).value);
        let (message, help) = match message.split_once("; ") {
            Some((message, help)) => (message, Some(help)),
            None => (message, None),
        };
        // An untagged enum says only what it expects.
        let message = match self.path.last() {
            Some(PathStep::Key(key)) if message.starts_with("a ") => {
                format!("`{key}` must be {message}")
            }
            _ => message.to_owned(),
        };
        let error = self.error(span, message, "here");
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

fn unknown_label(what: &str, name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("no such {what}"),
    }
}

fn known_help(what: &str, known: &[&str]) -> String {
    let names = |last| join_quoted(known, last);
    match known {
        [_] => format!("the only {what} is {}", names("and")),
        _ => format!("the {what}s are {}", names("and")),
    }
}

fn list_or(known: &[&str]) -> String {
    join_quoted(known, "or")
}

/// "`a`, `b` and `c`", where `conjunction` is "and".
fn join_quoted(names: &[&str], conjunction: &str) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {conjunction} {last}", rest.join(", ")),
        None => String::new(),
    }
}
