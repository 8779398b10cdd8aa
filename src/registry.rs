//! Lists of things that a spec calls by name, with options or without: methods and checks.
//!
//! One line in such a list is all that a new entry needs: from it follow the enum, how YAML is read and
//! written, and the JSON schema.

/// Makes an enum from a list: the YAML key, the variant, and the type of its options.
macro_rules! list {
    (
        $(#[$about:meta])*
        $name:ident as $one:ident: dyn $behind:ident, called $called:literal, for example $example:literal;
        $($key:literal => $variant:ident($config:ty)),* $(,)?
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("`", $key, "`")] $variant($config),)*
        }

        impl $name {
            /// Every entry's YAML key.
            pub const NAMES: &'static [&'static str] = &[$($key),*];

            /// The entry's YAML key.
            pub fn name(&self) -> &'static str {
                match self { $($name::$variant(_) => $key,)* }
            }

            /// What is behind the entry.
            pub fn $one(&self) -> &dyn $behind {
                match self { $($name::$variant(config) => config,)* }
            }
        }

        $(impl From<$config> for $name {
            fn from(config: $config) -> Self {
                $name::$variant(config)
            }
        })*

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(Some(1))?;
                match self { $($name::$variant(config) => map.serialize_entry($key, config)?,)* }
                map.end()
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> std::result::Result<Self, D::Error> {
                use serde::de::{Error, MapAccess, Visitor};
                struct One;
                impl<'de> Visitor<'de> for One {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                        f.write_str(concat!(
                            "a ", stringify!($one), ": its name, or its name with options (", $example, ")"
                        ))
                    }

                    fn visit_str<E: Error>(self, name: &str) -> std::result::Result<$name, E> {
                        match name {
                            $($key => Ok($name::$variant(Default::default())),)*
                            _ => Err(E::unknown_variant(name, $name::NAMES)),
                        }
                    }

                    fn visit_map<A: MapAccess<'de>>(
                        self,
                        mut map: A,
                    ) -> std::result::Result<$name, A::Error> {
                        let name: String = map.next_key()?.ok_or_else(|| {
                            Error::custom(concat!("an empty map names no ", stringify!($one)))
                        })?;
                        let found = match name.as_str() {
                            // `saliency:` with nothing behind it means its defaults.
                            $($key => $name::$variant(
                                map.next_value::<Option<$config>>()?.unwrap_or_default(),
                            ),)*
                            _ => return Err(Error::unknown_variant(&name, $name::NAMES)),
                        };
                        match map.next_key::<String>()? {
                            None => Ok(found),
                            Some(second) => Err(Error::custom(format!(
                                concat!(
                                    "`{second}` stands in the same entry as `{name}`; give each ",
                                    stringify!($one),
                                    " an entry of its own"
                                ),
                                second = second,
                                name = name,
                            ))),
                        }
                    }
                }
                deserializer.deserialize_any(One)
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                $called.into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let with_options = vec![$({
                    let config = generator.subschema_for::<$config>();
                    schemars::json_schema!({
                        "type": "object",
                        "properties": { $key: { "anyOf": [config, { "type": "null" }] } },
                        "required": [$key],
                        "additionalProperties": false
                    })
                }),*];
                schemars::json_schema!({
                    "description": concat!("A ", stringify!($one), ": its name, or its name with options."),
                    "anyOf": [{ "enum": $name::NAMES }, { "oneOf": with_options }]
                })
            }
        }
    };
}

pub(crate) use list;
