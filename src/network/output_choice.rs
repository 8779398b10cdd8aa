//! Which of a network's outputs an experiment explains: by its position or by its name.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An output of a network that has several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputChoice {
    /// By its position, counted from 0.
    Index(usize),
    /// By its name.
    Name(String),
}

impl fmt::Display for OutputChoice {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            OutputChoice::Index(index) => write!(f, "{index}"),
            OutputChoice::Name(name) => write!(f, "`{name}`"),
        }
    }
}

impl Serialize for OutputChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            OutputChoice::Index(index) => serializer.serialize_u64(*index as u64),
            OutputChoice::Name(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for OutputChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OutputVisitor;
        impl Visitor<'_> for OutputVisitor {
            type Value = OutputChoice;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("an output: its position, counted from 0, or its name")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<OutputChoice, E> {
                Ok(OutputChoice::Name(name.to_owned()))
            }

            fn visit_u64<E: de::Error>(self, index: u64) -> Result<OutputChoice, E> {
                let index = usize::try_from(index);
                index
                    .map(OutputChoice::Index)
                    .map_err(|_| E::custom("no network has so many outputs"))
            }
        }
        deserializer.deserialize_any(OutputVisitor)
    }
}

impl JsonSchema for OutputChoice {
    fn schema_name() -> Cow<'static, str> {
        "Output".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An output of a network that has several.",
            "anyOf": [
                { "type": "integer", "minimum": 0, "description": "Its position, counted from 0." },
                { "type": "string", "minLength": 1, "description": "Its name." }
            ]
        })
    }
}

impl From<usize> for OutputChoice {
    fn from(index: usize) -> Self {
        OutputChoice::Index(index)
    }
}

impl From<&str> for OutputChoice {
    fn from(name: &str) -> Self {
        OutputChoice::Name(name.to_owned())
    }
}
