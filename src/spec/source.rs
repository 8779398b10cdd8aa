//! The YAML text as a tree of places, for errors that point.
//!
//! `serde_yaml` reads the values; what it says of places is a line and a column, and nothing once
//! parsing is over. This tree, made from `saphyr-parser`'s marked events, finds the exact stretch
//! of text behind `models[1].arch` at any time. It also says no to what a spec can't be: text that
//! is not YAML, several documents, a key twice, nesting without end.

use std::collections::BTreeMap;
use std::ops::Range;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError};

use crate::error::{Error, ErrorKind, Result};

/// One step on the way to a value in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step<'a> {
    /// Into a map.
    Key(&'a str),
    /// Into a list, from 0.
    Index(usize),
}

/// Deeper than any spec, shallow enough for every recursion in here and in `serde_yaml`.
const DEEPEST: usize = 64;

/// A longer line is not shown with an error: it would bury the message.
const LONGEST_LINE: usize = 1000;

type Place = usize;

#[derive(Debug, Clone)]
pub(super) struct Tree {
    /// The first is the document; children come after their parents.
    nodes: Vec<Node>,
}

#[derive(Debug, Clone)]
struct Node {
    content: Content,
    span: Range<usize>,
    /// Written with brackets, braces or quotes.
    flow: bool,
}

#[derive(Debug, Clone)]
enum Content {
    Scalar(String),
    List(Vec<Place>),
    Map(Vec<(Place, Place)>),
    Alias(Place),
}

/// Where a path ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// The value's bytes.
    pub value: Range<usize>,
    /// The bytes of the key it stands behind; of the value in a list.
    pub key: Range<usize>,
    /// How many steps of the path exist.
    pub steps: usize,
}

/// What stands at a path, as far as `--set` has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Shape {
    Scalar(String),
    List(usize),
    Map { keys: Vec<String>, flow: bool },
    Alias,
}

impl Tree {
    /// Reads `text`, which stands in the file `name`.
    ///
    /// # Errors
    /// [`ErrorKind::Spec`] with the place: not YAML, empty, several documents, a key that stands
    /// twice in one map, nesting deeper than 64.
    pub(super) fn parse(name: &str, text: &str) -> Result<Tree> {
        let bytes = Bytes::of(text);
        let mut builder = Builder {
            name,
            text,
            nodes: Vec::new(),
            anchors: BTreeMap::new(),
            open: Vec::new(),
            documents: 0,
        };
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| scan_error(name, text, &bytes, &error))?;
            let span = bytes.at(&span.start)..bytes.at(&span.end);
            builder.take(event, span)?;
        }
        if builder.nodes.is_empty() || builder.is_null() {
            return Err(Error::new(ErrorKind::Spec, format!("{name} is empty"))
                .help("`convscope init` writes a spec to start from"));
        }
        Ok(Tree {
            nodes: builder.nodes,
        })
    }

    /// The place a path leads to, or the deepest one on the way that exists.
    pub(super) fn find(&self, path: &[Step]) -> Found {
        let (place, key, steps) = self.walk(path);
        let value = self.nodes[place].span.clone();
        Found {
            key: key.map_or_else(|| value.clone(), |key| self.nodes[key].span.clone()),
            value,
            steps,
        }
    }

    /// The bytes of the key `key` in the map at `path`, if both are there.
    pub(super) fn key_in(&self, path: &[Step], key: &str) -> Option<Range<usize>> {
        let (place, _, steps) = self.walk(path);
        let Content::Map(entries) = &self.nodes[self.target(place)].content else {
            return None;
        };
        let (key, _) = entries.iter().find(|(k, _)| self.is(*k, key))?;
        (steps == path.len()).then(|| self.nodes[*key].span.clone())
    }

    /// What stands where [`find`](Self::find) ends.
    pub(super) fn shape(&self, path: &[Step]) -> Shape {
        let node = &self.nodes[self.walk(path).0];
        match &node.content {
            Content::Scalar(value) => Shape::Scalar(value.clone()),
            Content::List(items) => Shape::List(items.len()),
            Content::Map(entries) => Shape::Map {
                keys: entries.iter().map(|(key, _)| self.text(*key)).collect(),
                flow: node.flow,
            },
            Content::Alias(_) => Shape::Alias,
        }
    }

    /// The last place on the path, the key before it, and how many steps led there.
    fn walk(&self, path: &[Step]) -> (Place, Option<Place>, usize) {
        let (mut place, mut key) = (0, None);
        for (taken, step) in path.iter().enumerate() {
            let next = match (step, &self.nodes[self.target(place)].content) {
                (Step::Key(name), Content::Map(entries)) => entries
                    .iter()
                    .find(|(k, _)| self.is(*k, name))
                    .map(|&(k, value)| (value, Some(k))),
                (Step::Index(index), Content::List(items)) => {
                    items.get(*index).map(|&item| (item, None))
                }
                _ => None,
            };
            let Some(next) = next else {
                return (place, key, taken);
            };
            (place, key) = next;
        }
        (place, key, path.len())
    }

    fn target(&self, place: Place) -> Place {
        match self.nodes[place].content {
            Content::Alias(target) => target,
            _ => place,
        }
    }

    fn is(&self, place: Place, name: &str) -> bool {
        matches!(&self.nodes[place].content, Content::Scalar(value) if value == name)
    }

    fn text(&self, place: Place) -> String {
        match &self.nodes[place].content {
            Content::Scalar(value) => value.clone(),
            _ => String::new(),
        }
    }
}

