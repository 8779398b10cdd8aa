//! From YAML text to a [`YamlTree`], with `saphyr-parser`, the second YAML parser beside `serde_yaml`.
//!
//! Why two: `serde_yaml` reads the values and knows every rule of serde, but its errors have a line and a column only
//! while it parses, and none for a value that proves wrong afterwards (an unknown layer, an image that is missing). It
//! gives no access to its events. `saphyr-parser` gives every event with its position, and no values.
//!
//! Two parsers may understand a text differently. [`agreement`](super::parser_agreement) compares what they read of every spec
//! and rejects a text on which they differ; its tests hold them to each other over mutated specs.
//!
//! This parser also rejects what a spec may not have: several documents, a key twice in a mapping, merge keys, keys that
//! are no scalars, nesting without end, and characters that the parsers treat differently.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use super::text_error::{error_at_span, last_visible, tab_error};
use super::yaml_tree::{NodeIndex, YamlContent, YamlNode, YamlTree};
use crate::error::{Error, ErrorKind, Result};

/// Deeper than any spec; shallow enough for every recursion over a tree and for `serde_yaml`'s own limit, 128.
const MAX_DEPTH: usize = 64;

/// Parses `text`, the content of the file `name`.
///
/// # Errors
/// [`ErrorKind::Spec`] with the position: not YAML, empty, several documents, a key twice in one mapping, a merge key, a
/// key that is no scalar, nesting deeper than 64, a control character.
pub(super) fn parse(name: &str, text: &str) -> Result<YamlTree> {
    check_characters(name, text)?;
    let offsets = ByteOffsets::new(text);
    let mut builder = TreeBuilder {
        name,
        text,
        tree: YamlTree::default(),
        anchors: BTreeMap::new(),
        open: Vec::new(),
        documents: 0,
    };
    let mut parser = Parser::new_from_str(text);
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| scan_error(name, text, &offsets, &error))?;
        let span = offsets.at(&span.start)..offsets.at(&span.end);
        builder.add_event(event, span)?;
    }
    if builder.is_empty() {
        return Err(Error::new(ErrorKind::Spec, format!("{name} is empty"))
            .help("`convscope init` writes a spec to start from"));
    }
    Ok(builder.tree)
}

/// Rejects control characters, which YAML forbids, and those on whose meaning YAML 1.1 (`serde_yaml`) and 1.2 (this
/// parser) differ: next line, line and paragraph separators, and byte-order marks inside the text.
fn check_characters(name: &str, text: &str) -> Result<()> {
    let forbidden = |c: char| {
        let control = c.is_control() && !matches!(c, '\t' | '\n' | '\r');
        control
            || matches!(
                c,
                '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
            )
    };
    let Some((at, c)) = text.char_indices().find(|(_, c)| forbidden(*c)) else {
        return Ok(());
    };
    let code = format!("{:04X}", u32::from(c));
    let message = format!("a spec must not have the character U+{code}");
    let help = format!("remove it, or write it in double quotes as \"\\u{code}\"");
    Err(error_at_span(name, text, at..at + c.len_utf8(), message, "here").help(help))
}

/// A mapping or a sequence that is not closed yet.
struct OpenNode {
    node: NodeIndex,
    /// In a mapping, the key whose value comes next.
    key: Option<NodeIndex>,
    /// The keys of a mapping so far.
    keys: BTreeMap<String, NodeIndex>,
}

/// Builds a tree from the parser's events.
struct TreeBuilder<'a> {
    name: &'a str,
    text: &'a str,
    tree: YamlTree,
    /// Nodes by the parser's number of their anchor.
    anchors: BTreeMap<usize, NodeIndex>,
    /// From the document inwards.
    open: Vec<OpenNode>,
    documents: usize,
}

