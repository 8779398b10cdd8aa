//! The text of a spec with the positions of its values, for errors that point at them.

use std::collections::{BTreeMap, BTreeSet};

use super::serde_message::without_position;
use super::text_error::{error_at_span, last_visible, tab_error};
use super::yaml_tree::{PathStep, ValuePosition, YamlContent, YamlNode, YamlTree};
use super::{parser_agreement, yaml_parser};
use crate::error::{Error, ErrorKind, Result};

/// The text of a spec, its name, and the positions of its keys and values.
#[derive(Debug, Clone)]
pub(super) struct SpecText {
    /// The name of the text in errors.
    pub name: String,
    /// The YAML.
    pub text: String,
    pub tree: YamlTree,
    /// What could not be read, so that the experiment does not have it.
    pub unread: Unread,
}

/// The parts of a spec that could not be read: the experiment has the rest.
#[derive(Debug, Clone, Default)]
pub(super) struct Unread {
    /// By list, the positions of entries, ascending.
    pub entries: BTreeMap<String, BTreeSet<usize>>,
    /// Whole keys.
    pub keys: BTreeSet<String>,
}

impl Unread {
    /// Whether something of the value of a key of the spec is missing in the experiment.
    pub fn is_incomplete(&self, key: &str) -> bool {
        self.keys.contains(key) || self.entries.contains_key(key)
    }

    /// The path in the text, for a path in the experiment: entries that were left out count there.
    pub fn path_in_text<'a>(&self, path: &[PathStep<'a>]) -> Vec<PathStep<'a>> {
        let mut path = path.to_vec();
        if let [PathStep::Key(list), PathStep::Index(index), ..] = &mut path[..] {
            for left_out in self.entries.get(*list).into_iter().flatten() {
                *index += usize::from(left_out <= index);
            }
        }
        path
    }
}

impl SpecText {
    /// Parses `text`, the content of the file `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Spec`] with the position: not YAML, or YAML that a spec may not contain (see [`yaml_parser::parse`]).
    pub fn parse(name: &str, text: &str) -> Result<SpecText> {
        // Editors on Windows write a byte-order mark first.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let spec = SpecText {
            name: name.to_owned(),
            text: text.to_owned(),
            tree: yaml_parser::parse(name, text)?,
            unread: Unread::default(),
        };
        spec.check_agreement()?;
        Ok(spec)
    }

    /// Rejects a text that `serde_yaml` does not accept, or reads as other values than the tree has.
    fn check_agreement(&self) -> Result<()> {
        let value = serde_yaml::from_str(&self.text).map_err(|error| self.not_yaml(&error))?;
        parser_agreement::compare(&self.tree, &value).map_err(|node| {
            let span = self.tree.nodes[node].span.clone();
            let message = "this YAML is ambiguous: two parsers read it differently";
            error_at_span(&self.name, &self.text, span, message, "here")
                .help("write it more plainly, for example with quotes around the text")
        })
    }

    /// The error for a text that `serde_yaml` can't parse.
    fn not_yaml(&self, error: &serde_yaml::Error) -> Error {
        if let Some(error) = tab_error(&self.name, &self.text) {
            return error;
        }
        let at = error.location().map(|location| location.index());
        let at = last_visible(&self.text, at.unwrap_or_else(|| self.place_of(error)));
        let full = error.to_string();
        let message = format!(
            "{} is not YAML: {}",
            self.name,
            without_position(&full, error)
        );
        error_at_span(&self.name, &self.text, at..at, message, "here")
    }

    /// Where the cause of an error without a position is: the first alias of too many, or the end of the first document.
    fn place_of(&self, error: &serde_yaml::Error) -> usize {
        let nodes = &self.tree.nodes;
        let is_alias = |node: &&YamlNode| matches!(node.content, YamlContent::Alias(_));
        if let Some(alias) = nodes.iter().find(is_alias)
            && error.to_string().contains("repetition limit")
        {
            return alias.span.start;
        }
        let end = nodes.first().map_or(0, |document| document.span.end);
        let rest = self.text.get(end..).unwrap_or_default();
        end + (rest.len() - rest.trim_start().len())
    }

    /// An error at the value at `path`, or at the deepest value on it that is written.
    pub fn error_at(
        &self,
        path: &[PathStep],
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Error {
        let span = self.position(path).value;
        error_at_span(&self.name, &self.text, span, message, label)
    }

    /// An error at the key of the value at `path`.
    pub fn error_at_key(
        &self,
        path: &[PathStep],
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Error {
        let span = self.position(path).key;
        error_at_span(&self.name, &self.text, span, message, label)
    }

    /// The error with the position of the value at `path`. It becomes a spec error, except an error of fetching or of
    /// weights: then the spec is right.
    pub fn attach_position(&self, path: &[PathStep], error: Error) -> Error {
        let mut placed = self.error_at(path, error.full_message(), "here");
        if matches!(error.kind(), ErrorKind::Fetch | ErrorKind::Weights) {
            placed = placed.with_kind(error.kind());
        }
        match error.help_text() {
            Some(help) => placed.help(help),
            None => placed,
        }
    }

    /// Whether a value is written at `path`.
    pub fn contains(&self, path: &[PathStep]) -> bool {
        self.position(path).steps == path.len()
    }

    /// The position of the value at a path in the experiment.
    fn position(&self, path: &[PathStep]) -> ValuePosition {
        self.tree.position(&self.unread.path_in_text(path))
    }
}
