//! What a user should know of a network before reading its results: what was assumed, found or left off.

use serde::{Deserialize, Serialize};

use crate::figures::Note;

/// A sentence about a network, in English, and its key and values for other languages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkNote {
    /// The key in the word files of other languages, `network_note.KEY`, and the values of its placeholders.
    #[serde(flatten)]
    pub note: Note,
    /// The sentence in English.
    pub text: String,
}

impl NetworkNote {
    /// The sentence `text` under `network_note.KEY`; placeholders such as `{outputs}` in the text are filled in from `values`.
    pub fn new(key: &str, text: &str, values: &[(&str, &dyn ToString)]) -> Self {
        let mut note = Note::new(&format!("network_note.{key}"));
        let mut text = text.to_owned();
        for (name, value) in values {
            let value = value.to_string();
            text = text.replace(&format!("{{{name}}}"), &value);
            note = note.with(name, value);
        }
        NetworkNote { note, text }
    }
}
