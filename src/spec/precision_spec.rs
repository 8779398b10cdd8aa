//! `precision`: the precision of passes over many inputs. A text alone is that of passes without gradients.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, StrDeserializer};
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::network::{Precision, Precisions};

/// The precisions of an experiment: `bf16`, or a map with `passes` and `gradients`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct PrecisionSpec(pub Precisions);

impl PrecisionSpec {
    /// Whether everything is computed in float32, the default, which experiments leave out.
    pub fn is_float32(&self) -> bool {
        self.0.is_float32()
    }
}

impl Serialize for PrecisionSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.gradients {
            Precision::Float32 => self.0.passes.serialize(serializer),
            Precision::Bf16 => self.0.serialize(serializer),
        }
    }
}

/// The long form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct PrecisionMap {
    passes: Precision,
    gradients: Precision,
}

impl<'de> Deserialize<'de> for PrecisionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PrecisionVisitor;
        impl<'de> Visitor<'de> for PrecisionVisitor {
            type Value = PrecisionSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("`float32`, `bf16`, or a map with `passes` and `gradients`")
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<PrecisionSpec, E> {
                let passes = Precision::deserialize(StrDeserializer::new(name))?;
                Ok(PrecisionSpec(Precisions {
                    passes,
                    ..Precisions::default()
                }))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PrecisionSpec, A::Error> {
                let PrecisionMap { passes, gradients } =
                    PrecisionMap::deserialize(MapAccessDeserializer::new(map))?;
                Ok(PrecisionSpec(Precisions { passes, gradients }))
            }
        }
        deserializer.deserialize_any(PrecisionVisitor)
    }
}

impl JsonSchema for PrecisionSpec {
    fn schema_name() -> Cow<'static, str> {
        "PrecisionSpec".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let precision = generator.subschema_for::<Precision>();
        json_schema!({
            "description": "The precision of passes over many inputs; a text alone is that of passes without gradients.",
            "anyOf": [
                precision,
                {
                    "type": "object",
                    "properties": {
                        "passes": {
                            "description": "Of passes without gradients over many inputs: changed copies of an image, the images of a collection.",
                            "default": "float32",
                            "anyOf": [precision]
                        },
                        "gradients": {
                            "description": "Of gradients with respect to many copies of an image (SmoothGrad, VarGrad, integrated gradients).",
                            "default": "float32",
                            "anyOf": [precision]
                        }
                    },
                    "additionalProperties": false
                }
            ]
        })
    }
}
