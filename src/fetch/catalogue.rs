//! The catalogue of weight sets and image packs (`catalogue.yaml`), and finding an entry by its name.

use std::sync::OnceLock;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::checksum::Checksum;
use crate::error::{Error, ErrorKind, Result, nearest};
use crate::image::Preprocess;
use crate::network::{weights, zoo};

const TEXT: &str = include_str!("catalogue.yaml");

/// The catalogue's entries.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// Image packs.
    pub packs: Vec<ImagePack>,
    /// Weight sets; the first set of an architecture is its default.
    pub weights: Vec<WeightSet>,
}

/// Published weights of one architecture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSet {
    /// Unique among the sets of its architecture: `imagenet-caffe`.
    pub name: String,
    /// The architecture: `resnet50`.
    pub arch: String,
    /// A short description of the set.
    pub title: String,
    /// The classes of its head: `imagenet-1000`.
    pub classes: String,
    /// The preprocessing that it was trained with.
    pub preprocess: Preprocess,
    /// See [`zoo::ArchOptions::stride_on_1x1`].
    #[serde(default)]
    pub stride_on_1x1: bool,
    /// See [`zoo::ArchOptions::bn_eps`].
    #[serde(default)]
    pub bn_eps: Option<f64>,
    /// See [`zoo::ArchOptions::gap_head`].
    #[serde(default)]
    pub gap_head: bool,
    /// The licence of the weights.
    pub licence: String,
    /// The total size of its files in bytes; for torchvision's files, within half a KiB.
    pub bytes: u64,
    /// Top-1 accuracy on ImageNet's validation set in percent, as the publisher gives it.
    #[serde(default)]
    pub top1: Option<f64>,
    /// The format of its files, where it can't be recognised from their content.
    #[serde(default, deserialize_with = "weight_format")]
    pub format: Option<&'static weights::Format>,
    /// Where the head (the classifier) comes from.
    #[serde(default)]
    pub head: HeadSource,
    /// A note about the set, which the report shows.
    #[serde(default)]
    pub note: Option<String>,
    /// The sources, in the order in which they are tried.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    pub sources: Vec<FileSource>,
    /// The files.
    pub files: Vec<RemoteFile>,
}

impl WeightSet {
    /// The options of the architecture's graph that the set needs.
    pub fn options(&self) -> zoo::ArchOptions {
        zoo::ArchOptions {
            stride_on_1x1: self.stride_on_1x1,
            bn_eps: self.bn_eps,
            gap_head: self.gap_head,
            ..zoo::ArchOptions::default()
        }
    }

    /// The first source in one line.
    pub fn source_line(&self) -> String {
        first_line(&self.sources)
    }

    /// Whether one of its sources is a package, which a package client (`pip`, `npm`) fetches.
    pub fn is_packaged(&self) -> bool {
        let is_packaged = |source: &FileSource| !matches!(source, FileSource::Url(_));
        self.sources.iter().any(is_packaged)
    }
}

/// The weight format that an entry names.
fn weight_format<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<&'static weights::Format>, D::Error> {
    let name = String::deserialize(deserializer)?;
    let format = weights::find_format(&name).map_err(|error| D::Error::custom(error.message()))?;
    Ok(Some(format))
}

/// Where the head of a weight set comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeadSource {
    /// The set's files.
    #[default]
    InFile,
    /// A file that is part of convscope.
    Bundled,
}

/// Images that are fetched together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ImagePack {
    /// Its name in an experiment: `imagenet-20`.
    pub name: String,
    /// A short description of the pack.
    pub title: String,
    /// The licence of its images.
    pub licence: String,
    /// The sources, in the order in which they are tried.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    pub sources: Vec<FileSource>,
    /// The images.
    pub images: Vec<CatalogueImage>,
}

impl ImagePack {
    /// The first source in one line.
    pub fn source_line(&self) -> String {
        first_line(&self.sources)
    }
}

/// One image of a pack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct CatalogueImage {
    /// The file.
    #[serde(flatten)]
    pub file: RemoteFile,
    /// The index of its class in ImageNet, if ImageNet has one for it.
    #[serde(default)]
    pub label: Option<usize>,
    /// Its licence, if it differs from the pack's.
    #[serde(default)]
    pub licence: Option<String>,
}

