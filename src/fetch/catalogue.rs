//! What can be fetched: the types behind `catalogue.yaml`, and finding an entry by its name.

use std::sync::OnceLock;

use serde::Deserialize;

use crate::error::{Error, ErrorKind, Result};
use crate::image::Preprocess;
use crate::network::graph::nearest;
use crate::network::zoo;

const TEXT: &str = include_str!("catalogue.yaml");

/// Everything that can be fetched.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    pub packs: Vec<PhotoPack>,
    /// An architecture's sets stand in order of preference.
    pub weights: Vec<WeightSet>,
}

/// The parameters of one network, as somebody trained and published them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeightSet {
    /// Unique among the sets of its architecture: `imagenet-caffe`.
    pub name: String,
    /// The architecture: `resnet50`.
    pub arch: String,
    /// Half a line that says where it comes from.
    pub title: String,
    /// Which classes it tells apart: `imagenet-1000`.
    pub classes: String,
    /// How a picture becomes the input that it was trained on.
    pub preprocess: Preprocess,
    /// See [`zoo::Options::stride_on_1x1`].
    #[serde(default)]
    pub stride_on_1x1: bool,
    /// See [`zoo::Options::bn_eps`].
    #[serde(default)]
    pub bn_eps: Option<f64>,
    /// See [`zoo::Options::gap_head`].
    #[serde(default)]
    pub gap_head: bool,
    pub licence: String,
    /// What its files take up; torchvision's are known to half a KiB only.
    pub bytes: u64,
    /// Top-1 on ImageNet's validation set in percent, as the publisher gives it.
    #[serde(default)]
    pub top1: Option<f64>,
    pub format: Format,
    /// Where the classifier comes from.
    #[serde(default)]
    pub head: Head,
    /// What a reader has to know; one sentence.
    #[serde(default)]
    pub note: Option<String>,
    /// Tried in order.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    pub sources: Vec<Source>,
    pub files: Vec<RemoteFile>,
}

/// How the files of a weight set hold its tensors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// A PyTorch state dict.
    Pth,
    /// A TensorFlow.js model: `model.json` first, then its shards in order.
    Tfjs,
    /// An ONNX model of which only VGG's convolutions are wanted.
    OnnxVggBackbone,
}

/// Where a weight set's classifier comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Head {
    /// It is in the files, with the rest.
    #[default]
    InFile,
    /// It is built into convscope.
    Bundled,
}

/// Photos that can be fetched together.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhotoPack {
    pub name: String,
    pub title: String,
    pub licence: String,
    /// Tried in order.
    #[serde(with = "serde_yaml::with::singleton_map_recursive")]
    pub sources: Vec<Source>,
    pub photos: Vec<PackPhotoEntry>,
}

/// One photo of a pack.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PackPhotoEntry {
    #[serde(flatten)]
    pub file: RemoteFile,
    /// ImageNet's index of what it shows, where it has a class for it.
    #[serde(default)]
    pub label: Option<usize>,
    /// Where it is not the pack's.
    #[serde(default)]
    pub licence: Option<String>,
}

/// A file, and how to know that it is the right one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RemoteFile {
    /// Below a package's folder, and below the set's own in the cache; `/` between folders.
    pub path: String,
    /// Its exact length, where that is known.
    #[serde(default)]
    pub bytes: Option<u64>,
    #[serde(flatten)]
    pub checksum: Checksum,
}

/// What is known of a file's sha256, in small hex digits.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub enum Checksum {
    /// All 64.
    #[serde(rename = "sha256")]
    Whole(String),
    /// The first few, which the publisher puts into the file's name.
    #[serde(rename = "sha256_prefix")]
    Prefix(String),
}

impl Checksum {
    /// Whether `sha256` (64 small hex digits) is the sum, as far as it is known.
    pub fn fits(&self, sha256: &str) -> bool {
        match self {
            Checksum::Whole(whole) => whole == sha256,
            Checksum::Prefix(prefix) => !prefix.is_empty() && sha256.starts_with(prefix.as_str()),
        }
    }
}

impl std::fmt::Display for Checksum {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Checksum::Whole(whole) => f.write_str(whole),
            Checksum::Prefix(prefix) => write!(f, "{prefix}…"),
        }
    }
}

/// Where files come from.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The address of the one file, or of the folder of several.
    Url(String),
    /// A wheel on PyPI.
    Pip(Package),
    /// A tarball on npm.
    Npm(Package),
}

impl Source {
    /// The source in a few words: `PyPI foolbox 3.3.4`, or the address.
    pub fn line(&self) -> String {
        match self {
            Source::Url(url) => url.clone(),
            Source::Pip(package) => format!("PyPI {} {}", package.name, package.version),
            Source::Npm(package) => format!("npm {} {}", package.name, package.version),
        }
    }
}

/// A package of which some files are wanted.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Package {
    pub name: String,
    pub version: String,
    /// The folder in the archive that the files are in.
    pub folder: String,
    /// The archive's length, for the progress bar.
    pub bytes: u64,
    /// Which of several wheels.
    #[serde(default)]
    pub wheel: Option<Wheel>,
}

/// The wheel of one Python and platform, as `pip download` names them.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wheel {
    pub python: String,
    pub abi: String,
    pub platform: String,
}

/// Everything that can be fetched.
pub fn catalogue() -> &'static Catalogue {
    static PARSED: OnceLock<Catalogue> = OnceLock::new();
    PARSED.get_or_init(|| match serde_yaml::from_str(TEXT) {
        Ok(catalogue) => catalogue,
        // The text is built in and a test parses it: no user gets here.
        Err(error) => unreachable!("catalogue.yaml: {error}"),
    })
}

/// The weight set `name` of the architecture `arch`; its first where `name` is absent.
///
/// # Errors
/// If there is no such architecture or set, with the nearest name and a list of what there is.
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
            .help("give it a file (`weights: best.pth`) or say `weights: random`"));
    };
    let Some(name) = name else { return Ok(first) };
    if let Some(set) = sets.iter().find(|set| set.name == name) {
        return Ok(set);
    }
    let names: Vec<&str> = sets.iter().map(|set| set.name.as_str()).collect();
    Err(unknown(
        ErrorKind::Usage,
        format!("`{arch}` has no weight set `{name}`"),
        name,
        &names,
    ))
}

/// The photo pack of that name.
///
/// # Errors
/// If there is none, with the nearest name and a list of what there is.
pub fn photo_pack(name: &str) -> Result<&'static PhotoPack> {
    let packs = &catalogue().packs;
    packs.iter().find(|pack| pack.name == name).ok_or_else(|| {
        let names: Vec<&str> = packs.iter().map(|pack| pack.name.as_str()).collect();
        unknown(
            ErrorKind::Usage,
            format!("there is no photo pack `{name}`"),
            name,
            &names,
        )
    })
}

/// An error of a name that is not one of `names`.
pub(super) fn unknown(kind: ErrorKind, message: String, name: &str, names: &[&str]) -> Error {
    let listed = names.join(", ");
    let error = Error::new(kind, message);
    match nearest(name, names.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`? There is: {listed}")),
        None => error.help(format!("there is: {listed}")),
    }
}
