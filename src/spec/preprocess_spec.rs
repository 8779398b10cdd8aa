//! The `preprocess` of a model: how an image becomes the network's input.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::schema_parts;
use crate::image::{Interpolation, Preprocess};

/// Mean and standard deviation of the channels, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum PreprocessPreset {
    /// ImageNet's means and standard deviations of red, green and blue, as torchvision's networks have them.
    Imagenet,
    /// Means and standard deviations of 0.5: the input is −1 to 1.
    Inception,
    /// Nothing is subtracted: the input is 0 to 1.
    Unit,
    /// The input is 0 to 255.
    Raw,
}

impl PreprocessPreset {
    /// Mean and standard deviation of each of `channels` channels; `None` where the preset is one of three colours, and there
    /// are not three.
    pub fn means_and_deviations(self, channels: usize) -> Option<[Vec<f64>; 2]> {
        let all = |mean: f64, std: f64| Some([vec![mean; channels], vec![std; channels]]);
        match self {
            PreprocessPreset::Imagenet if channels == 3 => {
                let Preprocess { mean, std, .. } = Preprocess::imagenet();
                Some([mean, std])
            }
            PreprocessPreset::Imagenet => None,
            PreprocessPreset::Inception => all(0.5, 0.5),
            PreprocessPreset::Unit => all(0.0, 1.0),
            PreprocessPreset::Raw => all(0.0, 1.0 / 255.0),
        }
    }
}

/// The preprocessing that a spec sets; keys that are absent are those of the weight set. A text alone is a preset.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
// `remote` makes inherent functions of the derived ones; the traits below add the short form.
#[serde(remote = "Self", deny_unknown_fields)]
#[schemars(transform = schema_parts::allow_preset)]
pub struct PreprocessSpec {
    /// Mean and standard deviation by a name; `mean` and `std` beside it hold instead of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<PreprocessPreset>,
    /// The length of the short side after resizing, in pixels, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<PixelLength>,
    /// The side of the square cut from the centre, in pixels, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<PixelLength>,
    /// The interpolation of the resizing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    /// The mean of each channel (red, green and blue), which is subtracted: 0 to 1, and any number for images of floats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1))]
    pub mean: Option<Vec<f64>>,
    /// The standard deviation of each channel, above 0, which the difference is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<PositiveNumber>>", length(min = 1))]
    pub std: Option<Vec<f64>>,
}

impl From<PreprocessPreset> for PreprocessSpec {
    fn from(preset: PreprocessPreset) -> Self {
        PreprocessSpec {
            preset: Some(preset),
            ..PreprocessSpec::default()
        }
    }
}

impl Serialize for PreprocessSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.preset {
            Some(preset) if *self == preset.into() => preset.serialize(serializer),
            _ => PreprocessSpec::serialize(self, serializer),
        }
    }
}

impl<'de> Deserialize<'de> for PreprocessSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PreprocessVisitor;
        impl<'de> Visitor<'de> for PreprocessVisitor {
            type Value = PreprocessSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a preset (`imagenet`, `inception`, `unit` or `raw`) or a map (`{resize: 256, crop: 224, …}`)",
                )
            }

            fn visit_str<E: de::Error>(self, preset: &str) -> Result<PreprocessSpec, E> {
                PreprocessPreset::deserialize(StrDeserializer::new(preset)).map(Into::into)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PreprocessSpec, A::Error> {
                PreprocessSpec::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(PreprocessVisitor)
    }
}

/// The schema of a number above 0.
struct PositiveNumber;

impl JsonSchema for PositiveNumber {
    fn schema_name() -> Cow<'static, str> {
        "PositiveNumber".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "exclusiveMinimum": 0 })
    }
}

/// A length in pixels, or `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PixelLength {
    /// `none`: the step is left out.
    None,
    /// At least 1.
    Pixels(u32),
}

impl PixelLength {
    /// The length, if there is one.
    pub fn pixels(self) -> Option<u32> {
        match self {
            PixelLength::None => None,
            PixelLength::Pixels(length) => Some(length),
        }
    }
}

impl Serialize for PixelLength {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            PixelLength::None => serializer.serialize_str("none"),
            PixelLength::Pixels(length) => serializer.serialize_u32(*length),
        }
    }
}

impl<'de> Deserialize<'de> for PixelLength {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LengthVisitor;
        impl Visitor<'_> for LengthVisitor {
            type Value = PixelLength;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a length of 1 or more pixels, or `none`")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<PixelLength, E> {
                if text == "none" {
                    Ok(PixelLength::None)
                } else {
                    Err(E::invalid_value(de::Unexpected::Str(text), &self))
                }
            }

            fn visit_u64<E: de::Error>(self, length: u64) -> Result<PixelLength, E> {
                match u32::try_from(length) {
                    Ok(length) if length > 0 => Ok(PixelLength::Pixels(length)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(length), &self)),
                }
            }
        }
        deserializer.deserialize_any(LengthVisitor)
    }
}

impl JsonSchema for PixelLength {
    fn schema_name() -> Cow<'static, str> {
        "PixelLength".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length in pixels, or `none`.",
            "anyOf": [{ "type": "integer", "minimum": 1, "maximum": u32::MAX }, { "const": "none" }]
        })
    }
}
