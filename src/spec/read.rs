//! From text to an [`Experiment`], and from serde's complaints to messages that help.

use serde_path_to_error::Segment;

use super::Experiment;
use super::source::{Step, Tree, pointing, tab_indent};
use crate::error::{Error, ErrorKind, Result, nearest};

/// Reads `text`, which stands in the file `name`; what its values mean is not looked at here.
pub(super) fn read(name: &str, text: &str, tree: &Tree) -> Result<Experiment> {
    let yaml = serde_yaml::Deserializer::from_str(text);
    serde_path_to_error::deserialize(yaml).map_err(|error| {
        let path: Vec<Step> = error.path().iter().filter_map(step).collect();
        explain(name, text, tree, &path, error.inner())
    })
}

fn step(segment: &Segment) -> Option<Step<'_>> {
    match segment {
        Segment::Seq { index } => Some(Step::Index(*index)),
        Segment::Map { key } => Some(Step::Key(key)),
        _ => None,
    }
}

/// What serde says, taken apart.
#[derive(Debug, PartialEq, Eq)]
enum Complaint<'a> {
    Unknown {
        what: &'static str,
        name: &'a str,
        known: Vec<&'a str>,
    },
    Missing(&'a str),
    Wrong {
        found: &'a str,
        expected: &'a str,
    },
    Other(&'a str),
}

impl<'a> Complaint<'a> {
    /// serde's sentences are fixed in its trait `de::Error`; a test below holds them.
    fn of(message: &'a str) -> Self {
        let quoted =
            |text: &'a str| -> Vec<&'a str> { text.split('`').skip(1).step_by(2).collect() };
        for (start, what) in [("unknown field ", "key"), ("unknown variant ", "name")] {
            if let Some(rest) = message.strip_prefix(start) {
                let (name, known) = rest.split_once(", ").unwrap_or((rest, ""));
                let name = name.trim_matches('`');
                let known = quoted(known);
                return Complaint::Unknown { what, name, known };
            }
        }
        if let Some(rest) = message.strip_prefix("missing field ") {
            return Complaint::Missing(rest.trim_matches('`'));
        }
        for start in ["invalid type: ", "invalid value: ", "invalid length "] {
            let rest = message.strip_prefix(start);
            if let Some((found, expected)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) {
                return Complaint::Wrong { found, expected };
            }
        }
        Complaint::Other(message)
    }
}

fn explain(name: &str, text: &str, tree: &Tree, path: &[Step], error: &serde_yaml::Error) -> Error {
    let full = error.to_string();
    let message = bare(&full, error);
    let found = tree.find(path);
    if found.steps < path.len() {
        // The two parsers read the text differently; serde's own place is the best there is.
        let at = error.location().map_or(0, |location| location.index());
        return pointing(name, text, at..at, message, "here");
    }
    let context = Context {
        name,
        text,
        tree,
        path,
    };
    match Complaint::of(message) {
        Complaint::Unknown {
            what,
            name: wrong,
            known,
        } => context.unknown(what, wrong, &known),
        Complaint::Missing(key) => context.missing(key),
        Complaint::Wrong { found, expected } => context.wrong(found, expected),
        Complaint::Other(_) if path.is_empty() => {
            if let Some(error) = tab_indent(name, text) {
                return error;
            }
            let at = error.location().map_or(0, |location| location.index());
            let message = format!("{name} is not YAML: {message}");
            pointing(name, text, at..at, message, "here")
        }
        Complaint::Other(message) => context.other(message),
    }
}

/// serde_yaml's message without the path before it and the place behind it.
fn bare<'a>(full: &'a str, error: &serde_yaml::Error) -> &'a str {
    let Some(location) = error.location() else {
        return full;
    };
    let place = format!(" at line {} column {}", location.line(), location.column());
    let message = full.rfind(&place).map_or(full, |at| &full[..at]);
    // `models[0].preprocess: unknown field …`
    match message.split_once(": ") {
        Some((path, rest)) if !path.contains([' ', '`']) => rest,
        _ => message,
    }
}

struct Context<'a> {
    name: &'a str,
    text: &'a str,
    tree: &'a Tree,
    path: &'a [Step<'a>],
}

