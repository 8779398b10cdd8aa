//! The positions of a YAML text's values: where the value at a path like `models[1].arch` and its key are written.

use std::ops::Range;

/// One step of a path from the document to a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PathStep<'a> {
    /// To the value of a key of a mapping.
    Key(&'a str),
    /// To an entry of a sequence, counted from 0.
    Index(usize),
}

/// A YAML document with the byte range of every key and value; [`yaml_parser`](super::yaml_parser) builds it.
#[derive(Debug, Clone, Default)]
pub(super) struct YamlTree {
    /// The first node is the document; children come after their parents.
    pub nodes: Vec<YamlNode>,
}

/// An index into [`YamlTree::nodes`].
pub(super) type NodeIndex = usize;

/// A key or a value.
#[derive(Debug, Clone)]
pub(super) struct YamlNode {
    pub content: YamlContent,
    /// Its bytes in the text.
    pub span: Range<usize>,
    /// A sequence or a mapping in brackets, or a scalar that is not plain (quoted, or a block of text).
    pub flow: bool,
}

/// What a node is.
#[derive(Debug, Clone)]
pub(super) enum YamlContent {
    /// The text without quotes and escapes.
    Scalar(String),
    Sequence(Vec<NodeIndex>),
    /// Keys and values.
    Mapping(Vec<(NodeIndex, NodeIndex)>),
    /// The node with the anchor.
    Alias(NodeIndex),
}

/// The position of the value at a path, or of the deepest value on the path that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValuePosition {
    /// The bytes of the value.
    pub value: Range<usize>,
    /// The bytes of its key; of the value itself in a sequence.
    pub key: Range<usize>,
    /// How many steps of the path are written.
    pub steps: usize,
}

/// The kind of the value at a path, for an override that changes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ValueKind {
    Scalar(String),
    /// With the number of its entries.
    Sequence(usize),
    /// With its keys, and whether it is in braces.
    Mapping {
        keys: Vec<String>,
        flow: bool,
    },
    Alias,
}

impl YamlTree {
    /// The position of the value at `path`, or of the deepest one on it that is written.
    pub fn position(&self, path: &[PathStep]) -> ValuePosition {
        let (node, key, steps) = self.walk(path);
        let value = self.nodes[node].span.clone();
        ValuePosition {
            key: key.map_or_else(|| value.clone(), |key| self.nodes[key].span.clone()),
            value,
            steps,
        }
    }

    /// The bytes of the key `key` in the mapping at `path`; `None` if either is not written.
    pub fn key_position(&self, path: &[PathStep], key: &str) -> Option<Range<usize>> {
        let (node, _, steps) = self.walk(path);
        let YamlContent::Mapping(entries) = &self.nodes[self.resolve_alias(node)].content else {
            return None;
        };
        let (key, _) = entries.iter().find(|(k, _)| self.is_scalar(*k, key))?;
        (steps == path.len()).then(|| self.nodes[*key].span.clone())
    }

    /// The kind of the value at `path`, or of the deepest one on it that is written.
    pub fn kind(&self, path: &[PathStep]) -> ValueKind {
        let node = &self.nodes[self.walk(path).0];
        match &node.content {
            YamlContent::Scalar(text) => ValueKind::Scalar(text.clone()),
            YamlContent::Sequence(entries) => ValueKind::Sequence(entries.len()),
            YamlContent::Mapping(entries) => ValueKind::Mapping {
                keys: entries.iter().map(|(key, _)| self.scalar(*key)).collect(),
                flow: node.flow,
            },
            YamlContent::Alias(_) => ValueKind::Alias,
        }
    }

    /// The deepest node on `path` that is written, its key, and the number of steps to it.
    fn walk(&self, path: &[PathStep]) -> (NodeIndex, Option<NodeIndex>, usize) {
        let (mut node, mut key) = (0, None);
        for (taken, step) in path.iter().enumerate() {
            let next = match (step, &self.nodes[self.resolve_alias(node)].content) {
                (PathStep::Key(name), YamlContent::Mapping(entries)) => entries
                    .iter()
                    .find(|(key, _)| self.is_scalar(*key, name))
                    .map(|&(key, value)| (value, Some(key))),
                (PathStep::Index(index), YamlContent::Sequence(entries)) => {
                    entries.get(*index).map(|&entry| (entry, None))
                }
                _ => None,
            };
            let Some(next) = next else {
                return (node, key, taken);
            };
            (node, key) = next;
        }
        (node, key, path.len())
    }

    /// The node with the anchor where `node` is an alias, else `node` itself.
    pub fn resolve_alias(&self, node: NodeIndex) -> NodeIndex {
        match self.nodes[node].content {
            YamlContent::Alias(target) => target,
            _ => node,
        }
    }

    fn is_scalar(&self, node: NodeIndex, expected: &str) -> bool {
        matches!(&self.nodes[node].content, YamlContent::Scalar(text) if text == expected)
    }

    /// The text of a scalar; empty for any other node.
    pub fn scalar(&self, node: NodeIndex) -> String {
        match &self.nodes[node].content {
            YamlContent::Scalar(text) => text.clone(),
            _ => String::new(),
        }
    }
}
