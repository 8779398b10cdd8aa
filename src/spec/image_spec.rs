//! An entry of `images` or `collection`: a file, a folder, a list or a table of files, or photos of a pack. A text alone is the path
//! of a file.
//!
//! It is read by a hand-written visitor: serde's untagged enums read into a buffer first and lose the position of an error.

use std::fmt;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::one_or_many::{OneOrMany, one_or_many};
use super::schema_parts;

/// Where images come from; a file is also written as its path alone.
///
/// In Rust it is made in the same short ways:
///
/// ```
/// use convscope::spec::ImageSpec;
///
/// let photo: ImageSpec = "photos/cat.jpg".into();
/// let labelled = ImageSpec::path("photos/cat.jpg").class("tabby");
/// let pack = ImageSpec::pack("imagenet-20", ["jeep"]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(untagged, deny_unknown_fields)]
#[schemars(transform = schema_parts::allow_path)]
pub enum ImageSpec {
    /// Photos that convscope can fetch.
    Pack {
        /// The pack's name: `imagenet-20`, `public-domain`.
        #[schemars(length(min = 1))]
        pack: String,
        /// Which of them (by class name, file stem or number), one or a list, in that order; else
        /// all.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "OneOrMany")]
        pick: Vec<String>,
        /// The box around the class in the one photo that is picked: left, top, right and bottom in the photo's own
        /// pixels.
        #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
        #[schemars(inner(inner(range(min = 0.0))))]
        bounds: Option<[f64; 4]>,
    },
    /// One file.
    Path {
        /// The file; a relative path starts at the spec's folder.
        #[schemars(length(min = 1))]
        path: PathBuf,
        /// Its name in the report and the keys; by default the file's stem. Letters, digits, `_`,
        /// `-` and `.`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(with = "Option<schema_parts::Id>")]
        id: Option<String>,
        /// Its true class: a name, a WordNet id or an index; a list for networks whose classes are independent.
        #[serde(
            default,
            skip_serializing_if = "Vec::is_empty",
            serialize_with = "one_or_many"
        )]
        #[schemars(with = "OneOrMany")]
        class: Vec<String>,
        /// The box around the class: left, top, right and bottom in the image's own pixels.
        #[serde(default, rename = "box", skip_serializing_if = "Option::is_none")]
        #[schemars(inner(inner(range(min = 0.0))))]
        bounds: Option<[f64; 4]>,
        /// An image file of the same size, bright where the class is; instead of `box`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mask: Option<PathBuf>,
        /// The bands that its picture is drawn from, counted from 1: one for a grey picture, three for red, green and blue. By
        /// default the first three, or the first where there are fewer. Networks get all bands.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "schema_parts::ShownBands")]
        show: Vec<usize>,
    },
    /// Every image below a folder, by path; with a CSV as `labels`, the images that it names.
    #[schemars(extend(
        "not" = { "required": ["limit", "sample"] },
        "dependentRequired" = { "split": ["labels"] }
    ))]
    Dir {
        /// The folder; a relative path starts at the spec's folder.
        #[schemars(length(min = 1))]
        dir: PathBuf,
        /// Their true classes: a CSV with the columns `path` and `class`, or a text file with one class a line in the order of
        /// the files' paths.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        labels: Option<PathBuf>,
        /// Keeps the rows of the CSV whose column `split` has this text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        split: Option<String>,
        /// The largest number of images; the first by path are taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        limit: Option<usize>,
        /// The number of images, drawn at random with the experiment's seed; all of them where there are fewer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        sample: Option<usize>,
        /// The bands that their pictures are drawn from, as for one file.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "schema_parts::ShownBands")]
        show: Vec<usize>,
    },
    /// The images that a text file names.
    #[schemars(extend("not" = { "required": ["limit", "sample"] }))]
    List {
        /// The file: one path a line, relative to its folder.
        #[schemars(length(min = 1))]
        list: PathBuf,
        /// Their true classes: a text file with one class a line, in the list's order.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        labels: Option<PathBuf>,
        /// The largest number of images; the first of the list are taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        limit: Option<usize>,
        /// The number of images, drawn at random with the experiment's seed; all of them where there are fewer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        sample: Option<usize>,
        /// The bands that their pictures are drawn from, as for one file.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "schema_parts::ShownBands")]
        show: Vec<usize>,
    },
    /// The images in tar files, as WebDataset writes them: `0017.jpg` with its class in `0017.cls`.
    #[schemars(extend("not" = { "required": ["limit", "sample"] }))]
    Tar {
        /// The file, or several: `shards/{000..099}.tar`, `shards/*.tar`.
        #[schemars(length(min = 1))]
        tar: PathBuf,
        /// The largest number of images; the first of the files are taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        limit: Option<usize>,
        /// The number of images, drawn at random with the experiment's seed; all of them where there are fewer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        sample: Option<usize>,
        /// The bands that their pictures are drawn from, as for one file.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "schema_parts::ShownBands")]
        show: Vec<usize>,
    },
    /// The images that a CSV names.
    #[schemars(extend("not" = { "required": ["limit", "sample"] }))]
    Table {
        /// The CSV, with the columns `path` (relative to its folder) and `class`; its other columns are groups.
        #[schemars(length(min = 1))]
        labels: PathBuf,
        /// Keeps the rows of the CSV whose column `split` has this text.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(length(min = 1))]
        split: Option<String>,
        /// The largest number of images; the first of the CSV are taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        limit: Option<usize>,
        /// The number of images, drawn at random with the experiment's seed; all of them where there are fewer.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        sample: Option<usize>,
        /// The bands that their pictures are drawn from, as for one file.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        #[schemars(with = "schema_parts::ShownBands")]
        show: Vec<usize>,
    },
}

