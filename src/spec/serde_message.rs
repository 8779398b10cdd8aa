//! The messages of serde's errors, taken apart, and what they name in the words of a spec.

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum SerdeMessage<'a> {
    UnknownKey {
        name: &'a str,
        known: Vec<&'a str>,
    },
    /// A name that an enum, or a list of methods or checks, doesn't have.
    UnknownName {
        name: &'a str,
        known: Vec<&'a str>,
    },
    MissingKey(&'a str),
    WrongType {
        found: &'a str,
        expected: &'a str,
    },
    /// A message of one of our own `Deserialize` implementations, or of the YAML parser.
    Other(&'a str),
}

impl<'a> SerdeMessage<'a> {
    /// Takes a message apart. Its sentences are fixed in the trait `serde::de::Error`; a test below confirms them.
    pub fn parse(message: &'a str) -> Self {
        if let Some(rest) = message.strip_prefix("unknown field ") {
            let (name, known) = unknown(rest);
            return SerdeMessage::UnknownKey { name, known };
        }
        if let Some(rest) = message.strip_prefix("unknown variant ") {
            let (name, known) = unknown(rest);
            return SerdeMessage::UnknownName { name, known };
        }
        if let Some(rest) = message.strip_prefix("missing field ") {
            return SerdeMessage::MissingKey(rest.trim_matches('`'));
        }
        for start in ["invalid type: ", "invalid value: ", "invalid length "] {
            let rest = message.strip_prefix(start);
            if let Some((found, expected)) = rest.and_then(|rest| rest.rsplit_once(", expected ")) {
                return SerdeMessage::WrongType { found, expected };
            }
        }
        SerdeMessage::Other(message)
    }
}

/// The name and the known names of "`titel`, expected one of `title`, `models`".
fn unknown(rest: &str) -> (&str, Vec<&str>) {
    let (name, known) = rest.split_once(", ").unwrap_or((rest, ""));
    let known = known.split('`').skip(1).step_by(2).collect();
    (name.trim_matches('`'), known)
}

/// The message `full` of `error` without the path before it and the position after it.
pub(super) fn without_position<'a>(full: &'a str, error: &serde_yaml::Error) -> &'a str {
    let Some(location) = error.location() else {
        return full;
    };
    let position = format!(" at line {} column {}", location.line(), location.column());
    let message = full.rfind(&position).map_or(full, |at| &full[..at]);
    // `models[0].preprocess: unknown field …`
    match message.split_once(": ") {
        Some((path, rest)) if !path.contains([' ', '`']) => rest,
        _ => message,
    }
}

/// What serde expected, in the words of a spec.
pub(super) fn describe_expected(expected: &str) -> String {
    match expected {
        "usize" | "u64" | "u32" => "a whole number, 0 or more".into(),
        "f64" | "f32" => "a number".into(),
        "a boolean" => "`true` or `false`".into(),
        "a string" | "path string" => "text".into(),
        "a sequence" => "a list".into(),
        "an array of length 3" => "a list of 3 numbers".into(),
        "an array of length 4" => "a list of 4 numbers".into(),
        _ if expected.starts_with("struct ") => "a map of keys and values".into(),
        _ if expected.starts_with("string or map") || expected.starts_with("enum ") => {
            "a name".into()
        }
        _ => expected.into(),
    }
}

/// What serde found, in the words of a spec.
pub(super) fn describe_found(found: &str) -> String {
    for (start, word) in [
        ("string ", "the text "),
        ("integer ", "the number "),
        ("floating point ", "the number "),
        ("boolean ", ""),
    ] {
        if let Some(rest) = found.strip_prefix(start) {
            let value = rest.trim_matches(['`', '"']);
            return format!("{word}`{}`", shorten(value));
        }
    }
    match found {
        "unit value" | "Option value" => "nothing".into(),
        "sequence" => "a list".into(),
        "map" | "newtype struct" => "a map".into(),
        _ => match found.parse::<usize>() {
            Ok(length) => format!("a list of {length}"),
            Err(_) => found.into(),
        },
    }
}

fn shorten(value: &str) -> String {
    match value.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::SerdeMessage;
    use serde::de::Error as _;
    use serde::de::value::Error as Serde;

    #[test]
    fn messages_are_those_of_serde() {
        let known = &["title", "models"];
        let message = Serde::unknown_field("titel", known).to_string();
        let expected = SerdeMessage::UnknownKey {
            name: "titel",
            known: known.to_vec(),
        };
        assert_eq!(SerdeMessage::parse(&message), expected);
        let message = Serde::unknown_variant("x", &["a", "b", "c"]).to_string();
        let expected = SerdeMessage::UnknownName {
            name: "x",
            known: vec!["a", "b", "c"],
        };
        assert_eq!(SerdeMessage::parse(&message), expected);
        let message = Serde::missing_field("title").to_string();
        let expected = SerdeMessage::MissingKey("title");
        assert_eq!(SerdeMessage::parse(&message), expected);
        let message = Serde::invalid_type(serde::de::Unexpected::Seq, &"u64").to_string();
        let expected = SerdeMessage::WrongType {
            found: "sequence",
            expected: "u64",
        };
        assert_eq!(SerdeMessage::parse(&message), expected);
        let message = serde_yaml::from_str::<crate::image::Interpolation>("nearest")
            .unwrap_err()
            .to_string();
        assert!(
            message.starts_with("unknown variant `nearest`"),
            "{message}"
        );
    }
}
