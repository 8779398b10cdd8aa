//! Files with the names of classes: text, JSON or CSV, as training programs and data sets have them.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// What a labels file may be.
const FORMS: &str = "a labels file is text with one class name a line, in the order of the outputs; JSON: a list of names, a map \
                     from index to name or from name to index; or CSV with a column of names, and one of indices if the rows \
                     are in another order";

/// A class: its name, and its WordNet id if it has one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) wnid: Option<String>,
}

impl Class {
    /// The class that a text names. A WordNet id at its beginning is no part of the name: `n01440764 tench`.
    fn from_text(text: &str) -> Class {
        let (first, rest) = text.split_once([' ', '\t', ':']).unwrap_or((text, ""));
        let rest = rest.trim_start_matches([' ', '\t', ':']).trim_end();
        if is_wnid(first) {
            return Class {
                name: if rest.is_empty() { first } else { rest }.to_owned(),
                wnid: Some(first.to_owned()),
            };
        }
        Class {
            name: text.to_owned(),
            wnid: None,
        }
    }
}

/// Whether a text is a WordNet id: `n` and eight digits.
fn is_wnid(text: &str) -> bool {
    let digits = text.strip_prefix('n').unwrap_or_default();
    digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit())
}

/// The classes in the file at `path`, in the order of their indices. JSON and CSV are recognised by the file's ending (`.json`,
/// `.csv`, `.tsv`), JSON also by its content.
///
/// # Errors
/// If the file can't be read, is not UTF-8, is empty or has none of the forms; if a class has no name; if an index is missing or
/// is there twice.
pub(super) fn read(path: &Path) -> Result<Vec<Class>> {
    let bytes = std::fs::read(path).map_err(|cause| Error::io("read", path, cause))?;
    let text = String::from_utf8(bytes).map_err(|cause| {
        fault(path, "is not UTF-8 text")
            .help(FORMS)
            .caused_by(cause)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim_end();
    if text.trim_start().is_empty() {
        return Err(fault(path, "is empty").help(FORMS));
    }
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    let is_json = text.trim_start().starts_with(['{', '[']);
    match ending.to_str() {
        Some("json") => from_json(text, path),
        Some("csv" | "tsv") => from_csv(text, path),
        _ if is_json && serde_json::from_str::<Document>(text).is_ok() => from_json(text, path),
        _ => from_text(text, path),
    }
}

/// An error about the file at `path`; `clause` is the predicate of the sentence.
fn fault(path: &Path, clause: &str) -> Error {
    Error::new(ErrorKind::Spec, format!("{} {clause}", path.display()))
}

fn from_text(text: &str, path: &Path) -> Result<Vec<Class>> {
    let lines = text.lines().enumerate();
    lines
        .map(|(number, line)| match line.trim() {
            "" => {
                let message = format!("line {} of {} is empty", number + 1, path.display());
                Err(Error::new(ErrorKind::Spec, message)
                    .help("give every class a name, one a line"))
            }
            name => Ok(Class::from_text(name)),
        })
        .collect()
}

/// A JSON document with all entries of its outermost map, those with the same key too.
enum Document {
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct Outermost;
        impl<'de> Visitor<'de> for Outermost {
            type Value = Document;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a list or a map")
            }

            fn visit_seq<A: SeqAccess<'de>>(
                self,
                mut access: A,
            ) -> std::result::Result<Document, A::Error> {
                let mut list = Vec::new();
                while let Some(value) = access.next_element()? {
                    list.push(value);
                }
                Ok(Document::List(list))
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut access: A,
            ) -> std::result::Result<Document, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = access.next_entry()? {
                    entries.push(entry);
                }
                Ok(Document::Map(entries))
            }
        }
        deserializer.deserialize_any(Outermost)
    }
}

