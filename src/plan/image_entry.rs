//! One entry of `images` or `collection`: its files, with their classes and groups.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::label_rows::{self, LabelLines, LabelRow, is_table};
use super::planned_image::{FileLine, ImageLabel, PlannedImage, TargetRegion};
use super::spec_origin::Origin;
use crate::error::{Error, ErrorKind, Result};
use crate::fetch::{self, Cache};
use crate::image::image_paths;
use crate::progress::Progress;
use crate::spec::PathStep;

/// One entry of a list of images.
pub(super) struct ImageEntry<'a> {
    /// The list: `images` or `collection`.
    pub(super) list: &'static str,
    /// Its place in the list.
    pub(super) index: usize,
    pub(super) origin: &'a Origin,
}

impl ImageEntry<'_> {
    /// Makes the error point at the entry's `key`.
    pub(super) fn locate(&self, key: &'static str, error: Error) -> Error {
        let entry = [PathStep::Key(self.list), PathStep::Index(self.index)];
        // A single entry may be written without a list around it.
        let path = if self.origin.has(&entry) {
            [&entry[..], &[PathStep::Key(key)]].concat()
        } else {
            vec![PathStep::Key(self.list), PathStep::Key(key)]
        };
        self.origin.locate(&path, error)
    }

    fn missing(&self, key: &'static str, message: String) -> Error {
        let error = Error::new(ErrorKind::Spec, message).help(self.origin.paths_help());
        self.locate(key, error)
    }

    pub(super) fn pack_images(
        &self,
        pack: &str,
        pick: &[String],
        bounds: Option<[f64; 4]>,
        cache: &Cache,
        progress: &dyn Progress,
    ) -> Result<Vec<PlannedImage>> {
        let mut picked =
            fetch::fetch_pack(pack, cache, progress).map_err(|error| self.locate("pack", error))?;
        if !pick.is_empty() {
            picked =
                fetch::pick_images(&picked, pick).map_err(|error| self.locate("pick", error))?;
        }
        if let (Some(_), [first, second, ..]) = (bounds, &picked[..]) {
            let (first, second) = (&first.id, &second.id);
            let message =
                format!("`box` must belong to one image, but `pick` has `{first}` and `{second}`");
            let error =
                Error::new(ErrorKind::Spec, message).help("pick one image by its file's stem");
            return Err(self.locate("pick", error));
        }
        let planned = picked.into_iter().map(|image| PlannedImage {
            labels: (image.label.iter())
                .map(|index| ImageLabel::Named(index.to_string()))
                .collect(),
            id: image.id,
            target: bounds.map(TargetRegion::Box),
            entry: self.index,
            ..PlannedImage::file(
                image.path.clone(),
                format!("{pack}: {}", file_name(&image.path)),
            )
        });
        Ok(planned.collect())
    }

    pub(super) fn file_image(
        &self,
        path: &Path,
        classes: &[String],
        bounds: Option<[f64; 4]>,
        mask: Option<&Path>,
    ) -> Result<PlannedImage> {
        let full = self.origin.resolve(path);
        if full.is_dir() {
            let message = format!("{} is a folder, not an image file", full.display());
            let error = Error::new(ErrorKind::Spec, message)
                .help("write `{dir: …}` for every image below a folder");
            return Err(self.locate("path", error));
        }
        if !full.is_file() {
            return Err(self.missing("path", format!("there is no image {}", full.display())));
        }
        let mask: Option<PathBuf> = mask.map(|mask| self.origin.resolve(mask));
        if let Some(mask) = mask.as_ref().filter(|mask| !mask.is_file()) {
            return Err(self.missing("mask", format!("there is no mask {}", mask.display())));
        }
        Ok(PlannedImage {
            target: bounds
                .map(TargetRegion::Box)
                .or(mask.map(TargetRegion::Mask)),
            labels: classes.iter().cloned().map(ImageLabel::Named).collect(),
            entry: self.index,
            ..PlannedImage::file(full, path.display().to_string())
        })
    }

    /// Every image below `dir`, by path, with the class that its name or folder suggests.
    pub(super) fn folder_images(&self, dir: &Path) -> Result<Vec<PlannedImage>> {
        let full = self.origin.resolve(dir);
        let paths = image_paths(&full).map_err(|error| self.locate("dir", error))?;
        let planned = paths.into_iter().map(|path| {
            let below = path.strip_prefix(&full).unwrap_or(&path);
            let source = dir.join(below).display().to_string();
            PlannedImage {
                labels: inferred_label(below).into_iter().collect(),
                entry: self.index,
                ..PlannedImage::file(path, source)
            }
        });
        Ok(planned.collect())
    }

    /// The images of a folder with the classes of a text file: one a line in the order of the images' paths, or a path and a class
    /// a line.
    pub(super) fn labelled_folder(
        &self,
        dir: &Path,
        labels: &Path,
        split: Option<&str>,
        progress: &dyn Progress,
    ) -> Result<Vec<PlannedImage>> {
        let file = RowsFile::new(labels, "labels", self.origin);
        self.no_split(split, &file)?;
        match self.read(&file, label_rows::read_lines)? {
            LabelLines::Rows(rows) => self.found_images(rows, &file, Some(dir), progress),
            LabelLines::Classes(classes) => {
                let mut images = self.folder_images(dir)?;
                let place = format!("images below {}", self.origin.resolve(dir).display());
                self.check_count(classes.len(), &file, images.len(), &place)?;
                for ((image, class), line) in images.iter_mut().zip(classes).zip(1..) {
                    image.labels = vec![ImageLabel::Named(class)];
                    image.label_line = Some(file.line(line));
                }
                Ok(images)
            }
        }
    }

    /// The images that a CSV names, below `dir` or beside the CSV.
    pub(super) fn table_images(
        &self,
        labels: &Path,
        split: Option<&str>,
        dir: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<Vec<PlannedImage>> {
        let file = RowsFile::new(labels, "labels", self.origin);
        if let Some(dir) = dir.map(|dir| self.origin.resolve(dir))
            && !dir.is_dir()
        {
            return Err(self.missing("dir", format!("there is no folder {}", dir.display())));
        }
        let rows = if is_table(&file.full) {
            let key = if split.is_some() { "split" } else { "labels" };
            let table = self.read(&file, label_rows::read_table)?;
            let rows = table.rows_of(split, &file.full);
            rows.map_err(|error| self.locate(key, error))?
        } else {
            self.no_split(split, &file)?;
            match self.read(&file, label_rows::read_lines)? {
                LabelLines::Rows(rows) => rows,
                LabelLines::Classes(_) => {
                    let message = format!("{} names classes and no images", file.full.display());
                    let error = Error::new(ErrorKind::Spec, message)
                        .help("add the `dir` of the images, or write a CSV with the columns `path` and `class`");
                    return Err(self.locate("labels", error));
                }
            }
        };
        self.found_images(rows, &file, dir, progress)
    }

    /// The images that a text file names, one path a line; their classes from another one, line by line.
    pub(super) fn list_images(
        &self,
        list: &Path,
        labels: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<Vec<PlannedImage>> {
        let file = RowsFile::new(list, "list", self.origin);
        let mut rows = self.read(&file, label_rows::read_paths)?;
        let Some(labels) = labels else {
            let mut images = self.found_images(rows, &file, None, progress)?;
            for image in &mut images {
                image
                    .labels
                    .extend(inferred_label(Path::new(&image.source)));
            }
            return Ok(images);
        };
        let labels = RowsFile::new(labels, "labels", self.origin);
        let classes = if is_table(&labels.full) {
            None
        } else {
            match self.read(&labels, label_rows::read_lines)? {
                LabelLines::Classes(classes) => Some(classes),
                LabelLines::Rows(_) => None,
            }
        };
        let Some(classes) = classes else {
            let message = format!("`list` and {} both name images", labels.full.display());
            let error = Error::new(ErrorKind::Spec, message).help(
                "leave `list` out, or give a text file with one class a line in the list's order",
            );
            return Err(self.locate("labels", error));
        };
        let place = format!("paths in {}", file.full.display());
        self.check_count(classes.len(), &labels, rows.len(), &place)?;
        let mut class_lines = HashMap::new();
        for ((row, class), line) in rows.iter_mut().zip(classes).zip(1..) {
            row.classes = vec![class];
            class_lines.insert(row.line, line);
        }
        let mut images = self.found_images(rows, &file, None, progress)?;
        for place in images
            .iter_mut()
            .filter_map(|image| image.label_line.as_mut())
        {
            if let Some(line) = class_lines.get(&place.line) {
                *place = labels.line(*line);
            }
        }
        Ok(images)
    }

    fn read<T>(&self, file: &RowsFile, read: impl Fn(&Path) -> Result<T>) -> Result<T> {
        read(&file.full).map_err(|error| self.locate(file.key, error))
    }

    /// An error if there is a `split` although the file of labels is no CSV.
    fn no_split(&self, split: Option<&str>, file: &RowsFile) -> Result<()> {
        if split.is_none() {
            return Ok(());
        }
        let message = format!("`split` needs a CSV, got {}", file.full.display());
        let error = Error::new(ErrorKind::Spec, message)
            .help("leave `split` out, or write a CSV with the columns `path`, `class` and `split`");
        Err(self.locate("split", error))
    }

    /// An error unless a file of labels has as many lines as there are images.
    fn check_count(
        &self,
        lines: usize,
        labels: &RowsFile,
        count: usize,
        images: &str,
    ) -> Result<()> {
        if lines == count {
            return Ok(());
        }
        let message = format!(
            "{} has {lines} lines, but there are {count} {images}",
            labels.full.display()
        );
        let error = Error::new(ErrorKind::Spec, message).help(
            "it needs one line for each image; a CSV with the columns `path` and `class` may name some of them",
        );
        Err(self.locate("labels", error))
    }

    /// The images of the rows of `file` whose image files exist; the number of the others is told. A relative path starts at `dir`
    /// or, where there is no such file, at the folder of `file`.
    fn found_images(
        &self,
        rows: Vec<LabelRow>,
        file: &RowsFile,
        dir: Option<&Path>,
        progress: &dyn Progress,
    ) -> Result<Vec<PlannedImage>> {
        let bases = dir.into_iter().chain(file.named.parent());
        let bases: Vec<(PathBuf, &Path)> = bases
            .map(|base| (self.origin.resolve(base), base))
            .collect();
        let total = rows.len();
        let mut lines: HashMap<PathBuf, u64> = HashMap::with_capacity(total);
        let mut missing: Option<(u64, PathBuf)> = None;
        let mut images = Vec::with_capacity(total);
        for row in rows {
            let mut places = bases.iter();
            let found = places.find(|(base, _)| base.join(&row.path).is_file());
            let Some((base, source)) = found else {
                missing = missing.or(Some((row.line, row.path)));
                continue;
            };
            let path = base.join(&row.path);
            if let Some(before) = lines.insert(path.clone(), row.line) {
                let error = file.named_twice(&row, before);
                return Err(self.locate(file.key, error));
            }
            let source = source.join(&row.path).display().to_string();
            let named = row.classes.into_iter().map(ImageLabel::Named);
            images.push(PlannedImage {
                labels: named.collect(),
                groups: row.groups,
                label_line: Some(file.line(row.line)),
                entry: self.index,
                ..PlannedImage::file(path, source)
            });
        }
        let Some((line, path)) = missing else {
            return Ok(images);
        };
        let (name, example) = (file.full.display(), path.display());
        if images.is_empty() {
            let message = format!(
                "none of the {total} images that {name} names exists; line {line} is {example}"
            );
            let bases = bases.iter().map(|(base, _)| folder_name(base));
            let bases = bases.collect::<Vec<_>>().join(" or ");
            let error = Error::new(ErrorKind::Spec, message)
                .help(format!("a relative path in it starts at {bases}"));
            return Err(self.locate(file.key, error));
        }
        progress.warn(&format!(
            "{} of the {total} images that {name} names don't exist and are left out; line {line} is {example}",
            total - images.len(),
        ));
        Ok(images)
    }
}

/// A file that names images or their classes.
struct RowsFile<'a> {
    /// Its path relative to the current folder.
    full: Arc<Path>,
    /// Its path as in the experiment.
    named: &'a Path,
    /// The entry's key with its path.
    key: &'static str,
}

