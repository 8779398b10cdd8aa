//! Reads on after a mistake: the parts of a spec that can't be read are left out, so that the mistakes in the others are found in
//! the same call.
//!
//! serde stops at the first value of a wrong type. Its entry is then taken out of the parsed value, and the rest is read again.

use serde_yaml::Value;

use super::deserialize::{Fault, deserialize};
use super::experiment::ExperimentSpec;
use super::spec_text::SpecText;
use super::yaml_tree::PathStep;
use crate::error::{Error, Mistakes, Result};

/// From here on a spec is something else, and not read on.
const MOST: usize = 50;

/// Reads the experiment without the parts that can't be read, which `text` then names and `mistakes` explains.
///
/// # Errors
/// For mistakes after which nothing can be read.
pub(super) fn read(text: &mut SpecText, mistakes: &mut Mistakes) -> Result<ExperimentSpec> {
    let yaml = serde_yaml::Deserializer::from_str(&text.text);
    let mut failure = match deserialize(text, yaml) {
        Ok(experiment) => return Ok(experiment),
        Err(failure) => failure,
    };
    let mut value = serde_yaml::from_str(&text.text).unwrap_or(Value::Null);
    loop {
        // The key is there, with a letter too many.
        let is_misspelt = |key: &String| text.unread.keys.contains(key);
        let follows = matches!(&failure.fault, Some(Fault::MissingKey(key)) if is_misspelt(key));
        let left_out = match failure.fault {
            Some(fault) if mistakes.len() < MOST => leave_out(&mut value, fault, text),
            _ => false,
        };
        if !follows {
            mistakes.add(Err(failure.error))?;
        }
        if !left_out {
            return Err(all(mistakes));
        }
        failure = match deserialize(text, value.clone()) {
            Ok(experiment) => return Ok(experiment),
            Err(failure) => failure,
        };
    }
}

fn all(mistakes: &mut Mistakes) -> Error {
    let all = std::mem::take(mistakes).into_result();
    all.expect_err("there is a mistake")
}

/// Takes what is wrong out of `value` and notes it in `text`; `false` if the value has no such part.
fn leave_out(value: &mut Value, fault: Fault, text: &mut SpecText) -> bool {
    let Value::Mapping(keys) = value else {
        return false;
    };
    match fault {
        Fault::Entry(list, index) => {
            let Some(Value::Sequence(entries)) = keys.get_mut(list.as_str()) else {
                return leave_out(value, Fault::Value(list), text);
            };
            if index >= entries.len() {
                return false;
            }
            entries.remove(index);
            let path = [PathStep::Key(&list), PathStep::Index(index)];
            let path = text.unread.path_in_text(&path);
            let &[_, PathStep::Index(index)] = &path[..] else {
                return false;
            };
            text.unread.entries.entry(list).or_default().insert(index);
            true
        }
        Fault::Value(key) => {
            let known = keys.remove(key.as_str()).is_some();
            if let Some(substitute) = substitute(&key) {
                keys.insert(key.as_str().into(), substitute);
            }
            text.unread.keys.insert(key);
            known
        }
        Fault::UnknownKey(key, meant) => {
            text.unread.keys.extend(meant);
            keys.remove(key.as_str()).is_some()
        }
        Fault::MissingKey(key) => {
            let Some(substitute) = substitute(&key) else {
                return false;
            };
            keys.insert(key.as_str().into(), substitute);
            text.unread.keys.insert(key);
            true
        }
    }
}

/// A value for a key that every experiment must have.
fn substitute(key: &str) -> Option<Value> {
    match key {
        "title" => Some(Value::from("untitled")),
        "models" => Some(Value::Sequence(Vec::new())),
        _ => None,
    }
}
