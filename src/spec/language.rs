//! The languages of the report: a line each at the end of this file, and a word file each, `templates/words/TAG.yaml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Defines [`Lang`] from the languages and their tags (ISO 639-1). The first one is the default.
macro_rules! define_languages {
    ($first_name:literal: $first:ident = $first_tag:literal, $($name:literal: $lang:ident = $tag:literal,)*) => {
        /// A language of the report.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
        pub enum Lang {
            #[doc = $first_name]
            #[default]
            #[serde(rename = $first_tag)]
            $first,
            $(#[doc = $name] #[serde(rename = $tag)] $lang,)*
        }

        impl Lang {
            /// Every language, the default first.
            pub const ALL: &'static [Lang] = &[Lang::$first, $(Lang::$lang),*];

            /// The tag of the language in specs, in HTML's `lang` and in the name of its word file.
            pub fn tag(self) -> &'static str {
                match self {
                    Lang::$first => $first_tag,
                    $(Lang::$lang => $tag,)*
                }
            }
        }
    };
}

define_languages! {
    "English": En = "en",
    "Polish": Pl = "pl",
}