impl<'a> RowsFile<'a> {
    fn new(named: &'a Path, key: &'static str, origin: &Origin) -> Self {
        RowsFile {
            full: Arc::from(origin.resolve(named)),
            named,
            key,
        }
    }

    fn line(&self, line: u64) -> FileLine {
        FileLine {
            file: self.full.clone(),
            line,
        }
    }

    /// The error for an image that line `before` names as well.
    fn named_twice(&self, row: &LabelRow, before: u64) -> Error {
        let message = format!(
            "{} names {} twice, in lines {before} and {}",
            self.full.display(),
            row.path.display(),
            row.line
        );
        Error::new(ErrorKind::Spec, message)
            .help("an image has one line; in a CSV, several classes of it are separated by `|`")
    }
}

/// A folder for a message.
fn folder_name(folder: &Path) -> String {
    if folder.as_os_str().is_empty() {
        "the current folder".to_owned()
    } else {
        folder.display().to_string()
    }
}

/// The class that a file's path below the named folder suggests: the WordNet id that the file's name begins with, as in
/// `n02108422_bull_mastiff.jpg`, else the name of the folder that contains it.
pub(super) fn inferred_label(below: &Path) -> Option<ImageLabel> {
    let stem = below.file_stem()?.to_str()?;
    let id = stem.split(['_', '-', '.', ' ']).next().unwrap_or(stem);
    let digits = id.strip_prefix('n').unwrap_or_default();
    if digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(ImageLabel::Inferred(id.to_owned()));
    }
    let folder = below.parent()?.file_name()?.to_str()?;
    Some(ImageLabel::Inferred(folder.to_owned()))
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}
