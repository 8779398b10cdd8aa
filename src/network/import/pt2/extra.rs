//! What `scripts/export.py` writes into a `.pt2` file beside the network, as the extra file `convscope.json`: the defaults of
//! preprocessing and class names, and where the network comes from. Every key may be absent; unknown keys are ignored.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::archive::Archive;
use crate::error::Result;
use crate::image::{Interpolation, Preprocess};
use crate::network::labels::Labels;

/// The name of the extra file.
const NAME: &str = "convscope.json";

/// The longest text of `source`, `weights`, a version and a note, in bytes.
const TEXT_LIMIT: usize = 500;

/// How many notes are shown.
const NOTES_LIMIT: usize = 20;

/// What a `.pt2` file says of its network, for where an experiment says nothing.
#[derive(Debug, Clone, Default)]
pub struct Extra {
    /// What the network is: `timm:resnet18`.
    pub source: Option<String>,
    /// Its weights: `pretrained`, `untrained (seed 7)`, or the name of a weight file.
    pub weights: Option<String>,
    /// The versions of PyTorch and of the library that made the network, by name.
    pub versions: BTreeMap<String, String>,
    /// The preprocessing.
    pub preprocess: Option<Preprocess>,
    /// The names of the classes.
    pub labels: Option<Labels>,
}

/// The file's content.
#[derive(Debug, Deserialize)]
struct ExtraFile {
    source: Option<String>,
    weights: Option<String>,
    #[serde(default)]
    versions: BTreeMap<String, String>,
    preprocess: Option<PreprocessKeys>,
    labels: Option<Vec<String>>,
    #[serde(default)]
    notes: Vec<String>,
}

/// The keys of an experiment's `preprocess`.
#[derive(Debug, Deserialize)]
struct PreprocessKeys {
    resize: Option<Length>,
    crop: Option<Length>,
    interpolation: Option<Interpolation>,
    mean: Option<Vec<f64>>,
    std: Option<Vec<f64>>,
}

/// A length in pixels; `None` for `none`.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(try_from = "Value")]
struct Length(Option<u32>);

impl TryFrom<Value> for Length {
    type Error = String;

    fn try_from(value: Value) -> Result<Self, String> {
        let pixels = value.as_u64().and_then(|pixels| u32::try_from(pixels).ok());
        match (pixels, value.as_str()) {
            (Some(1..), _) => Ok(Length(pixels)),
            (_, Some("none")) => Ok(Length(None)),
            _ => Err("`resize` and `crop` must be 1 or more pixels, or `none`".to_owned()),
        }
    }
}

/// The versions that the extra file names; empty if there is none.
///
/// # Errors
/// If it is no JSON, is too large, or has a value of another type.
pub(super) fn versions(archive: &mut Archive) -> Result<BTreeMap<String, String>> {
    let file = archive.extra::<ExtraFile>(NAME)?;
    Ok(file.map(|file| file.versions).unwrap_or_default())
}

impl Extra {
    /// Reads the extra file of a network with `classes` classes and an input of `channels` channels and `side` pixels; empty if there is none.
    ///
    /// # Errors
    /// If it is no JSON, is too large, or has a value that is not allowed.
    pub(super) fn read(
        archive: &mut Archive,
        [channels, side]: [i64; 2],
        classes: usize,
        warnings: &mut Vec<String>,
    ) -> Result<Extra> {
        let Some(file) = archive.extra::<ExtraFile>(NAME)? else {
            return Ok(Extra::default());
        };
        let fault = |clause: String| archive.extra_fault(NAME, &clause);
        let texts = file.versions.iter().flat_map(|(name, text)| [name, text]);
        let texts = texts.chain(&file.source).chain(&file.weights);
        let texts = texts.chain(&file.notes);
        if let Some(long) = texts.map(String::len).find(|length| *length > TEXT_LIMIT) {
            let clause = format!("a text may have {TEXT_LIMIT} bytes, one has {long}");
            return Err(fault(clause));
        }
        let notes = file.notes.iter().take(NOTES_LIMIT);
        warnings.extend(notes.map(|note| archive.warning(&format!("says: {note}"))));
        let preprocess = match file.preprocess {
            Some(keys) => Some(keys.with_defaults(channels, side).map_err(fault)?),
            None => None,
        };
        let mut labels = file.labels.map(Labels::from_names);
        if let Some(count) = labels.as_ref().map(Labels::len)
            && count != classes
        {
            warnings.push(archive.warning(&format!(
                "has {count} class names, but the network has {classes} classes; the names are not used"
            )));
            labels = None;
        }
        Ok(Extra {
            source: file.source,
            weights: file.weights,
            versions: file.versions,
            preprocess,
            labels,
        })
    }

    /// What the network is, with its weights and versions in a line: `timm:resnet18, pretrained; timm 1.0.31, torch 2.13.0`.
    pub fn source_line(&self) -> Option<String> {
        let mut line = self.source.clone()?;
        if let Some(weights) = &self.weights {
            line.push_str(&format!(", {weights}"));
        }
        let versions = self.versions.iter();
        let versions: Vec<String> = versions.map(|(name, v)| format!("{name} {v}")).collect();
        if !versions.is_empty() {
            line.push_str(&format!("; {}", versions.join(", ")));
        }
        Some(line)
    }
}

impl PreprocessKeys {
    /// The preprocessing of ImageNet for inputs of `side` pixels (without its means unless there are three channels), with these keys in place of its values; else what is wrong.
    fn with_defaults(self, channels: i64, side: i64) -> Result<Preprocess, String> {
        let mut preprocess = Preprocess::for_input(u32::try_from(side).unwrap_or(224));
        let channels = usize::try_from(channels).unwrap_or(0);
        if channels != 3 {
            preprocess.mean = vec![0.0; channels];
            preprocess.std = vec![1.0; channels];
        }
        if let Some(resize) = self.resize {
            preprocess.resize = resize.0;
        }
        if let Some(crop) = self.crop {
            preprocess.crop = crop.0;
        }
        preprocess.interpolation = self.interpolation.unwrap_or(preprocess.interpolation);
        preprocess.mean = self.mean.unwrap_or(preprocess.mean);
        preprocess.std = self.std.unwrap_or(preprocess.std);
        let mut means = preprocess.mean.iter();
        // A mean beyond 0 to 1 is one of floats, which is checked for each image.
        if let Some(mean) = means.find(|mean| !mean.is_finite()) {
            return Err(format!("the values of `mean` must be numbers, got {mean}"));
        }
        for (key, values) in [("mean", &preprocess.mean), ("std", &preprocess.std)] {
            if values.len() != channels {
                let count = values.len();
                return Err(format!(
                    "`{key}` must have {channels} values, one for each channel, got {count}"
                ));
            }
        }
        let mut deviations = preprocess.std.iter();
        if let Some(std) = deviations.find(|std| !(std.is_finite() && **std > 0.0)) {
            return Err(format!("the values of `std` must be above 0, got {std}"));
        }
        Ok(preprocess)
    }
}
