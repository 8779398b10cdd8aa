//! `collection`: the large set of images that some methods look through, in its short and long forms.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::ImageSpec;

/// Folders, packs and files, in order; a text alone is a folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CollectionSpec(pub Vec<ImageSpec>);

impl CollectionSpec {
    /// Whether the spec names none: then the experiment's own images stand in.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An entry of the collection, where a text is a folder and not a file.
struct Entry(ImageSpec);

fn folder(dir: &str) -> ImageSpec {
    ImageSpec::Dir {
        dir: dir.into(),
        limit: None,
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct One;
        impl<'de> Visitor<'de> for One {
            type Value = Entry;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a folder, or a map with `dir`, `pack` or `path`")
            }

            fn visit_str<E: de::Error>(self, dir: &str) -> Result<Entry, E> {
                Ok(Entry(folder(dir)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Entry, A::Error> {
                ImageSpec::deserialize(MapAccessDeserializer::new(map)).map(Entry)
            }
        }
        deserializer.deserialize_any(One)
    }
}

impl<'de> Deserialize<'de> for CollectionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Entries;
        impl<'de> Visitor<'de> for Entries {
            type Value = CollectionSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a folder, a map with `dir`, `pack` or `path`, or a list of these")
            }

            fn visit_str<E: de::Error>(self, dir: &str) -> Result<CollectionSpec, E> {
                Ok(CollectionSpec(vec![folder(dir)]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CollectionSpec, A::Error> {
                let one = ImageSpec::deserialize(MapAccessDeserializer::new(map))?;
                Ok(CollectionSpec(vec![one]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CollectionSpec, A::Error> {
                let mut all = Vec::new();
                while let Some(Entry(one)) = list.next_element()? {
                    all.push(one);
                }
                Ok(CollectionSpec(all))
            }
        }
        deserializer.deserialize_any(Entries)
    }
}

impl JsonSchema for CollectionSpec {
    fn schema_name() -> Cow<'static, str> {
        "Collection".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<ImageSpec>();
        json_schema!({
            "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }]
        })
    }
}
