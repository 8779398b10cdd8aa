//! Registries of methods and checks, which a spec names with or without options.
//!
//! A new entry needs a file and one line in a registry. From that line the macro generates the module, the enum, the
//! YAML format, the JSON schema and the export in the prelude.

/// Generates modules and an enum from a list of `key: Options`. The key is the YAML key and the name of the module that
/// defines the type of the options.
macro_rules! list {
    (
        $(#[$about:meta])*
        $name:ident as $one:ident: dyn $entry_trait:ident, called $called:literal, for example $example:literal;
        $($key:ident: $config:ident),* $(,)?
    ) => {
        $(pub mod $key;)*

        /// The option types of all entries.
        pub mod all {
            $(pub use super::$key::$config;)*
        }

        $(#[$about])*
        #[derive(Debug, Clone, PartialEq)]
        pub enum $name {
            $(#[doc = concat!("`", stringify!($key), "`")] $config($key::$config),)*
        }

        impl $name {
            /// Every entry's YAML key.
            pub const NAMES: &'static [&'static str] = &[$(stringify!($key)),*];

            /// Every entry with its default options.
            pub fn all() -> Vec<Self> {
                vec![$($name::$config(Default::default())),*]
            }

            /// The entry's YAML key.
            pub fn name(&self) -> &'static str {
                match self { $($name::$config(_) => stringify!($key),)* }
            }

            /// Checks that every option is in the range of its JSON schema.
            ///
            /// # Errors
            /// For the first option that is not.
            pub fn check_ranges(&self) -> std::result::Result<(), $crate::option_ranges::OutOfRange> {
                match self { $($name::$config(config) => $crate::option_ranges::check_ranges(config),)* }
            }

            /// The JSON schema of the options, with their ranges and defaults.
            pub fn options_schema(&self) -> schemars::Schema {
                match self { $($name::$config(_) => schemars::schema_for!($key::$config),)* }
            }

            /// The entry as a trait object.
            pub fn $one(&self) -> &dyn $entry_trait {
                match self { $($name::$config(config) => config,)* }
            }
        }

        $(impl From<$key::$config> for $name {
            fn from(config: $key::$config) -> Self {
                $name::$config(config)
            }
        })*

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(
                &self,
                serializer: S,
            ) -> std::result::Result<S::Ok, S::Error> {
                use serde::ser::SerializeMap;
                let mut map = serializer.serialize_map(Some(1))?;
                match self { $($name::$config(config) => map.serialize_entry(stringify!($key), config)?,)* }
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
                            $(stringify!($key) => Ok($name::$config(Default::default())),)*
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
                            // `saliency:` without a value means its defaults.
                            $(stringify!($key) => $name::$config(
                                map.next_value::<Option<$key::$config>>()?.unwrap_or_default(),
                            ),)*
                            _ => return Err(Error::unknown_variant(&name, $name::NAMES)),
                        };
                        match map.next_key::<String>()? {
                            None => Ok(found),
                            Some(second) => Err(Error::custom(format!(
                                concat!(
                                    "`{second}` is in the same entry as `{name}`; give each ",
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
                    let config = generator.subschema_for::<$key::$config>();
                    schemars::json_schema!({
                        "type": "object",
                        "properties": { (stringify!($key)): { "anyOf": [config, { "type": "null" }] } },
                        "required": [stringify!($key)],
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