impl ImageSpec {
    /// One file.
    pub fn path(path: impl Into<PathBuf>) -> Self {
        ImageSpec::Path {
            path: path.into(),
            id: None,
            class: Vec::new(),
            bounds: None,
            mask: None,
            show: Vec::new(),
        }
    }

    /// Photos of a pack that convscope can fetch, by class name, file stem or number; all of them where `pick` is empty.
    pub fn pack<P: Into<String>>(
        pack: impl Into<String>,
        pick: impl IntoIterator<Item = P>,
    ) -> Self {
        ImageSpec::Pack {
            pack: pack.into(),
            pick: pick.into_iter().map(Into::into).collect(),
            bounds: None,
        }
    }

    /// Every image below a folder.
    pub fn dir(dir: impl Into<PathBuf>) -> Self {
        ImageSpec::Dir {
            dir: dir.into(),
            labels: None,
            split: None,
            limit: None,
            sample: None,
            show: Vec::new(),
        }
    }

    /// The images that a text file names, one path a line.
    pub fn list(list: impl Into<PathBuf>) -> Self {
        ImageSpec::List {
            list: list.into(),
            labels: None,
            limit: None,
            sample: None,
            show: Vec::new(),
        }
    }

    /// The images in tar files, as WebDataset writes them.
    pub fn tar(tar: impl Into<PathBuf>) -> Self {
        ImageSpec::Tar {
            tar: tar.into(),
            limit: None,
            sample: None,
            show: Vec::new(),
        }
    }

    /// The images and classes that a CSV with the columns `path` and `class` names.
    pub fn table(labels: impl Into<PathBuf>) -> Self {
        ImageSpec::Table {
            labels: labels.into(),
            split: None,
            limit: None,
            sample: None,
            show: Vec::new(),
        }
    }

    /// Sets the bands that the pictures of files are drawn from, counted from 1.
    pub fn show(mut self, bands: impl Into<Vec<usize>>) -> Self {
        match &mut self {
            ImageSpec::Path { show, .. }
            | ImageSpec::Dir { show, .. }
            | ImageSpec::List { show, .. }
            | ImageSpec::Tar { show, .. }
            | ImageSpec::Table { show, .. } => *show = bands.into(),
            ImageSpec::Pack { .. } => {}
        }
        self
    }