fn from_json(text: &str, path: &Path) -> Result<Vec<Class>> {
    let document = serde_json::from_str(text).map_err(|cause| {
        fault(path, "is no list or map in JSON")
            .help(FORMS)
            .caused_by(cause)
    })?;
    let mut entries = match document {
        Document::List(list) => {
            let named = list.iter().enumerate();
            return named
                .map(|(index, value)| class_of_value(value, index, path))
                .collect();
        }
        Document::Map(entries) => entries,
    };
    // The configuration of a network of transformers.
    let of_config = entries.iter().find_map(|(key, value)| match value {
        Value::Object(names) if key == "id2label" => Some(names.clone()),
        _ => None,
    });
    if let Some(names) = of_config {
        entries = names.into_iter().collect();
    }
    if entries.is_empty() {
        return Err(fault(path, "has no classes").help(FORMS));
    }
    let indexed: Result<Vec<(usize, Class)>> = if entries.iter().all(|(_, value)| value.is_u64()) {
        let named = entries.iter().map(|(name, index)| {
            let index = index.as_u64().and_then(|index| usize::try_from(index).ok());
            let index = index.unwrap_or(usize::MAX);
            Ok((index, named_class(name, index, path)?))
        });
        named.collect()
    } else {
        let named = entries.iter().map(|(key, value)| {
            let index = key.trim().parse().map_err(|_| {
                let clause = format!("has `{key}` with {value}: one of both must be an index");
                fault(path, &clause).help(FORMS)
            })?;
            Ok((index, class_of_value(value, index, path)?))
        });
        named.collect()
    };
    in_order(indexed?, path)
}

/// The class of index `index` that a JSON value describes: a name, or a WordNet id and a name as Keras has them.
fn class_of_value(value: &Value, index: usize, path: &Path) -> Result<Class> {
    match value {
        Value::String(name) => named_class(name, index, path),
        Value::Array(parts) => match parts[..] {
            [Value::String(ref wnid), Value::String(ref name)] if is_wnid(wnid) => Ok(Class {
                wnid: Some(wnid.clone()),
                ..named_class(name, index, path)?
            }),
            _ => Err(no_class(value, index, path)),
        },
        _ => Err(no_class(value, index, path)),
    }
}

fn no_class(value: &Value, index: usize, path: &Path) -> Error {
    let mut shown = value.to_string();
    if shown.chars().count() > 40 {
        shown = shown.chars().take(40).chain(['…']).collect();
    }
    let clause = format!("has {shown} for class {index}");
    fault(path, &clause)
        .help("a class is a name (`\"tench\"`), or a WordNet id and a name (`[\"n01440764\", \"tench\"]`)")
}

fn named_class(name: &str, index: usize, path: &Path) -> Result<Class> {
    match name.trim() {
        "" => {
            let clause = format!("has no name for class {index}");
            Err(fault(path, &clause).help("give every class a name"))
        }
        name => Ok(Class::from_text(name)),
    }
}

/// Classes in the order of their indices, which must be 0, 1, … without gaps.
fn in_order(indexed: Vec<(usize, Class)>, path: &Path) -> Result<Vec<Class>> {
    let count = indexed.len();
    let mut classes: BTreeMap<usize, Class> = BTreeMap::new();
    for (index, class) in indexed {
        let name = class.name.clone();
        if let Some(before) = classes.insert(index, class) {
            let clause = format!(
                "has the index {index} twice: `{}` and `{name}`",
                before.name
            );
            return Err(fault(path, &clause).help("every class has an index of its own"));
        }
    }
    match (0..count).find(|index| !classes.contains_key(index)) {
        None => Ok(classes.into_values().collect()),
        Some(missing) => {
            let last = classes.keys().next_back().copied().unwrap_or_default();
            let clause = format!(
                "has {count} classes, but none with the index {missing}; the last is {last}"
            );
            Err(fault(path, &clause).help(format!(
                "the indices of {count} classes are 0 to {}",
                count - 1
            )))
        }
    }
}

/// What a column of a CSV file holds, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Index,
    Name,
    Wnid,
}

/// Headers of columns, in lower case.
const HEADERS: [(&str, Column); 17] = [
    ("index", Column::Index),
    ("idx", Column::Index),
    ("id", Column::Index),
    ("class_id", Column::Index),
    ("class_index", Column::Index),
    ("label_id", Column::Index),
    ("number", Column::Index),
    ("name", Column::Name),
    ("names", Column::Name),
    ("label", Column::Name),
    ("labels", Column::Name),
    ("class", Column::Name),
    ("class_name", Column::Name),
    ("category", Column::Name),
    ("wnid", Column::Wnid),
    ("synset", Column::Wnid),
    ("wordnet_id", Column::Wnid),
];

