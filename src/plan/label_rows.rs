//! Files that name images and their classes: CSV with a header, text with a path or a class a line.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::{Error, ErrorKind, Result};
use crate::image::is_image_name;
use crate::network::label_file::separator;

/// What a CSV of labels begins with.
const HEADER_HELP: &str = "the first line names the columns: `path,class`, then columns of groups, of which `split` is one";

/// ImageNet's file of classes whose numbers have an order of their own.
const DEVKIT: &str = "ilsvrc2012_validation_ground_truth";

/// An image that a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LabelRow {
    pub(super) path: PathBuf,
    /// Counted from 1.
    pub(super) line: u64,
    pub(super) classes: Vec<String>,
    /// Columns and texts, without empty ones.
    pub(super) groups: Vec<(Arc<str>, Arc<str>)>,
}

/// What a text file of labels has in its lines.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum LabelLines {
    /// A path and a class.
    Rows(Vec<LabelRow>),
    /// A class.
    Classes(Vec<String>),
}

/// The rows of a CSV.
#[derive(Debug)]
pub(super) struct LabelTable {
    rows: Vec<LabelRow>,
    columns: Vec<String>,
}

/// Whether a file is a CSV, by its ending.
pub(super) fn is_table(path: &Path) -> bool {
    let ending = path.extension().unwrap_or_default().to_ascii_lowercase();
    ending == "csv" || ending == "tsv"
}

impl LabelTable {
    /// The rows whose column `split` has this text; all without one. `path` is the file.
    ///
    /// # Errors
    /// If the file has no such column or no such row.
    pub(super) fn rows_of(self, split: Option<&str>, path: &Path) -> Result<Vec<LabelRow>> {
        let Some(split) = split else {
            return Ok(self.rows);
        };
        if !self.columns.iter().any(|column| column == "split") {
            return Err(no_column("split", &self.columns, path));
        }
        let split_of = |row: &LabelRow| {
            let mut groups = row.groups.iter();
            groups.find_map(|(name, text)| (&**name == "split").then(|| text.clone()))
        };
        let texts: BTreeSet<Arc<str>> = self.rows.iter().filter_map(split_of).collect();
        let mut rows = self.rows;
        rows.retain(|row| split_of(row).as_deref() == Some(split));
        if rows.is_empty() {
            let clause = format!("has no row whose `split` is `{split}`");
            let found = quoted(texts.iter().map(|text| &**text));
            return Err(fault(path, &clause).help(format!("its column `split` has {found}")));
        }
        Ok(rows)
    }
}

/// The rows of the CSV at `path`. Its columns are `path`, `class` and groups; the separator is a tab, `;` or `,`.
///
/// # Errors
/// If the file can't be read, is no CSV, has no rows, lacks a column, or a row has no path.
pub(super) fn read_table(path: &Path) -> Result<LabelTable> {
    let text = read_text(path)?;
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(separator(&text))
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let no_csv = |cause: csv::Error| {
        fault(path, "is no table in CSV")
            .help("every row has as many cells as the first line; a cell with a comma needs quotes: `a.jpg,\"tench, Tinca tinca\"`")
            .caused_by(cause)
    };
    let columns: Vec<String> = reader
        .headers()
        .map_err(no_csv)?
        .iter()
        .map(column_name)
        .collect();
    if let Some(twice) = (1..columns.len())
        .map(|at| (&columns[at], &columns[..at]))
        .find_map(|(column, before)| {
            (!column.is_empty() && before.contains(column)).then_some(column)
        })
    {
        let clause = format!("has two columns `{twice}`");
        return Err(fault(path, &clause).help("give every column a name of its own"));
    }
    let place = |wanted: &str| {
        let place = columns.iter().position(|column| column == wanted);
        place.ok_or_else(|| no_column(wanted, &columns, path))
    };
    let (path_column, class_column) = (place("path")?, place("class")?);
    let names: Vec<Arc<str>> = columns.iter().map(|column| Arc::from(&**column)).collect();
    let mut texts = HashSet::new();
    let mut rows = Vec::new();
    for record in reader.into_records() {
        let record = record.map_err(no_csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        let get = |column: usize| record.get(column).unwrap_or_default();
        if get(path_column).is_empty() {
            let message = format!("line {line} of {} has no path", path.display());
            return Err(Error::new(ErrorKind::Spec, message)
                .help("give every row the path of an image, or leave the row out"));
        }
        let groups = names.iter().zip(&record).enumerate();
        let groups = groups.filter(|(column, (name, text))| {
            ![path_column, class_column].contains(column) && !name.is_empty() && !text.is_empty()
        });
        rows.push(LabelRow {
            path: PathBuf::from(get(path_column)),
            line,
            classes: classes_of(get(class_column)),
            groups: groups
                .map(|(_, (name, text))| (name.clone(), shared(&mut texts, text)))
                .collect(),
        });
    }
    if rows.is_empty() {
        return Err(fault(path, "has no rows").help(HEADER_HELP));
    }
    Ok(LabelTable { rows, columns })
}

/// The lines of the text file of labels at `path`: one class a line, or a path and a class a line.
///
/// # Errors
/// If the file can't be read, is empty, has an empty line, or has numbers of classes of which the first is not known.
pub(super) fn read_lines(path: &Path) -> Result<LabelLines> {
    let text = read_text(path)?;
    let lines = numbered_lines(&text, path)?;
    let with_path = |line: &str| {
        let (image, class) = line.rsplit_once(char::is_whitespace)?;
        let image = PathBuf::from(image.trim_end());
        is_image_name(&image).then(|| (image, class.to_owned()))
    };
    if lines.iter().all(|(_, line)| with_path(line).is_some()) {
        let rows = lines.into_iter().filter_map(|(number, line)| {
            let (image, class) = with_path(line)?;
            Some(LabelRow {
                path: image,
                line: number,
                classes: vec![class],
                groups: Vec::new(),
            })
        });
        return Ok(LabelLines::Rows(rows.collect()));
    }
    let numbers: Option<Vec<u64>> = lines.iter().map(|(_, line)| line.parse().ok()).collect();
    let stem = path.file_stem().unwrap_or_default().to_ascii_lowercase();
    let may_begin_at_1 = numbers.is_some_and(|numbers| !numbers.contains(&0));
    if may_begin_at_1 || stem.to_string_lossy().contains(DEVKIT) {
        let clause = "has numbers of classes, and nothing says what the first one is";
        return Err(fault(path, clause).help(
            "a number counts from 0 in the order of the network's classes, but the numbers of ImageNet's \
             ILSVRC2012_validation_ground_truth.txt count from 1 in another order; write one WordNet id a line, or a CSV with \
             the columns `path` and `class`",
        ));
    }
    let classes = lines.into_iter().map(|(_, line)| line.to_owned());
    Ok(LabelLines::Classes(classes.collect()))
}

/// The images that the text file at `path` names, one path a line; empty lines are allowed.
///
/// # Errors
/// If the file can't be read or names none.
pub(super) fn read_paths(path: &Path) -> Result<Vec<LabelRow>> {
    let text = read_text(path)?;
    let lines = text.lines().zip(1..);
    let rows = lines.filter(|(line, _)| !line.trim().is_empty());
    let rows = rows.map(|(line, number)| LabelRow {
        path: PathBuf::from(line.trim()),
        line: number,
        classes: Vec::new(),
        groups: Vec::new(),
    });
    Ok(rows.collect())
}

/// The lines with their numbers, without white space around them.
fn numbered_lines<'a>(text: &'a str, path: &Path) -> Result<Vec<(u64, &'a str)>> {
    let lines = (1..).zip(text.trim_end().lines().map(str::trim));
    lines
        .map(|(number, line)| {
            if line.is_empty() {
                let message = format!("line {number} of {} is empty", path.display());
                return Err(Error::new(ErrorKind::Spec, message)
                    .help("give every image a class, one a line"));
            }
            Ok((number, line))
        })
        .collect()
}

