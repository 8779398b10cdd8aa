//! How a spec or an option names what is explained: a class (by index, by name or WordNet id, as the prediction or as the
//! label), a class rather than another one, or the similarity to a reference image.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::selector::LayerSelector;

/// What methods and checks are to explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClassSpec {
    /// The network's prediction (networks may differ). Of a network with independent classes all that it finds likely.
    Predicted,
    /// The image's true class; skipped for images without one.
    Label,
    /// By index.
    Index(usize),
    /// By name or WordNet id.
    Name(String),
    /// A class rather than another one: the difference of their logits.
    Contrast {
        /// The class.
        a: Box<ClassSpec>,
        /// The other one.
        instead_of: Box<ClassSpec>,
    },
    /// The similarity to a reference image: the cosine of the codes of a layer.
    Like {
        /// An image of the experiment by its id, or a file.
        like: String,
        /// The layer.
        layer: LayerSelector,
    },
}

impl ClassSpec {
    /// A class rather than another one.
    pub fn contrast(a: impl Into<ClassSpec>, instead_of: impl Into<ClassSpec>) -> Self {
        ClassSpec::Contrast {
            a: Box::new(a.into()),
            instead_of: Box::new(instead_of.into()),
        }
    }

    /// The similarity to a reference image, by the codes of the layer before the classifier.
    pub fn like(image: impl Into<String>) -> Self {
        ClassSpec::Like {
            like: image.into(),
            layer: penultimate(),
        }
    }
}

impl fmt::Display for ClassSpec {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ClassSpec::Predicted => f.write_str("predicted"),
            ClassSpec::Label => f.write_str("label"),
            ClassSpec::Index(index) => write!(f, "{index}"),
            ClassSpec::Name(name) => f.write_str(name),
            ClassSpec::Contrast { a, instead_of } => write!(f, "{a} instead of {instead_of}"),
            ClassSpec::Like { like, .. } => write!(f, "like {like}"),
        }
    }
}

fn penultimate() -> LayerSelector {
    LayerSelector("penultimate".into())
}

/// The keys of a contrast or a likeness.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetKeys {
    a: Option<ClassSpec>,
    instead_of: Option<ClassSpec>,
    like: Option<String>,
    layer: Option<LayerSelector>,
}

impl TargetKeys {
    fn into_spec<E: de::Error>(self) -> Result<ClassSpec, E> {
        let sides = (self.a, self.instead_of);
        match (sides, self.like, self.layer) {
            ((Some(a), Some(instead_of)), None, None) => {
                if a == instead_of {
                    return Err(E::custom(format!(
                        "`a` and `instead_of` must be two classes, got `{a}` for both"
                    )));
                }
                let nested = |class: &ClassSpec| {
                    matches!(class, ClassSpec::Contrast { .. } | ClassSpec::Like { .. })
                };
                if nested(&a) || nested(&instead_of) {
                    return Err(E::custom(
                        "`a` and `instead_of` must each be a class: `predicted`, `label`, a name, a WordNet id or an index",
                    ));
                }
                Ok(ClassSpec::contrast(a, instead_of))
            }
            ((None, None), Some(like), layer) => Ok(ClassSpec::Like {
                like,
                layer: layer.unwrap_or_else(penultimate),
            }),
            _ => Err(E::custom(
                "a target must have the keys `a` and `instead_of`, or `like` and, if it is another than `penultimate`, `layer`",
            )),
        }
    }
}

#[derive(Serialize)]
struct Contrast<'a> {
    a: &'a ClassSpec,
    instead_of: &'a ClassSpec,
}

#[derive(Serialize)]
struct Likeness<'a> {
    like: &'a str,
    layer: &'a LayerSelector,
}

impl Serialize for ClassSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassSpec::Predicted => serializer.serialize_str("predicted"),
            ClassSpec::Label => serializer.serialize_str("label"),
            ClassSpec::Index(index) => serializer.serialize_u64(*index as u64),
            ClassSpec::Name(name) => serializer.serialize_str(name),
            ClassSpec::Contrast { a, instead_of } => {
                Contrast { a, instead_of }.serialize(serializer)
            }
            ClassSpec::Like { like, layer } => Likeness { like, layer }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for ClassSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ClassVisitor;
        impl<'de> Visitor<'de> for ClassVisitor {
            type Value = ClassSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a class (`predicted`, `label`, a name, a WordNet id or an index), `{a: CLASS, instead_of: CLASS}` or `{like: IMAGE, layer: LAYER}`",
                )
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

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ClassSpec, A::Error> {
                TargetKeys::deserialize(MapAccessDeserializer::new(map))?.into_spec()
            }
        }
        deserializer.deserialize_any(ClassVisitor)
    }
}

impl JsonSchema for ClassSpec {
    fn schema_name() -> Cow<'static, str> {
        "Class".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let layer = generator.subschema_for::<LayerSelector>();
        let class = json_schema!({
            "anyOf": [
                { "const": "predicted", "description": "The network's prediction (networks may differ)." },
                { "const": "label", "description": "The image's true class; skipped for images without one." },
                { "type": "integer", "minimum": 0, "description": "By index." },
                { "type": "string", "minLength": 1, "description": "By name or WordNet id." }
            ]
        });
        let mut all = class.clone();
        all.insert(
            "description".into(),
            "What methods and checks are to explain.".into(),
        );
        if let Some(serde_json::Value::Array(kinds)) = all.get_mut("anyOf") {
            kinds.push(serde_json::json!({
                "type": "object",
                "description": "A class rather than another one: the difference of their logits.",
                "properties": { "a": class, "instead_of": class },
                "required": ["a", "instead_of"],
                "additionalProperties": false
            }));
            kinds.push(serde_json::json!({
                "type": "object",
                "description": "The similarity to a reference image: the cosine of the codes of a layer.",
                "properties": {
                    "like": { "type": "string", "minLength": 1, "description": "An image of the experiment by its id, or a file." },
                    "layer": layer
                },
                "required": ["like"],
                "additionalProperties": false
            }));
        }
        all
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
