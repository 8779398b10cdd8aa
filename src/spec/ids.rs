//! The ids of models and images: each is unique and can be part of a tensor's key.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

/// Whether `id` can be part of a key: letters, digits, `_`, `-` and `.`, not `_` first (the run's own keys begin so),
/// and not dots alone.
pub fn is_valid_id(id: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    id.chars().all(allowed) && !id.starts_with('_') && id.chars().any(|c| c != '.')
}

/// An id made from any text: every run of characters that an id can't have becomes one `-`.
///
/// `my photo (2)` becomes `my-photo-2`; a text without a letter or a digit becomes `unnamed`.
pub fn id_from_text(text: &str) -> String {
    let mut id = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') {
            id.push(c);
        } else if !id.ends_with('-') {
            id.push('-');
        }
    }
    let id = id.trim_matches(['-', '_', '.']);
    if id.is_empty() {
        "unnamed".into()
    } else {
        id.into()
    }
}

/// The default id of an image: made from its file's stem.
pub fn id_from_path(path: &Path) -> String {
    id_from_text(&path.file_stem().unwrap_or_default().to_string_lossy())
}

/// One id for each entry, in order, from its explicit id and its default. An explicit id is kept. A default gets `-2`,
/// `-3` … where it is taken by an entry before it or by an explicit id anywhere.
///
/// Explicit ids must be distinct; [`SpecFile`](super::SpecFile) checks that.
pub fn unique_ids<'a>(entries: impl IntoIterator<Item = (Option<&'a str>, String)>) -> Vec<String> {
    let entries: Vec<(Option<&str>, String)> = entries.into_iter().collect();
    let explicit = entries.iter().filter_map(|(id, _)| *id);
    let mut taken: BTreeSet<String> = explicit.map(str::to_owned).collect();
    let mut ids = Vec::with_capacity(entries.len());
    // The last number of each default: thousands of folders may have files of the same names.
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for (explicit, default) in entries {
        let id = match explicit {
            Some(id) => id.to_owned(),
            None if !taken.contains(&default) => default,
            None => {
                let last = numbers.entry(default.clone()).or_insert(1);
                loop {
                    *last += 1;
                    let numbered = format!("{default}-{last}");
                    if !taken.contains(&numbered) {
                        break numbered;
                    }
                }
            }
        };
        taken.insert(id.clone());
        ids.push(id);
    }
    ids
}