/// A file to fetch, and its sha256.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RemoteFile {
    /// The path below the package's folder, and below the entry's folder in the cache; `/` between
    /// folders.
    pub path: String,
    /// Its exact length, if that is known.
    #[serde(default)]
    pub bytes: Option<u64>,
    /// Its sha256.
    #[serde(flatten)]
    pub checksum: Checksum,
}

/// Where the files of an entry come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileSource {
    /// The URL of the one file, or of the folder of several.
    Url(String),
    /// A wheel on PyPI.
    Pip(Package),
    /// A tarball on npm.
    Npm(Package),
}

impl FileSource {
    /// One line: `PyPI foolbox 3.3.4`, or the URL.
    pub fn describe(&self) -> String {
        match self {
            FileSource::Url(url) => url.clone(),
            FileSource::Pip(package) => format!("PyPI {} {}", package.name, package.version),
            FileSource::Npm(package) => format!("npm {} {}", package.name, package.version),
        }
    }
}

/// A package that holds the files.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    /// The package's name in its registry.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The folder in the archive that the files are in.
    pub folder: String,
    /// The archive's length in bytes, for the progress bar.
    pub bytes: u64,
    /// The wheel to download, if the version has several.
    #[serde(default)]
    pub wheel: Option<Wheel>,
}

/// The tags of a wheel, as `pip download` names them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    /// The Python version: `3.11`.
    pub python: String,
    /// The ABI tag: `cp311`.
    pub abi: String,
    /// The platform tag: `manylinux_2_28_x86_64`.
    pub platform: String,
}

/// The catalogue.
pub fn catalogue() -> &'static Catalogue {
    static PARSED: OnceLock<Catalogue> = OnceLock::new();
    PARSED.get_or_init(|| match serde_yaml::from_str(TEXT) {
        Ok(catalogue) => catalogue,
        // The text is part of the crate and a test parses it.
        Err(error) => unreachable!("catalogue.yaml: {error}"),
    })
}

/// The weight set `name` of the architecture `arch`; without `name` the first.
///
/// # Errors
/// If there is no such architecture or set; the help has the nearest name and the list of all.
pub fn weight_set(arch: &str, name: Option<&str>) -> Result<&'static WeightSet> {
    zoo::find(arch)?;
    let sets: Vec<&WeightSet> = catalogue()
        .weights
        .iter()
        .filter(|set| set.arch == arch)
        .collect();
    let Some(first) = sets.first() else {
        let message = format!("no weight set for `{arch}` is known");
        return Err(Error::new(ErrorKind::Usage, message)
            .help("write a file (`weights: best.pth`) or `weights: random`"));
    };
    let Some(name) = name else { return Ok(first) };
    if let Some(set) = sets.iter().find(|set| set.name == name) {
        return Ok(set);
    }
    let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
    Err(unknown_name(
        ErrorKind::Usage,
        format!("`{arch}` has no weight set `{name}`"),
        name,
        &names,
    ))
}

/// The image pack of that name.
///
/// # Errors
/// If there is none; the help has the nearest name and the list of all.
pub fn image_pack(name: &str) -> Result<&'static ImagePack> {
    let packs = &catalogue().packs;
    packs.iter().find(|pack| pack.name == name).ok_or_else(|| {
        let names: Vec<&str> = packs.iter().map(|pack| pack.name.as_str()).collect();
        unknown_name(
            ErrorKind::Usage,
            format!("there is no image pack `{name}`"),
            name,
            &names,
        )
    })
}

fn first_line(sources: &[FileSource]) -> String {
    sources
        .first()
        .map(FileSource::describe)
        .unwrap_or_default()
}

/// The error about a `name` that is not one of `names`.
pub(super) fn unknown_name(kind: ErrorKind, message: String, name: &str, names: &[&str]) -> Error {
    let listed = names.join(", ");
    let error = Error::new(kind, message);
    match nearest(name, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`? allowed: {listed}")),
        None => error.help(format!("allowed: {listed}")),
    }
}
