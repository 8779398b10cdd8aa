//! `--set KEY=VALUE`: values that are written into the text of a spec before it is read.
//!
//! The text is changed, not the parsed tree, so that every error after that points into a text that says what was run,
//! with its comments and lines.

use std::ops::Range;

use serde_json::Value;

use super::model_spec::ModelSpec;
use super::yaml_parser;
use super::yaml_tree::{PathStep, ValueKind, YamlTree};
use crate::error::{Error, ErrorKind, Result};

/// `text`, the content of the file `name`, with the value of `key_value` (`KEY=VALUE`) in it.
///
/// # Errors
/// [`ErrorKind::Usage`]: no `=`, a value that is not YAML, or a key that leads nowhere. Whether the changed text is a
/// valid spec is not checked here.
pub(super) fn apply(name: &str, text: &str, key_value: &str) -> Result<String> {
    let flag = SetFlag { key_value, name };
    let (key, value) = flag.parse()?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let tree = yaml_parser::parse(name, text)?;
    let mut path: Vec<PathStep> = Vec::new();
    for (depth, step) in key.iter().enumerate() {
        let owner = &key[..depth];
        match tree.kind(&path) {
            ValueKind::Mapping { keys, flow } => {
                if !keys.iter().any(|known| known == step) {
                    let value = flag.nest(&key[depth + 1..], value)?;
                    let mapping = OpenMapping {
                        start: tree.position(&path).value.start,
                        flow,
                        empty: keys.is_empty(),
                    };
                    return Ok(mapping.insert(text, step, &value));
                }
                path.push(PathStep::Key(step));
            }
            ValueKind::Sequence(count) => {
                path.push(PathStep::Index(flag.index(owner, step, count)?));
            }
            ValueKind::Scalar(short) => {
                let value = flag.nest(&key[depth..], value)?;
                let long = long_form(&path, &short, &value).ok_or_else(|| {
                    let owner = owner.join(".");
                    flag.error(
                        &format!("`{owner}` is no map or list, so it has no `{step}`"),
                        "set the whole value",
                    )
                })?;
                return Ok(replace(text, &tree, &path, &long));
            }
            ValueKind::Alias => {
                let reason = format!("`{}` is an alias", owner.join("."));
                return Err(flag.error(&reason, "set the value at its anchor"));
            }
        }
    }
    Ok(replace(text, &tree, &path, &value))
}

/// A `--set` and the file that it changes, for its errors.
struct SetFlag<'a> {
    key_value: &'a str,
    name: &'a str,
}

impl<'a> SetFlag<'a> {
    /// The parts of the key, and the value.
    fn parse(&self) -> Result<(Vec<&'a str>, Value)> {
        let (key, value) = self.key_value.split_once('=').ok_or_else(|| {
            self.error(
                "it has no `=`",
                "write `--set KEY=VALUE`, for example `--set seed=3`",
            )
        })?;
        let key: Vec<&str> = key.trim().split('.').collect();
        if key.contains(&"") {
            return Err(self.error(
                "a part of the key is empty",
                "a key is a path with dots: `models.0.weights`",
            ));
        }
        let value = serde_yaml::from_str(value).map_err(|error| {
            self.error(
                "the value is not YAML",
                "put quotes around text with special characters: `--set 'title=\"a: b\"'`",
            )
            .caused_by(error)
        })?;
        Ok((key, value))
    }

    /// The part of a key as an index into the list `owner`, which has `count` entries.
    fn index(&self, owner: &[&str], part: &str, count: usize) -> Result<usize> {
        match part.parse() {
            Ok(index) if index < count => Ok(index),
            _ => {
                let list = if owner.is_empty() {
                    "the spec".into()
                } else {
                    format!("`{}`", owner.join("."))
                };
                let entries = match count {
                    0 => "it is empty".into(),
                    1 => "it has one entry, 0".into(),
                    _ => format!("it has the entries 0 to {}", count - 1),
                };
                let reason = format!("{list} is a list without an entry `{part}`");
                Err(self.error(&reason, &entries))
            }
        }
    }

    /// `value` inside a map for each of `keys`, which the file does not have yet.
    fn nest(&self, keys: &[&str], mut value: Value) -> Result<Value> {
        for key in keys.iter().rev() {
            if key.chars().all(|c| c.is_ascii_digit()) {
                let reason = format!("there is no list that could have an entry `{key}`");
                let help = "set the whole list: `--set 'classes=[label]'`";
                return Err(self.error(&reason, help));
            }
            value = serde_json::json!({ *key: value });
        }
        Ok(value)
    }

    fn error(&self, reason: &str, help: &str) -> Error {
        let message = format!(
            "`--set {}` can't be applied to {}: {reason}",
            self.key_value, self.name
        );
        Error::new(ErrorKind::Usage, message).help(help)
    }
}

/// The long form of a short entry (`resnet50`, `photos/cat.jpg`, `grad_cam`, or an absent value) with the keys of `value`
/// in it. `None` where the value at `path` has no long form.
fn long_form(path: &[PathStep], short: &str, value: &Value) -> Option<Value> {
    let key = match path {
        [PathStep::Key("models"), PathStep::Index(_)] => {
            let mut model = serde_json::to_value(ModelSpec::new(short)).ok()?;
            model.as_object_mut()?.extend(value.as_object()?.clone());
            return Some(model);
        }
        [PathStep::Key("images"), PathStep::Index(_)] => "path",
        [PathStep::Key("collection")] | [PathStep::Key("collection"), PathStep::Index(_)] => "dir",
        [PathStep::Key("methods"), PathStep::Index(_)] => {
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

/// Writes `value` as JSON, which is YAML too, in place of the value at `path`.
fn replace(text: &str, tree: &YamlTree, path: &[PathStep], value: &Value) -> String {
    let Range { start, end } = tree.position(path).value;
    let (before, after) = (&text[..start], &text[end..]);
    let space = if before.ends_with([':', '-']) {
        " "
    } else {
        ""
    };
    format!("{before}{space}{value}{after}")
}

/// A mapping that gets a new key.
struct OpenMapping {
    /// The byte at which it starts.
    start: usize,
    /// Whether it is in braces.
    flow: bool,
    empty: bool,
}

impl OpenMapping {
    /// Writes the new key first into the mapping.
    fn insert(&self, text: &str, key: &str, value: &Value) -> String {
        let plain = key.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        let key = if plain {
            key.to_owned()
        } else {
            Value::from(key).to_string()
        };
        let (start, end) = if self.flow {
            let end = if self.empty { "" } else { ", " };
            (self.start + 1, end.to_owned())
        } else {
            let before = &text[..self.start];
            let line = before.rfind('\n').map_or(0, |newline| newline + 1);
            let indent = " ".repeat(before[line..].chars().count());
            (self.start, format!("\n{indent}"))
        };
        format!("{}{key}: {value}{end}{}", &text[..start], &text[start..])
    }
}
