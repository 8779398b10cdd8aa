//! The short ways of writing: a name for a network, a path for a picture, a word or a number for a
//! class. Here is how they are read and written, and what the JSON schema says of them.
//!
//! All of it by hand-written visitors: serde's untagged enums read into a buffer first and lose the
//! place of an error.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{ImageSpec, ModelSpec, SizeOrNone};
use crate::network::zoo;

impl Serialize for ModelSpec {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        ModelSpec::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for ModelSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Network;
        impl<'de> Visitor<'de> for Network {
            type Value = ModelSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a network: its name (`resnet50`) or a map (`{arch: resnet50, weights: …}`)",
                )
            }

            fn visit_str<E: de::Error>(self, arch: &str) -> Result<ModelSpec, E> {
                Ok(ModelSpec::new(arch))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ModelSpec, A::Error> {
                ModelSpec::deserialize(MapAccessDeserializer::new(map))
            }
        }
        deserializer.deserialize_any(Network)
    }
}

/// The keys of all three sorts of pictures; which sort it is follows from those that are there.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ImageMap {
    pack: Option<String>,
    pick: Option<OneOrSeveral>,
    path: Option<PathBuf>,
    id: Option<String>,
    class: Option<String>,
    dir: Option<PathBuf>,
    limit: Option<usize>,
    #[serde(rename = "box")]
    bounds: Option<[f64; 4]>,
    mask: Option<PathBuf>,
}

impl ImageMap {
    fn sorted<E: de::Error>(self) -> Result<ImageSpec, E> {
        let given = [
            ("pack", self.pack.is_some()),
            ("path", self.path.is_some()),
            ("dir", self.dir.is_some()),
        ];
        let given: Vec<&str> = given
            .iter()
            .filter(|(_, is)| *is)
            .map(|(key, _)| *key)
            .collect();
        let sort = match given[..] {
            [sort] => sort,
            [] => {
                return Err(E::custom(
                    "a picture needs `path`, `dir` or `pack`; write for example `path: photos/cat.jpg`",
                ));
            }
            [first, second, ..] => {
                return Err(E::custom(format!(
                    "`{second}` and `{first}` can't stand in one entry; give each an entry of its own"
                )));
            }
        };
        let owners = [
            ("pick", "pack", self.pick.is_some()),
            ("id", "path", self.id.is_some()),
            ("class", "path", self.class.is_some()),
            ("limit", "dir", self.limit.is_some()),
            ("mask", "path", self.mask.is_some()),
        ];
        if let Some((key, owner, _)) = owners.iter().find(|(_, owner, is)| *is && *owner != sort) {
            return Err(E::custom(format!(
                "`{key}` goes with `{owner}`, and this entry has `{sort}`; leave it out"
            )));
        }
        if self.bounds.is_some() && sort == "dir" {
            return Err(E::custom(
                "`box` goes with `path` or `pack`, and this entry has `dir`; leave it out",
            ));
        }
        Ok(match (self.pack, self.dir) {
            (Some(pack), _) => ImageSpec::Pack {
                pack,
                pick: self.pick.map_or_else(Vec::new, |pick| pick.0),
                bounds: self.bounds,
            },
            (_, Some(dir)) => ImageSpec::Dir {
                dir,
                limit: self.limit,
            },
            _ => ImageSpec::Path {
                path: self.path.unwrap_or_default(),
                id: self.id,
                class: self.class,
                bounds: self.bounds,
                mask: self.mask,
            },
        })
    }
}

impl<'de> Deserialize<'de> for ImageSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Picture;
        impl<'de> Visitor<'de> for Picture {
            type Value = ImageSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a picture: its path, or a map with `path`, `dir` or `pack`")
            }

            fn visit_str<E: de::Error>(self, path: &str) -> Result<ImageSpec, E> {
                Ok(ImageSpec::Path {
                    path: path.into(),
                    id: None,
                    class: None,
                    bounds: None,
                    mask: None,
                })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ImageSpec, A::Error> {
                ImageMap::deserialize(MapAccessDeserializer::new(map))?.sorted()
            }
        }
        deserializer.deserialize_any(Picture)
    }
}

