//! `--set KEY=VALUE`: a value worked into the spec's text before it is read.
//!
//! The text itself is changed, not the parsed tree: so every later error still points into a text
//! that says what was run, with its comments and its lines.

use super::source::{Shape, Step, Tree};
use crate::error::{Error, ErrorKind, Result};

/// `text` with one `KEY=VALUE` worked in.
///
/// # Errors
/// [`ErrorKind::Usage`], naming the flag: no `=`, a value that is not YAML, a path that leads
/// nowhere. What the changed text then means is for the reader to judge.
pub(super) fn apply(name: &str, text: &str, set: &str) -> Result<String> {
    let flag = Flag { set, name };
    let (key, value) = set.split_once('=').ok_or_else(|| {
        flag.error(
            "it has no `=`",
            "write `--set KEY=VALUE`, for example `--set seed=3`",
        )
    })?;
    let steps: Vec<&str> = key.trim().split('.').collect();
    if steps.iter().any(|step| step.is_empty()) {
        return Err(flag.error(
            "a part of the key is empty",
            "a key is a path with dots: `models.0.weights`",
        ));
    }
    let value: serde_json::Value = serde_yaml::from_str(value).map_err(|error| {
        flag.error(
            "the value is not YAML",
            "put quotes around text with special characters: `--set 'title=\"a: b\"'`",
        )
        .because(error)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tree = Tree::parse(name, text)?;
    let mut path: Vec<Step> = Vec::new();
    for (at, step) in steps.iter().enumerate() {
        match tree.shape(&path) {
            Shape::Map { keys, flow } => {
                path.push(Step::Key(step));
                if !keys.iter().any(|key| key == step) {
                    let value = nested(&steps[at + 1..], value, &flag)?;
                    let map = tree.find(&path[..at]).value.start;
                    return Ok(insert(text, map, flow, keys.is_empty(), step, &value));
                }
            }
            Shape::List(count) => {
                let index = step.parse().ok().filter(|index| *index < count);
                let index = index.ok_or_else(|| {
                    let list = if at == 0 {
                        "the spec".into()
                    } else {
                        format!("`{}`", steps[..at].join("."))
                    };
                    let places = match count {
                        0 => "is empty".into(),
                        1 => "has one entry, 0".into(),
                        _ => format!("has the entries 0 to {}", count - 1),
                    };
                    flag.error(
                        &format!("{list} is a list without an entry `{step}`"),
                        &format!("it {places}"),
                    )
                })?;
                path.push(Step::Index(index));
            }
            Shape::Scalar(short) => {
                let value = nested(&steps[at..], value, &flag)?;
                let long = lengthen(&path, &short, &value).ok_or_else(|| {
                    let place = format!("`{}` is no map or list", steps[..at].join("."));
                    flag.error(
                        &format!("{place}, so there is no `{step}` in it"),
                        "set the whole value",
                    )
                })?;
                return Ok(replace(text, tree.find(&path).value, &long));
            }
            Shape::Alias => {
                let place = format!("`{}` is an alias", steps[..at].join("."));
                return Err(flag.error(&place, "set the value at its anchor"));
            }
        }
    }
    Ok(replace(text, tree.find(&path).value, &value))
}

/// The long form of a short entry (`resnet50`, `photos/cat.jpg`, `grad_cam`, or nothing) with
/// `value` in it.
fn lengthen(path: &[Step], short: &str, value: &serde_json::Value) -> Option<serde_json::Value> {
    let key = match path {
        [Step::Key("models"), Step::Index(_)] => "arch",
        [Step::Key("images"), Step::Index(_)] => "path",
        [Step::Key("collection")] | [Step::Key("collection"), Step::Index(_)] => "dir",
        [Step::Key("methods"), Step::Index(_)] => {
            let options = value.as_object()?;
            return options.contains_key(short).then(|| value.clone());
        }
        _ => return short.is_empty().then(|| value.clone()),
    };
    let mut map = serde_json::Map::new();
    map.insert(key.into(), short.into());
    map.extend(value.as_object()?.clone());
    Some(map.into())
}

/// `value` below the keys that the file does not have yet.
fn nested(keys: &[&str], value: serde_json::Value, flag: &Flag) -> Result<serde_json::Value> {
    let mut value = value;
    for key in keys.iter().rev() {
        if key.chars().all(|c| c.is_ascii_digit()) {
            let message = format!("there is no list that `{key}` could be a place in");
            return Err(flag.error(&message, "set the whole list: `--set 'classes=[label]'`"));
        }
        value = serde_json::json!({ *key: value });
    }
    Ok(value)
}

/// Puts `value` (JSON, which is YAML too) in place of a stretch of text.
fn replace(text: &str, span: std::ops::Range<usize>, value: &serde_json::Value) -> String {
    let (before, after) = (&text[..span.start], &text[span.end..]);
    let gap = if before.ends_with([':', '-']) {
        " "
    } else {
        ""
    };
    format!("{before}{gap}{value}{after}")
}

/// Puts a new entry first into the map that begins at `start`.
fn insert(
    text: &str,
    start: usize,
    flow: bool,
    empty: bool,
    key: &str,
    value: &serde_json::Value,
) -> String {
    let plain = key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let key = match plain {
        true => key.to_owned(),
        false => serde_json::Value::from(key).to_string(),
    };
    let (start, end) = if flow {
        (start + 1, if empty { String::new() } else { ", ".into() })
    } else {
        let line = text[..start].rfind('\n').map_or(0, |newline| newline + 1);
        (
            start,
            format!("\n{}", " ".repeat(text[line..start].chars().count())),
        )
    };
    format!("{}{key}: {value}{end}{}", &text[..start], &text[start..])
}

struct Flag<'a> {
    set: &'a str,
    name: &'a str,
}

impl Flag<'_> {
    fn error(&self, why: &str, help: &str) -> Error {
        let message = format!(
            "`--set {}` can't be worked into {}: {why}",
            self.set, self.name
        );
        Error::new(ErrorKind::Usage, message).help(help)
    }
}