/// The content of a file that is not empty, without a byte order mark.
fn read_text(path: &Path) -> Result<String> {
    if !path.is_file() {
        let clause = if path.is_dir() {
            "is a folder, not a file"
        } else {
            "doesn't exist"
        };
        return Err(
            fault(path, clause).help("a relative path starts at the experiment file's folder")
        );
    }
    let bytes = std::fs::read(path).map_err(|cause| Error::io("read", path, cause))?;
    let mut text = String::from_utf8(bytes).map_err(|cause| {
        fault(path, "is not UTF-8 text")
            .help("save it as UTF-8")
            .caused_by(cause)
    })?;
    if text.starts_with('\u{feff}') {
        text.remove(0);
    }
    if text.trim().is_empty() {
        return Err(fault(path, "is empty").help("it must name at least one image or class"));
    }
    Ok(text)
}

/// The name of a column: `path`, `class` and `split` also in upper case.
fn column_name(header: &str) -> String {
    let lower = header.to_lowercase();
    match &*lower {
        "path" | "class" | "split" => lower,
        _ => header.to_owned(),
    }
}

/// The classes in a cell; several are separated by `|`.
fn classes_of(cell: &str) -> Vec<String> {
    let classes = cell.split('|').map(str::trim);
    let classes = classes.filter(|class| !class.is_empty());
    classes.map(str::to_owned).collect()
}

/// The text, of which equal ones share their memory.
fn shared(texts: &mut HashSet<Arc<str>>, text: &str) -> Arc<str> {
    match texts.get(text) {
        Some(known) => known.clone(),
        None => {
            let new: Arc<str> = Arc::from(text);
            texts.insert(new.clone());
            new
        }
    }
}

fn no_column(wanted: &str, columns: &[String], path: &Path) -> Error {
    let clause = format!("has no column `{wanted}`");
    let found = quoted(columns.iter().map(String::as_str));
    fault(path, &clause).help(format!("its first line has {found}; {HEADER_HELP}"))
}

/// Texts for a message, the first few.
fn quoted<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    let mut texts: Vec<String> = texts
        .take(9)
        .map(|text| format!("`{}`", text.chars().take(40).collect::<String>()))
        .collect();
    if texts.len() > 8 {
        texts.truncate(8);
        texts.push("more".to_owned());
    }
    match texts.len() {
        0 => "nothing".to_owned(),
        _ => texts.join(", "),
    }
}

/// An error about the file at `path`; `clause` is the predicate of the sentence.
fn fault(path: &Path, clause: &str) -> Error {
    Error::new(ErrorKind::Spec, format!("{} {clause}", path.display()))
}