impl Serialize for SizeOrNone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            SizeOrNone::None => serializer.serialize_str("none"),
            SizeOrNone::Size(size) => serializer.serialize_u32(*size),
        }
    }
}

impl<'de> Deserialize<'de> for SizeOrNone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Length;
        impl Visitor<'_> for Length {
            type Value = SizeOrNone;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a length in pixels, or `none`")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<SizeOrNone, E> {
                match word {
                    "none" => Ok(SizeOrNone::None),
                    _ => Err(E::invalid_value(de::Unexpected::Str(word), &self)),
                }
            }

            fn visit_u64<E: de::Error>(self, size: u64) -> Result<SizeOrNone, E> {
                match u32::try_from(size) {
                    Ok(size) if size > 0 => Ok(SizeOrNone::Size(size)),
                    _ => Err(E::invalid_value(de::Unexpected::Unsigned(size), &self)),
                }
            }
        }
        deserializer.deserialize_any(Length)
    }
}

impl JsonSchema for SizeOrNone {
    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A length in pixels, or `none`.",
            "anyOf": [{ "type": "integer", "minimum": 1, "maximum": u32::MAX }, { "const": "none" }]
        })
    }
}

/// One word or a list of them.
pub(super) struct OneOrSeveral(pub Vec<String>);

impl<'de> Deserialize<'de> for OneOrSeveral {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl<'de> Visitor<'de> for Words {
            type Value = OneOrSeveral;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a class name, a file stem or a number, or a list of them")
            }

            fn visit_str<E: de::Error>(self, word: &str) -> Result<OneOrSeveral, E> {
                Ok(OneOrSeveral(vec![word.to_owned()]))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<OneOrSeveral, E> {
                Ok(OneOrSeveral(vec![number.to_string()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<OneOrSeveral, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(list)).map(OneOrSeveral)
            }
        }
        deserializer.deserialize_any(Words)
    }
}

impl JsonSchema for OneOrSeveral {
    fn schema_name() -> Cow<'static, str> {
        "OneOrSeveral".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let one = ["string", "integer"];
        json_schema!({
            "anyOf": [{ "type": one }, { "type": "array", "items": { "type": one }, "minItems": 1 }]
        })
    }
}

/// Text or a number that is kept as text.
pub(super) struct NameOrNumber;

impl JsonSchema for NameOrNumber {
    fn schema_name() -> Cow<'static, str> {
        "NameOrNumber".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"] })
    }
}

/// A name that is fit for a tensor's key.
pub(super) struct Id;

impl JsonSchema for Id {
    fn schema_name() -> Cow<'static, str> {
        "Id".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "integer"], "pattern": "^[A-Za-z0-9.-][A-Za-z0-9_.-]*$" })
    }
}

/// A name of the zoo.
pub(super) struct Architecture;

impl JsonSchema for Architecture {
    fn schema_name() -> Cow<'static, str> {
        "Architecture".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<&str> = zoo::architectures().map(|arch| arch.name).collect();
        json_schema!({ "description": "An architecture.", "enum": names })
    }
}

/// The schema of a network's map, with the name alone beside it.
pub(super) fn or_architecture(schema: &mut Schema) {
    or(schema, json_schema!({ "$ref": "#/$defs/Architecture" }));
}

/// The schema of a picture's maps, with the path alone beside them.
pub(super) fn or_path(schema: &mut Schema) {
    or(
        schema,
        json_schema!({ "type": "string", "minLength": 1, "description": "One file, from the spec's folder." }),
    );
}

fn or(schema: &mut Schema, short: Schema) {
    let description = schema.remove("description");
    let long = std::mem::take(schema);
    let all = match long.get("anyOf") {
        Some(serde_json::Value::Array(several)) => several.clone(),
        _ => vec![long.to_value()],
    };
    let all: Vec<serde_json::Value> = std::iter::once(short.to_value()).chain(all).collect();
    schema.insert("anyOf".into(), all.into());
    if let Some(description) = description {
        schema.insert("description".into(), description);
    }
}
