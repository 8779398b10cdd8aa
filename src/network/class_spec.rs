//! How a spec or an option names a class: by index, by name or WordNet id, as the prediction or as the label.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A class that methods and checks are to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassSpec {
    /// The network's prediction (networks may differ).
    Predicted,
    /// The image's true class; skipped for images without one.
    Label,
    /// By index.
    Index(usize),
    /// By name or WordNet id.
    Name(String),
}

impl Serialize for ClassSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassSpec::Predicted => serializer.serialize_str("predicted"),
            ClassSpec::Label => serializer.serialize_str("label"),
            ClassSpec::Index(index) => serializer.serialize_u64(*index as u64),
            ClassSpec::Name(name) => serializer.serialize_str(name),
        }
    }
}

impl<'de> Deserialize<'de> for ClassSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ClassVisitor;
        impl Visitor<'_> for ClassVisitor {
            type Value = ClassSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a class: `predicted`, `label`, a name, a WordNet id or an index")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<ClassSpec, E> {
                Ok(name.into())
            }

            fn visit_u64<E: de::Error>(self, index: u64) -> Result<ClassSpec, E> {
                let index = usize::try_from(index);
                index
                    .map(ClassSpec::Index)
                    .map_err(|_| E::custom("no network has so many classes"))
            }
        }
        deserializer.deserialize_any(ClassVisitor)
    }
}

impl JsonSchema for ClassSpec {
    fn schema_name() -> Cow<'static, str> {
        "Class".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A class that methods and checks are to explain.",
            "anyOf": [
                { "const": "predicted", "description": "The network's prediction (networks may differ)." },
                { "const": "label", "description": "The image's true class; skipped for images without one." },
                { "type": "integer", "minimum": 0, "description": "By index." },
                { "type": "string", "minLength": 1, "description": "By name or WordNet id." }
            ]
        })
    }
}

/// `predicted` and `label` mean what they mean in a spec; anything else is a name or a WordNet id.
impl From<&str> for ClassSpec {
    fn from(name: &str) -> Self {
        match name {
            "predicted" => ClassSpec::Predicted,
            "label" => ClassSpec::Label,
            _ => ClassSpec::Name(name.to_owned()),
        }
    }
}

impl From<usize> for ClassSpec {
    fn from(index: usize) -> Self {
        ClassSpec::Index(index)
    }
}
