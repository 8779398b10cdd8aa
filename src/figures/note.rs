//! A sentence of the report, named by its key in the word files, so that a result is the same in every language.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A sentence of the report: its key in the word files, and the values of its placeholders.
#[derive(Debug, Clone, Serialize, Deserialize, PartialEq)]
pub struct Note {
    /// The key in the word files: `note.no_relu`.
    pub key: String,
    /// The values of the placeholders by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub values: BTreeMap<String, String>,
}

impl Note {
    /// A sentence without placeholders.
    pub fn new(key: &str) -> Self {
        Note {
            key: key.to_owned(),
            values: BTreeMap::new(),
        }
    }

    /// The same sentence with a value for the placeholder `name`.
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.values.insert(name.to_owned(), value.to_string());
        self
    }
}