impl TreeBuilder<'_> {
    fn add_event(&mut self, event: Event, span: Range<usize>) -> Result<()> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a spec must be one YAML document, got a second one";
                    return Err(self.error(span, message, "the second document").help(
                        "give each experiment a file of its own; `convscope run` takes a folder",
                    ));
                }
            }
            Event::Scalar(text, style, anchor, _) => {
                let flow = style != ScalarStyle::Plain;
                self.add_node(YamlContent::Scalar(text.into_owned()), span, flow, anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(&target) = self.anchors.get(&anchor) else {
                    return Err(self.error(span, "this alias has no anchor", "here"));
                };
                if self.open.iter().any(|open| open.node == target) {
                    let message = "this alias is inside the value that it repeats";
                    return Err(self.error(span, message, "here"));
                }
                self.add_node(YamlContent::Alias(target), span, false, 0)?;
            }
            Event::SequenceStart(anchor, _) => {
                self.open_node(YamlContent::Sequence(Vec::new()), span, anchor)?;
            }
            Event::MappingStart(anchor, _) => {
                self.open_node(YamlContent::Mapping(Vec::new()), span, anchor)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(open) = self.open.pop() {
                    self.close_node(open.node, span.end);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Sets the end of a mapping or a sequence. For the parser a block ends where the next value begins; here it ends
    /// with its last child, without the space and the comments after that.
    fn close_node(&mut self, node: NodeIndex, end: usize) {
        let nodes = &mut self.tree.nodes;
        let last_child = nodes[node + 1..].iter().map(|child| child.span.end).max();
        let node = &mut nodes[node];
        let end = if node.flow {
            end
        } else {
            last_child.unwrap_or(node.span.end)
        };
        node.span.end = end.max(node.span.start);
    }

    fn open_node(&mut self, content: YamlContent, span: Range<usize>, anchor: usize) -> Result<()> {
        if self.open.len() == MAX_DEPTH {
            let message = format!("values must be nested at most {MAX_DEPTH} deep");
            return Err(self.error(span, message, "here"));
        }
        let rest = self.text.get(span.start..).unwrap_or_default();
        let flow = rest.starts_with(['[', '{']);
        let node = self.add_node(content, span, flow, anchor)?;
        self.open.push(OpenNode {
            node,
            key: None,
            keys: BTreeMap::new(),
        });
        Ok(())
    }

    fn add_node(
        &mut self,
        content: YamlContent,
        span: Range<usize>,
        flow: bool,
        anchor: usize,
    ) -> Result<NodeIndex> {
        let span = self.corrected_span(&content, span, flow);
        let node = self.tree.nodes.len();
        self.tree.nodes.push(YamlNode {
            content,
            span,
            flow,
        });
        if anchor > 0 {
            self.anchors.insert(anchor, node);
        }
        self.add_to_parent(node)?;
        Ok(node)
    }

    /// The bytes that a reader takes for the node, from those that the parser reports.
    fn corrected_span(
        &self,
        content: &YamlContent,
        mut span: Range<usize>,
        flow: bool,
    ) -> Range<usize> {
        let own = self.text.get(span.clone()).unwrap_or_default();
        span.end = span.start + own.trim_end().len();
        let before = self.text.get(..span.start).unwrap_or_default();
        let is_value = matches!(self.open.last(), Some(OpenNode { key: Some(_), .. }));
        match content {
            // The parser reports an absent value before the colon.
            YamlContent::Scalar(_) if is_value && span.is_empty() => {
                let rest = self.text.get(span.start..).unwrap_or_default();
                let start = span.start + usize::from(rest.starts_with(':'));
                span = start..start;
            }
            // It reports a sequence that is not indented under its key after the first dash.
            YamlContent::Sequence(_) if is_value && !flow => {
                let before = before.trim_end_matches(' ');
                if before.ends_with('-') {
                    span.start = before.len() - 1;
                }
            }
            // It reports a block of text after its `|` or `>`.
            YamlContent::Scalar(_) if flow && !own.starts_with(['"', '\'']) => {
                span.start = before.rfind(['|', '>']).unwrap_or(span.start);
            }
            _ => {}
        }
        span
    }

    fn add_to_parent(&mut self, node: NodeIndex) -> Result<()> {
        let Some(open) = self.open.last_mut() else {
            return Ok(());
        };
        let parent = open.node;
        if let YamlContent::Sequence(entries) = &mut self.tree.nodes[parent].content {
            entries.push(node);
            return Ok(());
        }
        let Some(key) = open.key.take() else {
            open.key = Some(node);
            return self.check_key(node);
        };
        if let YamlContent::Mapping(entries) = &mut self.tree.nodes[parent].content {
            entries.push((key, node));
        }
        Ok(())
    }

    /// Rejects a key that is no scalar, a merge key, or a key that the innermost mapping has already.
    fn check_key(&mut self, key: NodeIndex) -> Result<()> {
        let nodes = &self.tree.nodes;
        let span = nodes[key].span.clone();
        let YamlContent::Scalar(name) = &nodes[key].content else {
            let message = "a key must be text, got a list, a map or an alias";
            return Err(self
                .error(span, message, "not text")
                .help("put quotes around text that begins with `{`, `[` or `*`"));
        };
        if name == "<<" {
            return Err(self
                .error(span, "merge keys (`<<`) are not supported", "here")
                .help("write the keys out, or repeat a whole value with an anchor and an alias"));
        }
        let open = self.open.last_mut();
        let Some(first) = open.and_then(|open| open.keys.insert(name.clone(), key)) else {
            return Ok(());
        };
        let before = &self.text[..nodes[first].span.start];
        let line = 1 + before.matches('\n').count();
        let message = format!("the key `{name}` is given twice");
        Err(self
            .error(span, message, "the second one")
            .help(format!("the first one is in line {line}; keep one of them")))
    }

    /// Whether there is no document, or nothing in it.
    fn is_empty(&self) -> bool {
        let first = self.tree.nodes.first().map(|node| &node.content);
        match first {
            None => true,
            Some(YamlContent::Scalar(text)) => text.is_empty(),
            Some(_) => false,
        }
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>, label: &str) -> Error {
        error_at_span(self.name, self.text, span, message, label)
    }
}

/// The byte offset of every character of a text: the parser counts characters.
struct ByteOffsets(Vec<usize>);

impl ByteOffsets {
    fn new(text: &str) -> Self {
        let starts = text.char_indices().map(|(offset, _)| offset);
        ByteOffsets(starts.chain([text.len()]).collect())
    }

    fn at(&self, marker: &Marker) -> usize {
        let end = self.0.last().copied().unwrap_or_default();
        self.0.get(marker.index()).copied().unwrap_or(end)
    }
}

fn scan_error(name: &str, text: &str, offsets: &ByteOffsets, error: &ScanError) -> Error {
    if let Some(error) = tab_error(name, text) {
        return error;
    }
    let at = last_visible(text, offsets.at(error.marker()));
    let message = format!("{name} is not YAML: {}", error.info());
    let help = match error.info() {
        info if info.starts_with("mapping values are not allowed") => {
            "put quotes around text with a colon and a space in it, or correct the indentation of this line"
        }
        info if info.contains("quoted scalar") && !info.contains("escape") => {
            "close the quote that begins here; a quote within quotes is written twice ('') or as \\\""
        }
        info if info.contains("unknown anchor") => "put quotes around text that begins with `*`",
        _ => "look for a missing quote, bracket or colon, or a wrong indent, here or a line above",
    };
    error_at_span(name, text, at..at, message, "the parser stopped here").help(help)
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::spec::yaml_tree::PathStep::{self, Index as I, Key as K};

    #[test]
    fn positions_are_those_of_the_text() {
        let text = "a:\n  - x\n  - y # no\n\nb:\n- k: 1\n  l: [2, 3]\n-\n- - ż\n  - |\n    t\nc:\nd: {e: , f: \"g\"}\n";
        let tree = parse("t", text).expect("YAML");
        let value = |path: &[PathStep]| &text[tree.position(path).value];
        assert_eq!(value(&[K("a")]), "- x\n  - y");
        assert_eq!(value(&[K("a"), I(1)]), "y");
        assert_eq!(
            value(&[K("b")]),
            "- k: 1\n  l: [2, 3]\n-\n- - ż\n  - |\n    t"
        );
        assert_eq!(value(&[K("b"), I(0)]), "k: 1\n  l: [2, 3]");
        assert_eq!(value(&[K("b"), I(0), K("l")]), "[2, 3]");
        assert_eq!(value(&[K("b"), I(1)]), "");
        assert_eq!(value(&[K("b"), I(2)]), "- ż\n  - |\n    t");
        assert_eq!(value(&[K("b"), I(2), I(0)]), "ż");
        assert_eq!(value(&[K("b"), I(2), I(1)]), "|\n    t");
        assert_eq!(value(&[K("c")]), "");
        assert_eq!(value(&[K("d")]), "{e: , f: \"g\"}");
        assert_eq!(value(&[K("d"), K("f")]), "\"g\"");
        let before = |path: &[PathStep], count: usize| {
            let start = tree.position(path).value.start;
            &text[start - count..start]
        };
        assert_eq!(before(&[K("c")], 2), "c:");
        assert_eq!(before(&[K("b"), I(1)], 1), "-");
        assert_eq!(before(&[K("d"), K("e")], 2), "e:");
    }
}
