//! The `preprocess` of a model: how an image becomes the network's input.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::image::Interpolation;

/// The preprocessing that a spec sets; keys that are absent are those of the weight set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PreprocessSpec {
    /// The length of the short side after resizing, in pixels, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resize: Option<PixelLength>,
    /// The side of the square cut from the centre, in pixels, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub crop: Option<PixelLength>,
    /// The interpolation of the resizing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interpolation: Option<Interpolation>,
    /// The mean of red, green and blue, from 0 to 1, which is subtracted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<[Fraction; 3]>")]
    pub mean: Option<[f64; 3]>,
    /// The standard deviation of red, green and blue, above 0, which the difference is divided by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<[PositiveNumber; 3]>")]
    pub std: Option<[f64; 3]>,
}

/// The schema of a number from 0 to 1.
struct Fraction;

impl JsonSchema for Fraction {
    fn schema_name() -> Cow<'static, str> {
        "Fraction".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0, "maximum": 1 })
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