struct Builder<'a> {
    name: &'a str,
    text: &'a str,
    nodes: Vec<Node>,
    anchors: BTreeMap<usize, Place>,
    /// The maps and lists that are not closed yet, with the key that waits for its value.
    open: Vec<(Place, Option<Place>)>,
    documents: usize,
}

impl Builder<'_> {
    fn take(&mut self, event: Event, span: Range<usize>) -> Result<()> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a spec is one YAML document, and here begins a second";
                    return Err(self.error(span, message, "the second document").help(
                        "give each experiment a file of its own; `convscope run` takes a folder",
                    ));
                }
            }
            Event::Scalar(value, style, anchor, _) => {
                let flow = style != ScalarStyle::Plain;
                self.add(Content::Scalar(value.into_owned()), span, flow, anchor)?;
            }
            Event::Alias(anchor) => {
                let Some(&target) = self.anchors.get(&anchor) else {
                    return Err(self.error(span, "this alias has no anchor", "here"));
                };
                if self.open.iter().any(|(place, _)| *place == target) {
                    let message = "this alias stands inside what it repeats";
                    return Err(self.error(span, message, "here"));
                }
                self.add(Content::Alias(target), span, false, 0)?;
            }
            Event::SequenceStart(anchor, _) => {
                self.enter(Content::List(Vec::new()), span, anchor)?
            }
            Event::MappingStart(anchor, _) => self.enter(Content::Map(Vec::new()), span, anchor)?,
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some((place, _)) = self.open.pop() {
                    self.close(place, span.end);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A block's end is where the next thing begins; the space and the comments before that are
    /// not its own.
    fn close(&mut self, place: Place, end: usize) {
        let last = (place + 1..self.nodes.len()).map(|child| self.nodes[child].span.end);
        let inner = last.max().unwrap_or(self.nodes[place].span.end);
        let node = &mut self.nodes[place];
        let end = if node.flow { end } else { inner };
        node.span.end = end.max(node.span.start);
    }

    fn enter(&mut self, content: Content, span: Range<usize>, anchor: usize) -> Result<()> {
        if self.open.len() == DEEPEST {
            return Err(self.error(span, "this is nested too deep for a spec", "here"));
        }
        let from = self.text.get(span.start..).unwrap_or_default();
        let flow = from.starts_with(['[', '{']);
        let place = self.add(content, span, flow, anchor)?;
        self.open.push((place, None));
        Ok(())
    }

    fn add(
        &mut self,
        content: Content,
        mut span: Range<usize>,
        flow: bool,
        anchor: usize,
    ) -> Result<Place> {
        let own = self.text.get(span.clone()).unwrap_or_default();
        span.end = span.start + own.trim_end().len();
        let before = self.text.get(..span.start).unwrap_or_default();
        let a_value = matches!(self.open.last(), Some((_, Some(_))));
        match &content {
            // The parser puts a value that isn't there before the colon that announces it.
            Content::Scalar(_) if a_value && span.is_empty() => {
                let colon = self
                    .text
                    .get(span.start..)
                    .is_some_and(|rest| rest.starts_with(':'));
                span = span.start + usize::from(colon)..span.start + usize::from(colon);
            }
            // A list that is not indented under its key begins after its first dash.
            Content::List(_) if a_value && !flow => {
                let dash = before.trim_end_matches(' ');
                span.start = if dash.ends_with('-') {
                    dash.len() - 1
                } else {
                    span.start
                };
            }
            // A block of text begins after its mark.
            Content::Scalar(_) if flow && !own.starts_with(['"', '\'']) => {
                span.start = before.rfind(['|', '>']).unwrap_or(span.start);
            }
            _ => {}
        }
        let place = self.nodes.len();
        self.nodes.push(Node {
            content,
            span,
            flow,
        });
        if anchor > 0 {
            self.anchors.insert(anchor, place);
        }
        self.attach(place)?;
        Ok(place)
    }

    fn attach(&mut self, place: Place) -> Result<()> {
        let Some((parent, waiting)) = self.open.last_mut() else {
            return Ok(());
        };
        let parent = *parent;
        if let Content::List(items) = &mut self.nodes[parent].content {
            items.push(place);
            return Ok(());
        }
        let Some(key) = waiting.take() else {
            *waiting = Some(place);
            return self.check_key(parent, place);
        };
        if let Content::Map(entries) = &mut self.nodes[parent].content {
            entries.push((key, place));
        }
        Ok(())
    }

    fn check_key(&self, map: Place, key: Place) -> Result<()> {
        let span = self.nodes[key].span.clone();
        let Content::Scalar(name) = &self.nodes[key].content else {
            return Err(self
                .error(span, "a key is a word", "this is a list or a map")
                .help("text with `{`, `[` or `*` in front has to stand in quotes"));
        };
        if name == "<<" {
            return Err(self
                .error(span, "merge keys (`<<`) are not read", "here")
                .help("write the keys out, or repeat a whole value with an anchor and an alias"));
        }
        let Content::Map(entries) = &self.nodes[map].content else {
            return Ok(());
        };
        let earlier = entries.iter().find(
            |(other, _)| matches!(&self.nodes[*other].content, Content::Scalar(value) if value == name),
        );
        let Some((first, _)) = earlier else {
            return Ok(());
        };
        let line = 1 + self.text[..self.nodes[*first].span.start]
            .matches('\n')
            .count();
        Err(self
            .error(
                span,
                format!("the key `{name}` stands here twice"),
                "the second one",
            )
            .help(format!("the first one is in line {line}; keep one of them")))
    }

    fn is_null(&self) -> bool {
        matches!(&self.nodes[0].content, Content::Scalar(value) if value.is_empty())
    }

    fn error(&self, span: Range<usize>, message: impl Into<String>, label: &str) -> Error {
        pointing(self.name, self.text, span, message, label)
    }
}