/// What separates the cells of a table in CSV, by its first line: a tab, a semicolon or a comma.
pub fn separator(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let separators = [b'\t', b';', b','];
    let found = separators
        .into_iter()
        .find(|separator| first.as_bytes().contains(separator));
    found.unwrap_or(b',')
}

/// CSV: columns are told by a header, or by what is in all their rows: numbers, WordNet ids, other texts.
fn from_csv(text: &str, path: &Path) -> Result<Vec<Class>> {
    let reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .delimiter(separator(text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let rows: Vec<csv::StringRecord> = reader
        .into_records()
        .collect::<std::result::Result<_, _>>()
        .map_err(|cause| {
            fault(path, "is no table in CSV")
                .help("names with a comma need quotes: `0,\"tench, Tinca tinca\"`")
                .caused_by(cause)
        })?;
    let header = rows.first().and_then(columns_of_header);
    let rows = &rows[usize::from(header.is_some())..];
    if rows.is_empty() {
        return Err(fault(path, "has no rows").help(FORMS));
    }
    let columns = match header {
        Some(columns) => columns,
        None => columns_of_rows(rows),
    };
    let place = |wanted: Column| columns.iter().position(|own| *own == Some(wanted));
    let names = columns.iter().filter(|own| **own == Some(Column::Name));
    if names.count() > 1 {
        let clause = "has several columns of texts, and no header that says which are the names";
        return Err(fault(path, clause).help("begin with a line such as `index,name,wnid`"));
    }
    let (index, wnid) = (place(Column::Index), place(Column::Wnid));
    let Some(name) = place(Column::Name).or(wnid) else {
        return Err(fault(path, "has no column of names").help(FORMS));
    };
    let mut indexed = Vec::with_capacity(rows.len());
    for (row, record) in rows.iter().enumerate() {
        let get = |column: usize| record.get(column).unwrap_or_default();
        let number = match index {
            None => row,
            Some(column) => get(column).parse().map_err(|_| {
                let clause = format!("has the index `{}` in row {}", get(column), row + 1);
                fault(path, &clause).help("an index is a whole number from 0 on")
            })?,
        };
        let mut class = named_class(get(name), number, path)?;
        if let Some(id) = wnid.map(get).filter(|id| is_wnid(id)) {
            class.wnid = Some(id.to_owned());
        }
        indexed.push((number, class));
    }
    in_order(indexed, path)
}

/// The columns that a header names; `None` if the row is no header.
fn columns_of_header(row: &csv::StringRecord) -> Option<Vec<Option<Column>>> {
    let column = |cell: &str| {
        let cell = cell.to_lowercase().replace([' ', '-'], "_");
        let known = HEADERS.iter().find(|(header, _)| *header == cell);
        known.map(|(_, column)| *column)
    };
    let columns: Vec<Option<Column>> = row.iter().map(column).collect();
    let has_texts = |wanted: &Option<Column>| matches!(wanted, Some(Column::Name | Column::Wnid));
    columns.iter().any(has_texts).then_some(columns)
}

/// The columns of a table without a header.
fn columns_of_rows(rows: &[csv::StringRecord]) -> Vec<Option<Column>> {
    let width = rows.first().map_or(0, csv::StringRecord::len);
    let every = |column: usize, is: fn(&str) -> bool| {
        let mut cells = rows.iter().map(|row| row.get(column).unwrap_or_default());
        cells.all(is)
    };
    let is_number = |cell: &str| !cell.is_empty() && cell.bytes().all(|byte| byte.is_ascii_digit());
    let kind = |column: usize| match () {
        () if width > 1 && every(column, is_number) => Some(Column::Index),
        () if every(column, is_wnid) => Some(Column::Wnid),
        () => Some(Column::Name),
    };
    (0..width).map(kind).collect()
}
