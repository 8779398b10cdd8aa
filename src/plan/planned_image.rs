//! The images of a plan: their files, their true classes, and the region that shows the class.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::error::Result;
use crate::image::{DecodedImage, ImageFile};
use crate::network::labels::Labels;
use crate::spec::id_from_path;

/// An image that the experiment names.
#[derive(Debug, Clone)]
pub struct PlannedImage {
    /// Unique in the experiment; the second part of its tensors' keys.
    pub id: String,
    /// Where its bytes are, unless the image is only in memory.
    pub file: ImageFile,
    /// Its path as in the experiment, or its pack and file name.
    pub source: String,
    /// Its true classes: one, or several for networks whose classes are independent.
    pub labels: Vec<ImageLabel>,
    /// The groups that a CSV puts it in: names of columns and the texts in its row, in the CSV's order, without empty ones.
    pub groups: Vec<(Arc<str>, Arc<str>)>,
    /// The line that names its classes, if they are from a file.
    pub label_line: Option<FileLine>,
    /// The region that shows its class, where the experiment gives one.
    pub target: Option<TargetRegion>,
    /// The bands that its picture is drawn from, counted from 1; empty for the default.
    pub show: Vec<usize>,
    /// The index of its entry in the experiment's list.
    pub entry: usize,
    /// Its pixels, if they are already decoded.
    pub decoded: Option<Arc<DecodedImage>>,
}

impl PlannedImage {
    /// The image in the file at `path`, which the experiment calls `source`: no class, no region, the default bands.
    pub(crate) fn file(path: PathBuf, source: String) -> Self {
        PlannedImage {
            id: id_from_path(&path),
            file: ImageFile::whole(path),
            source,
            labels: Vec::new(),
            groups: Vec::new(),
            label_line: None,
            target: None,
            show: Vec::new(),
            entry: 0,
            decoded: None,
        }
    }

    /// Its group in a column of the CSV that names it.
    pub fn group(&self, column: &str) -> Option<&str> {
        let mut groups = self.groups.iter();
        let found = groups.find(|(name, _)| &**name == column);
        found.map(|(_, value)| &**value)
    }

    /// Its pixels, from memory or from its file.
    ///
    /// # Errors
    /// If the file can't be read or decoded.
    pub fn decode(&self) -> Result<Arc<DecodedImage>> {
        match &self.decoded {
            Some(decoded) => Ok(decoded.clone()),
            None => Ok(Arc::new(self.file.decode(&self.source, &self.show)?)),
        }
    }

    /// The index of its true class in `labels`; of several, the first one that `labels` contain.
    pub fn class_index(&self, labels: &Labels) -> Option<usize> {
        self.class_indices(labels).next()
    }

    /// The indices of its true classes in `labels`, of those that `labels` contain.
    pub fn class_indices(&self, labels: &Labels) -> impl Iterator<Item = usize> {
        self.labels.iter().filter_map(|label| match label {
            ImageLabel::Named(name) => labels.resolve(name).ok(),
            ImageLabel::Inferred(name) => labels.exact(name),
        })
    }
}

/// The region of an image that shows its class.
#[derive(Debug, Clone, PartialEq)]
pub enum TargetRegion {
    /// Left, top, right and bottom, in pixels of the image.
    Box([f64; 4]),
    /// An image file of the same size: white in the region, black elsewhere.
    Mask(PathBuf),
}

/// The name of an image's true class.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ImageLabel {
    /// From the experiment or the pack: at least one network must have this class.
    Named(String),
    /// From the name of a file or folder, which may not be a class.
    Inferred(String),
}

/// A line of a file, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileLine {
    /// The file.
    pub file: Arc<Path>,
    /// The line's number.
    pub line: u64,
}