/// From the parser's characters to bytes.
struct Bytes(Vec<usize>);

impl Bytes {
    fn of(text: &str) -> Bytes {
        let starts = text.char_indices().map(|(at, _)| at);
        Bytes(starts.chain([text.len()]).collect())
    }

    fn at(&self, marker: &Marker) -> usize {
        let end = self.0.last().copied().unwrap_or_default();
        self.0.get(marker.index()).copied().unwrap_or(end)
    }
}

/// An [`ErrorKind::Spec`] error that points at `span`, or at its first line where it has several.
pub(super) fn pointing(
    name: &str,
    text: &str,
    span: Range<usize>,
    message: impl Into<String>,
    label: impl Into<String>,
) -> Error {
    let own = text.get(span.clone()).unwrap_or_default();
    let line = own.lines().next().unwrap_or_default().trim_end();
    // Where nothing stands (`title:`), something still has to be underlined.
    let length = line.len().max(1).min(text.len().saturating_sub(span.start));
    let from = text[..span.start]
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let whole = text[from..].lines().next().unwrap_or_default();
    if whole.len() > LONGEST_LINE {
        let (line, column) = (
            1 + text[..from].matches('\n').count(),
            span.start - from + 1,
        );
        let message: String = message.into();
        let file = if message.contains(name) { "" } else { name };
        let message = format!("{message} ({file} line {line}, byte {column})").replace("( ", "(");
        return Error::new(ErrorKind::Spec, message);
    }
    Error::new(ErrorKind::Spec, message).at(name, text, span.start, length, label)
}

