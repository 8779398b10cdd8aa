//! The ids of networks and pictures: fit for a tensor's key, and each only once.

use std::collections::BTreeSet;
use std::path::Path;

/// Whether `id` can stand in a key: letters, digits, `_`, `-` and `.`, not `_` first (the run's own
/// keys begin so), at least one that is no dot.
pub fn is_id(id: &str) -> bool {
    let fit = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    id.chars().all(fit) && !id.starts_with('_') && id.chars().any(|c| c != '.')
}

/// An id made from any text: what is not fit becomes `-`, once for a whole stretch.
///
/// `my photo (2)` becomes `my-photo-2`; text without a single letter or digit becomes `unnamed`.
pub fn id_from(text: &str) -> String {
    let mut id = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            _ if c.is_ascii_alphanumeric() || matches!(c, '_' | '.') => id.push(c),
            _ if !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    let id = id.trim_matches(['-', '_', '.']);
    if id.is_empty() {
        "unnamed".into()
    } else {
        id.into()
    }
}

/// The id of a picture by default: its file's stem.
pub fn id_of_file(path: &Path) -> String {
    id_from(&path.file_stem().unwrap_or_default().to_string_lossy())
}

/// One id for each entry, in order: the explicit one as it is, else the default, with `-2`, `-3`
/// where it is taken by an entry before or by an explicit id anywhere.
///
/// Explicit ids are taken to be distinct; [`SpecFile`](super::SpecFile) checks that.
pub fn unique_ids<'a>(entries: impl IntoIterator<Item = (Option<&'a str>, String)>) -> Vec<String> {
    let entries: Vec<(Option<&str>, String)> = entries.into_iter().collect();
    let explicit = entries.iter().filter_map(|(id, _)| *id);
    let mut taken: BTreeSet<String> = explicit.map(str::to_owned).collect();
    let mut ids = Vec::with_capacity(entries.len());
    for (explicit, default) in entries {
        let id = match explicit {
            Some(id) => id.to_owned(),
            None => (1..)
                .map(|number| match number {
                    1 => default.clone(),
                    _ => format!("{default}-{number}"),
                })
                .find(|id| !taken.contains(id))
                .unwrap_or(default),
        };
        taken.insert(id.clone());
        ids.push(id);
    }
    ids
}