    /// The bands that the pictures of its files are drawn from, counted from 1; empty for the default.
    pub fn shown_bands(&self) -> &[usize] {
        match self {
            ImageSpec::Path { show, .. }
            | ImageSpec::Dir { show, .. }
            | ImageSpec::List { show, .. }
            | ImageSpec::Tar { show, .. }
            | ImageSpec::Table { show, .. } => show,
            ImageSpec::Pack { .. } => &[],
        }
    }

    /// Its keys `limit` and `sample`.
    pub fn limit_and_sample(&self) -> (Option<usize>, Option<usize>) {
        match self {
            ImageSpec::Dir { limit, sample, .. }
            | ImageSpec::List { limit, sample, .. }
            | ImageSpec::Tar { limit, sample, .. }
            | ImageSpec::Table { limit, sample, .. } => (*limit, *sample),
            ImageSpec::Pack { .. } | ImageSpec::Path { .. } => (None, None),
        }
    }

    /// Its paths of files and folders.
    pub fn paths_mut(&mut self) -> Vec<&mut PathBuf> {
        match self {
            ImageSpec::Pack { .. } => Vec::new(),
            ImageSpec::Path { path, mask, .. } => std::iter::once(path).chain(mask).collect(),
            ImageSpec::Dir { dir, labels, .. } => std::iter::once(dir).chain(labels).collect(),
            ImageSpec::List { list, labels, .. } => std::iter::once(list).chain(labels).collect(),
            ImageSpec::Tar { tar, .. } => vec![tar],
            ImageSpec::Table { labels, .. } => vec![labels],
        }
    }

    /// Whether it may have an image of floats, by the endings of its files.
    pub(super) fn may_be_float(&self) -> bool {
        match self {
            ImageSpec::Pack { .. } => false,
            ImageSpec::Dir { .. }
            | ImageSpec::List { .. }
            | ImageSpec::Tar { .. }
            | ImageSpec::Table { .. } => true,
            ImageSpec::Path { path, .. } => {
                let ending = path.extension().and_then(|ending| ending.to_str());
                ending.is_some_and(|ending| {
                    let ending = ending.to_ascii_lowercase();
                    matches!(ending.as_str(), "npy" | "tif" | "tiff")
                })
            }
        }
    }

    /// Adds a true class of a file; the images of a pack or a folder have theirs already.
    pub fn class(mut self, name: impl Into<String>) -> Self {
        if let ImageSpec::Path { class, .. } = &mut self {
            class.push(name.into());
        }
        self
    }
}

impl From<&str> for ImageSpec {
    fn from(path: &str) -> Self {
        ImageSpec::path(path)
    }
}

impl From<&Path> for ImageSpec {
    fn from(path: &Path) -> Self {
        ImageSpec::path(path)
    }
}

impl From<PathBuf> for ImageSpec {
    fn from(path: PathBuf) -> Self {
        ImageSpec::path(path)
    }
}

/// The keys of all kinds of entry; which kind it is follows from `pack`, `path`, `dir`, `list` or `tar`, or else from `labels`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageKeys {
    pack: Option<String>,
    pick: Option<OneOrMany>,
    path: Option<PathBuf>,
    id: Option<String>,
    class: Option<OneOrMany>,
    dir: Option<PathBuf>,
    list: Option<PathBuf>,
    tar: Option<PathBuf>,
    labels: Option<PathBuf>,
    split: Option<String>,
    limit: Option<usize>,
    sample: Option<usize>,
    #[serde(rename = "box")]
    bounds: Option<[f64; 4]>,
    mask: Option<PathBuf>,
    show: Option<Vec<usize>>,
}