fn scan_error(name: &str, text: &str, bytes: &Bytes, error: &ScanError) -> Error {
    if let Some(error) = tab_indent(name, text) {
        return error;
    }
    let at = bytes.at(error.marker());
    let place = pointing(
        name,
        text,
        at..at,
        format!("{name} is not YAML: {}", error.info()),
        "the parser stopped here",
    );
    place.help(match error.info() {
        info if info.starts_with("mapping values are not allowed") => {
            "text with a colon and a space in it has to stand in quotes; or a line is indented wrongly"
        }
        info if info.contains("unknown anchor") => {
            "text that begins with `*` has to stand in quotes"
        }
        _ => "often a missing quote, bracket or colon, or a wrong indent, here or a line above",
    })
}

/// Of text that is no YAML: the line that a tab indents, if one does. Parsers say that in words
/// nobody understands.
pub(super) fn tab_indent(name: &str, text: &str) -> Option<Error> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indent = line.len() - line.trim_start_matches([' ', '\t']).len();
        let tab = line[..indent].find('\t');
        let rest = line[indent..].trim_end();
        if let Some(tab) = tab.filter(|_| !rest.is_empty() && !rest.starts_with('#')) {
            let span = start + tab..start + indent;
            let message = "a tab indents this line, and YAML allows only spaces there";
            let error = pointing(name, text, span.start..span.start + 1, message, "a tab");
            return Some(error.help("put two spaces for each tab"));
        }
        start += line.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_text() {
        let text = "a:\n  - x\n  - y # no\n\nb:\n- k: 1\n  l: [2, 3]\n-\n- - ż\n  - |\n    t\nc:\nd: {e: , f: \"g\"}\n";
        let tree = Tree::parse("t", text).expect("YAML");
        let at = |path: &[Step]| &text[tree.find(path).value];
        use Step::{Index as I, Key as K};
        assert_eq!(at(&[K("a")]), "- x\n  - y");
        assert_eq!(at(&[K("a"), I(1)]), "y");
        assert_eq!(at(&[K("b")]), "- k: 1\n  l: [2, 3]\n-\n- - ż\n  - |\n    t");
        assert_eq!(at(&[K("b"), I(0)]), "k: 1\n  l: [2, 3]");
        assert_eq!(at(&[K("b"), I(0), K("l")]), "[2, 3]");
        assert_eq!(at(&[K("b"), I(1)]), "");
        assert_eq!(at(&[K("b"), I(2)]), "- ż\n  - |\n    t");
        assert_eq!(at(&[K("b"), I(2), I(0)]), "ż");
        assert_eq!(at(&[K("b"), I(2), I(1)]), "|\n    t");
        assert_eq!(at(&[K("c")]), "");
        assert_eq!(at(&[K("d")]), "{e: , f: \"g\"}");
        assert_eq!(at(&[K("d"), K("f")]), "\"g\"");
        let empty = tree.find(&[K("c")]).value.start;
        assert_eq!(&text[empty - 2..empty], "c:");
        let empty = tree.find(&[K("b"), I(1)]).value.start;
        assert_eq!(&text[empty - 1..empty], "-");
        let empty = tree.find(&[K("d"), K("e")]).value.start;
        assert_eq!(&text[empty - 2..empty], "e:");
    }
}
