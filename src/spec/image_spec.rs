//! An entry of `images`: a file, a folder, or photos of a pack. A text alone is the path of a file.
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
    /// Every image below a folder, by path.
    Dir {
        /// The folder; a relative path starts at the spec's folder.
        #[schemars(length(min = 1))]
        dir: PathBuf,
        /// The largest number of images; the first by path are taken.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1))]
        limit: Option<usize>,
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
            limit: None,
            show: Vec::new(),
        }
    }

    /// Sets the bands that the pictures of files are drawn from, counted from 1.
    pub fn show(mut self, bands: impl Into<Vec<usize>>) -> Self {
        if let ImageSpec::Path { show, .. } | ImageSpec::Dir { show, .. } = &mut self {
            *show = bands.into();
        }
        self
    }

    /// Whether it may have an image of floats, by the endings of its files.
    pub(super) fn may_be_float(&self) -> bool {
        match self {
            ImageSpec::Pack { .. } => false,
            ImageSpec::Dir { .. } => true,
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

/// The keys of all three kinds of entry; which kind it is follows from `pack`, `path` or `dir`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageKeys {
    pack: Option<String>,
    pick: Option<OneOrMany>,
    path: Option<PathBuf>,
    id: Option<String>,
    class: Option<OneOrMany>,
    dir: Option<PathBuf>,
    limit: Option<usize>,
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
        let owners = [
            ("pick", "pack", self.pick.is_some()),
            ("id", "path", self.id.is_some()),
            ("class", "path", self.class.is_some()),
            ("limit", "dir", self.limit.is_some()),
            ("mask", "path", self.mask.is_some()),
        ];
        let mut foreign = owners.iter().filter(|(_, owner, _)| *owner != kind);
        if let Some((key, owner, _)) = foreign.find(|(_, _, given)| *given) {
            return Err(E::custom(format!(
                "`{key}` needs `{owner}`, and this entry has `{kind}`; leave it out"
            )));
        }
        if self.bounds.is_some() && kind == "dir" {
            return Err(E::custom(
                "`box` needs `path` or `pack`, and this entry has `dir`; leave it out",
            ));
        }
        if self.show.is_some() && kind == "pack" {
            return Err(E::custom(
                "`show` needs `path` or `dir`, and this entry has `pack`; leave it out",
            ));
        }
        let show = self.show.unwrap_or_default();
        Ok(match (self.pack, self.dir) {
            (Some(pack), _) => ImageSpec::Pack {
                pack,
                pick: self.pick.map_or_else(Vec::new, |pick| pick.0),
                bounds: self.bounds,
            },
            (_, Some(dir)) => ImageSpec::Dir {
                dir,
                limit: self.limit,
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

    /// The key that says what the entry is.
    fn kind<E: de::Error>(&self) -> Result<&'static str, E> {
        let kinds = [
            ("pack", self.pack.is_some()),
            ("path", self.path.is_some()),
            ("dir", self.dir.is_some()),
        ];
        let mut given = kinds.iter().filter(|(_, given)| *given);
        let (first, second) = (given.next(), given.next());
        match (first, second) {
            (Some((kind, _)), None) => Ok(kind),
            (Some((first, _)), Some((second, _))) => Err(E::custom(format!(
                "`{second}` can't be in one entry with `{first}`; give each an entry of its own"
            ))),
            (None, _) => Err(E::custom(
                "an image must have `path`, `dir` or `pack`; write for example `path: photos/cat.jpg`",
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
                f.write_str("an image: its path, or a map with `path`, `dir` or `pack`")
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