impl ImageKeys {
    /// The entry that has these keys.
    ///
    /// # Errors
    /// If it is of no kind or of several, or a key belongs to another kind.
    fn into_spec<E: de::Error>(self) -> Result<ImageSpec, E> {
        let kind = self.kind()?;
        self.check_owners(kind)?;
        let show = self.show.unwrap_or_default();
        let (limit, sample, split) = (self.limit, self.sample, self.split);
        if let Some(tar) = self.tar {
            return Ok(ImageSpec::Tar {
                tar,
                limit,
                sample,
                show,
            });
        }
        Ok(match (kind, self.pack, self.dir, self.list, self.labels) {
            (_, Some(pack), ..) => ImageSpec::Pack {
                pack,
                pick: self.pick.map_or_else(Vec::new, |pick| pick.0),
                bounds: self.bounds,
            },
            (_, _, Some(dir), _, labels) => ImageSpec::Dir {
                dir,
                labels,
                split,
                limit,
                sample,
                show,
            },
            (_, _, _, Some(list), labels) => ImageSpec::List {
                list,
                labels,
                limit,
                sample,
                show,
            },
            ("labels", _, _, _, Some(labels)) => ImageSpec::Table {
                labels,
                split,
                limit,
                sample,
                show,
            },
            _ => ImageSpec::Path {
                path: self.path.unwrap_or_default(),
                id: self.id,
                class: self.class.map_or_else(Vec::new, |class| class.0),
                bounds: self.bounds,
                mask: self.mask,
                show,
            },
        })
    }

    /// Checks that every key belongs to this kind of entry.
    fn check_owners<E: de::Error>(&self, kind: &str) -> Result<(), E> {
        const FILES: &[&str] = &["dir", "list", "labels", "tar"];
        let owners: [(&str, &[&str], bool); 10] = [
            ("pick", &["pack"], self.pick.is_some()),
            ("id", &["path"], self.id.is_some()),
            ("class", &["path"], self.class.is_some()),
            ("limit", FILES, self.limit.is_some()),
            ("sample", FILES, self.sample.is_some()),
            ("labels", &["dir", "list"], self.labels.is_some()),
            ("split", &["dir", "labels"], self.split.is_some()),
            ("mask", &["path"], self.mask.is_some()),
            ("box", &["path", "pack"], self.bounds.is_some()),
            (
                "show",
                &["path", "dir", "list", "labels", "tar"],
                self.show.is_some(),
            ),
        ];
        let mut foreign = owners
            .iter()
            .filter(|(key, owners, given)| *given && *key != kind && !owners.contains(&kind));
        if let Some((key, owners, _)) = foreign.next() {
            let owners = owners.join("`, `");
            let owners = match owners.rsplit_once(", ") {
                Some((first, last)) => format!("{first} or {last}"),
                None => owners,
            };
            return Err(E::custom(format!(
                "`{key}` needs `{owners}`, and this entry has `{kind}`; leave it out"
            )));
        }
        if self.split.is_some() && self.labels.is_none() {
            return Err(E::custom(
                "`split` needs `labels`, a CSV with a column `split`; add it or leave `split` out",
            ));
        }
        Ok(())
    }

    /// The key that says what the entry is.
    fn kind<E: de::Error>(&self) -> Result<&'static str, E> {
        let kinds = [
            ("pack", self.pack.is_some()),
            ("path", self.path.is_some()),
            ("dir", self.dir.is_some()),
            ("list", self.list.is_some()),
            ("tar", self.tar.is_some()),
        ];
        let mut given = kinds.iter().filter(|(_, given)| *given);
        let (first, second) = (given.next(), given.next());
        match (first, second) {
            (Some((kind, _)), None) => Ok(kind),
            (Some((first, _)), Some((second, _))) => Err(E::custom(format!(
                "`{second}` can't be in one entry with `{first}`; give each an entry of its own"
            ))),
            (None, _) if self.labels.is_some() => Ok("labels"),
            (None, _) => Err(E::custom(
                "an image must have `path`, `dir`, `list`, `tar`, `labels` or `pack`; write for example `path: photos/cat.jpg`",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for ImageSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ImageVisitor;
        impl<'de> Visitor<'de> for ImageVisitor {
            type Value = ImageSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "an image: its path, or a map with `path`, `dir`, `list`, `tar`, `labels` or `pack`",
                )
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<ImageSpec, E> {
                Ok(ImageSpec::path(path))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ImageSpec, A::Error> {
                ImageKeys::deserialize(MapAccessDeserializer::new(map))?.into_spec()
            }
        }
        deserializer.deserialize_any(ImageVisitor)
    }
}
