//! `collection`: the large set of images that some methods search. A text alone is a folder.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

use super::image_spec::ImageSpec;

/// Folders, tables and lists of files, packs and files, in order; a text alone is a folder.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct CollectionSpec(pub Vec<ImageSpec>);

impl CollectionSpec {
    /// Whether the spec names no collection; the methods then search the experiment's own images.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An entry of the collection: like an entry of `images`, but a text alone is a folder and not a file.
struct CollectionEntry(ImageSpec);

impl<'de> Deserialize<'de> for CollectionEntry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntryVisitor;
        impl<'de> Visitor<'de> for EntryVisitor {
            type Value = CollectionEntry;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str(
                    "a folder, or a map with `dir`, `labels`, `list`, `tar`, `pack` or `path`",
                )
            }

            fn visit_str<E: de::Error>(self, dir: &str) -> Result<CollectionEntry, E> {
                Ok(CollectionEntry(ImageSpec::dir(dir)))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CollectionEntry, A::Error> {
                ImageSpec::deserialize(MapAccessDeserializer::new(map)).map(CollectionEntry)
            }
        }
        deserializer.deserialize_any(EntryVisitor)
    }
}

impl<'de> Deserialize<'de> for CollectionSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CollectionVisitor;
        impl<'de> Visitor<'de> for CollectionVisitor {
            type Value = CollectionSpec;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a folder, a map with `dir`, `labels`, `list`, `tar`, `pack` or `path`, or a list of these")
            }

            fn visit_str<E: de::Error>(self, dir: &str) -> Result<CollectionSpec, E> {
                Ok(CollectionSpec(vec![ImageSpec::dir(dir)]))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<CollectionSpec, A::Error> {
                let entry = ImageSpec::deserialize(MapAccessDeserializer::new(map))?;
                Ok(CollectionSpec(vec![entry]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<CollectionSpec, A::Error> {
                let mut entries = Vec::new();
                while let Some(CollectionEntry(entry)) = list.next_element()? {
                    entries.push(entry);
                }
                Ok(CollectionSpec(entries))
            }
        }
        deserializer.deserialize_any(CollectionVisitor)
    }
}

impl JsonSchema for CollectionSpec {
    fn schema_name() -> Cow<'static, str> {
        "Collection".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let entry = generator.subschema_for::<ImageSpec>();
        json_schema!({
            "anyOf": [entry, { "type": "array", "items": entry, "minItems": 1 }]
        })
    }
}