impl Context<'_> {
    fn at(&self, span: std::ops::Range<usize>, message: String, label: impl Into<String>) -> Error {
        pointing(self.name, self.text, span, message, label)
    }

    fn unknown(&self, what: &str, wrong: &str, known: &[&str]) -> Error {
        let last = self.path.last() == Some(&Step::Key(wrong));
        let found = self.tree.find(self.path);
        // A key that serde did not know is the path's last step; a method's name is a key below it.
        let span = match (what, self.tree.key_in(self.path, wrong)) {
            ("key", _) if last => found.key,
            (_, Some(key)) => key,
            _ => found.value,
        };
        let what = match (what, self.path) {
            ("name", [Step::Key("methods"), ..]) => "method",
            _ => what,
        };
        let near = nearest(wrong, known.iter().copied());
        let label = near.map_or_else(
            || format!("no such {what}"),
            |near| format!("did you mean `{near}`?"),
        );
        let message = match (what, self.owner()) {
            ("key", Some(owner)) => format!("{owner} has no key `{wrong}`"),
            ("name", _) => match self.path.last() {
                Some(Step::Key(key)) => format!("`{key}` can't be `{wrong}`"),
                _ => format!("there is no `{wrong}`"),
            },
            _ => format!("there is no {what} `{wrong}`"),
        };
        let error = self.at(span, message, label);
        match known {
            [] => error.help("it takes no options: leave this out"),
            [one] => error.help(format!("the only one is `{one}`")),
            _ => error.help(format!("known are {}", listed(known))),
        }
    }

    /// What the path's last key is in, in words; nothing for the spec itself.
    fn owner(&self) -> Option<String> {
        match self.path.split_last()?.1 {
            [.., Step::Key(key), Step::Index(_)] => Some(format!("an entry of `{key}`")),
            [.., Step::Key(key)] => Some(format!("`{key}`")),
            _ => None,
        }
    }

    fn missing(&self, key: &str) -> Error {
        let found = self.tree.find(self.path);
        // The map's first key stands for the map.
        let first = found.value.start;
        let example = match key {
            "title" => "title: Where do two networks look?",
            "models" => "models: [resnet50, vgg16]",
            "images" => "images: [photos/cat.jpg]",
            "arch" => "arch: resnet50",
            _ => "",
        };
        let message = match self.path.last() {
            None => format!("the spec has no `{key}`"),
            Some(_) => format!("`{key}` is missing here"),
        };
        let error = self.at(
            first..found.value.end,
            message,
            format!("`{key}` is missing"),
        );
        match example {
            "" => error,
            example => error.help(format!("add for example `{example}`")),
        }
    }

    fn wrong(&self, found: &str, expected: &str) -> Error {
        let place = self.tree.find(self.path);
        let (wanted, got) = (wanted(expected), got(found));
        let message = match self.path {
            [.., Step::Key(key)] => format!("`{key}` wants {wanted}, not {got}"),
            [.., Step::Key(key), Step::Index(_)] => {
                format!("an entry of `{key}` is {wanted}, not {got}")
            }
            _ => format!("here belongs {wanted}, not {got}"),
        };
        let error = self.at(place.value, message, format!("this is {got}"));
        let one = matches!(
            self.path.last(),
            Some(Step::Key(
                "models" | "images" | "classes" | "methods" | "layers" | "pick"
            ))
        );
        match expected {
            "a sequence" if one => {
                error.help("a list is written `[a, b]`, or one entry a line after `- `")
            }
            _ if self.path.is_empty() => {
                error.help("a spec is a map with the keys `title`, `models` and `images`")
            }
            _ => error,
        }
    }

    /// A message of our own types: it names the key that is wrong, if one is, in its first quotes.
    fn other(&self, message: &str) -> Error {
        let named = message.split('`').nth(1).unwrap_or_default();
        let span = self
            .tree
            .key_in(self.path, named)
            .unwrap_or_else(|| self.tree.find(self.path).value);
        let (message, help) = match message.split_once("; ") {
            Some((message, help)) => (message, Some(help)),
            None => (message, None),
        };
        // An untagged enum says only what it expects.
        let message = match self.path.last() {
            Some(Step::Key(key)) if message.starts_with("a ") => format!("`{key}` wants {message}"),
            _ => message.to_owned(),
        };
        let error = self.at(span, message, "here");
        match help {
            Some(help) => error.help(help),
            None => error,
        }
    }
}

/// `a`, `b` and `c`
pub(super) fn listed(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// serde's `expected …` in words of the spec.
fn wanted(expected: &str) -> String {
    match expected {
        "usize" | "u64" | "u32" => "a whole number, 0 or more".into(),
        "f64" | "f32" => "a number".into(),
        "a string" | "path string" => "text".into(),
        "a sequence" => "a list".into(),
        "an array of length 3" => "a list of three numbers".into(),
        _ if expected.starts_with("struct ") => "a map of keys and values".into(),
        _ if expected.starts_with("string or map") || expected.starts_with("enum ") => {
            "a name".into()
        }
        _ => expected.into(),
    }
}

/// serde's description of what stands there, in words of the spec.
fn got(found: &str) -> String {
    for (start, word) in [
        ("string ", "the text "),
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", ""),
    ] {
        if let Some(rest) = found.strip_prefix(start) {
            let value = rest.trim_matches(['`', '"']);
            return format!("{word}`{}`", shortened(value));
        }
    }
    match found {
        "unit value" | "Option value" => "nothing".into(),
        "sequence" => "a list".into(),
        "map" | "newtype struct" => "a map".into(),
        _ => match found.parse::<usize>() {
            Ok(count) => format!("a list of {count}"),
            Err(_) => found.into(),
        },
    }
}

fn shortened(value: &str) -> String {
    match value.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

/// The file's bytes as text.
///
/// # Errors
/// [`ErrorKind::Spec`] with the line, if they are not UTF-8.
pub(super) fn utf8(name: &str, bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = 1 + error.as_bytes()[..good]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        let message = format!("{name} is not UTF-8 text (line {line})");
        Error::new(ErrorKind::Spec, message)
            .help("save it as UTF-8; a spec is YAML text, not a picture or a weight file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::de::Error as _;
    use serde::de::value::Error as Serde;

    #[test]
    fn serdes_sentences_are_as_we_read_them() {
        let known = &["title", "models"];
        let message = Serde::unknown_field("titel", known).to_string();
        let expected = Complaint::Unknown {
            what: "key",
            name: "titel",
            known: known.to_vec(),
        };
        assert_eq!(Complaint::of(&message), expected);
        let message = Serde::unknown_variant("x", &["a", "b", "c"]).to_string();
        let expected = Complaint::Unknown {
            what: "name",
            name: "x",
            known: vec!["a", "b", "c"],
        };
        assert_eq!(Complaint::of(&message), expected);
        let message = Serde::missing_field("title").to_string();
        assert_eq!(Complaint::of(&message), Complaint::Missing("title"));
        let message = Serde::invalid_type(serde::de::Unexpected::Seq, &"u64").to_string();
        let expected = Complaint::Wrong {
            found: "sequence",
            expected: "u64",
        };
        assert_eq!(Complaint::of(&message), expected);
        let message = serde_yaml::from_str::<crate::image::Interpolation>("nearest")
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("unknown variant `nearest`"),
            "{message}"
        );
    }
}
