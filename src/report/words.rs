//! The texts of the report in one language.
//!
//! A language is one file, `templates/words/TAG.yaml`. Every key has a text, whose gaps are filled by the page:
//!
//! - `{network}` is replaced by the value of the gap `network`;
//! - `{images:count.images}` is replaced by the text at `count.images`, with the gap's value as its `count`.
//!
//! A text that depends on a number is a map of its plural forms, by the categories of CLDR (`one`, `few`, `many`,
//! `other`); `by` names the gap that selects the form, if it is not `count`:
//!
//! ```yaml
//! count.images: {one: "{count} image", other: "{count} images"}
//! norms.dead: {by: dead, one: "{dead} of {of} kernels is dead", other: "{dead} of {of} kernels are dead"}
//! ```
//!
//! A key that a language lacks is looked up in English, whose texts about methods and checks are beside these.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use icu_locale_core::Locale;
use icu_plurals::{PluralCategory, PluralRules, PluralRulesOptions};
use serde::Deserialize;

use super::embedded::language_files;
use super::number_format::NumberFormat;
use crate::checks::CheckSpec;
use crate::figures::Note;
use crate::methods::MethodSpec;
use crate::results::Failure;
use crate::spec::Lang;

/// All languages, by their tags.
static LANGUAGES: LazyLock<BTreeMap<String, Arc<Language>>> = LazyLock::new(|| {
    let english = tag(Lang::En);
    let language = |(tag, yaml): (&str, &str)| {
        let mut language = Language::from_yaml(tag, yaml);
        if tag == english {
            language.add_methods_and_checks();
        }
        (tag.to_owned(), Arc::new(language))
    };
    language_files().map(language).collect()
});

/// The texts of one language file.
#[derive(Debug)]
struct Language {
    tag: String,
    texts: BTreeMap<String, Text>,
    numbers: NumberFormat,
}

/// A text, or its plural forms.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Plural(PluralForms),
}

/// The forms of a text that depends on a number.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct PluralForms {
    /// The gap whose number selects the form.
    #[serde(default = "default_plural_gap")]
    by: String,
    one: Option<String>,
    few: Option<String>,
    many: Option<String>,
    other: String,
}

fn default_plural_gap() -> String {
    "count".to_owned()
}

impl PluralForms {
    /// The text of a category: that of `other` where the language file has none.
    fn form(&self, category: PluralCategory) -> &str {
        let form = match category {
            PluralCategory::One => &self.one,
            PluralCategory::Few => &self.few,
            PluralCategory::Many => &self.many,
            _ => &None,
        };
        form.as_ref().unwrap_or(&self.other)
    }
}

impl Language {
    fn from_yaml(tag: &str, yaml: &str) -> Language {
        let mut language = Language {
            tag: tag.to_owned(),
            // The files are built in, and a test reads them; without texts every key is shown instead.
            texts: serde_yaml::from_str(yaml).unwrap_or_default(),
            numbers: NumberFormat::default(),
        };
        language.numbers = NumberFormat::new(|key| language.find(key, &[]));
        language
    }

    /// Adds the English texts that stand beside the methods and the checks.
    fn add_methods_and_checks(&mut self) {
        let methods = MethodSpec::all();
        let methods = methods.iter().flat_map(|spec| spec.method().info().texts());
        let checks = CheckSpec::all();
        let checks = checks.iter().flat_map(|spec| spec.check().info().texts());
        for (key, text) in methods.chain(checks) {
            self.texts.insert(key, Text::Plain(text.to_owned()));
        }
    }

    /// The category of the number written in `value`: `other` for one with decimals, and in a language that CLDR doesn't
    /// know.
    fn category(&self, value: &str) -> PluralCategory {
        // Made anew each time: the rules can't be shared between threads, and their data is built in.
        let rules = || {
            let locale: Locale = self.tag.parse().ok()?;
            PluralRules::try_new((&locale).into(), PluralRulesOptions::default()).ok()
        };
        match (self.numbers.parse_integer(value), rules()) {
            (Some(number), Some(rules)) => rules.category_for(number),
            _ => PluralCategory::Other,
        }
    }

    /// The text at `key` with its gaps filled; `None` where the key or the value of a gap is missing.
    fn find(&self, key: &str, gaps: &[(&str, &str)]) -> Option<String> {
        let value = |name: &str| Some(gaps.iter().find(|(gap, _)| *gap == name)?.1);
        let mut rest = match self.texts.get(key)? {
            Text::Plain(text) => text.as_str(),
            Text::Plural(forms) => forms.form(self.category(value(&forms.by)?)),
        };
        let mut filled = String::with_capacity(rest.len());
        while let Some((before, gap)) = rest.split_once('{') {
            let (gap, after) = gap.split_once('}')?;
            filled.push_str(before);
            match gap.split_once(':') {
                Some((name, noun)) => {
                    filled.push_str(&self.find(noun, &[("count", value(name)?)])?);
                }
                None => filled.push_str(value(gap)?),
            }
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }
}

/// The texts and the number format of a language; cheap to clone.
#[derive(Debug, Clone)]
pub struct Words {
    language: Arc<Language>,
    english: Arc<Language>,
}

impl Words {
    /// The words of `lang`.
    pub fn new(lang: Lang) -> Words {
        let language = |tag: &str| {
            let found = LANGUAGES.get(tag).cloned();
            found.unwrap_or_else(|| Arc::new(Language::from_yaml(tag, "{}")))
        };
        Words {
            language: language(&tag(lang)),
            english: language(&tag(Lang::En)),
        }
    }

    /// The language's tag: `en`.
    pub fn tag(&self) -> &str {
        &self.language.tag
    }

    /// Every key of the language's own file, with all forms of its text.
    pub fn entries(&self) -> impl Iterator<Item = (&str, Vec<&str>)> {
        let entries = self.language.texts.iter();
        entries.map(|(key, text)| match text {
            Text::Plain(text) => (key.as_str(), vec![text.as_str()]),
            Text::Plural(forms) => {
                let all = [&forms.one, &forms.few, &forms.many];
                let all = all.into_iter().flatten().chain([&forms.other]);
                (key.as_str(), all.map(String::as_str).collect())
            }
        })
    }

    /// The text at `key` with its gaps filled, in English where the language lacks it; `None` where English lacks it,
    /// too, or the value of a gap is missing.
    pub fn find(&self, key: &str, gaps: &[(&str, &str)]) -> Option<String> {
        let own = self.language.find(key, gaps);
        own.or_else(|| self.english.find(key, gaps))
    }

    /// As [`find`](Self::find), or the key itself, so that nothing is left out.
    pub fn text(&self, key: &str, gaps: &[(&str, &str)]) -> String {
        self.find(key, gaps).unwrap_or_else(|| key.to_owned())
    }

    /// The message where a network has no figure: what failed, or that the experiment has none there.
    pub fn missing_figure(&self, failure: Option<&Failure>) -> String {
        match failure {
            Some(failure) => self.text("cell.failed", &[("message", &failure.message)]),
            None => self.text("cell.none", &[]),
        }
    }

    /// The text of a note, its decimal numbers in the language's format; its key and values where no text is known.
    pub fn note(&self, note: &Note) -> String {
        let format = |value: &String| match value.parse::<f64>() {
            Ok(number) if value.contains('.') => self.number(number),
            _ => value.clone(),
        };
        let values: Vec<(&String, String)> = note
            .values
            .iter()
            .map(|(name, value)| (name, format(value)))
            .collect();
        let gaps: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.find(&note.key, &gaps).unwrap_or_else(|| {
            let values: Vec<String> = gaps.iter().map(|(n, v)| format!("{n}: {v}")).collect();
            format!("{} {}", note.key, values.join(", "))
                .trim()
                .to_owned()
        })
    }

    /// `value` with `digits` decimals.
    pub fn fixed(&self, value: f64, digits: usize) -> String {
        self.language.numbers.fixed(value, digits)
    }

    /// The same with a minus sign, and none before a zero.
    pub fn signed(&self, value: f64, digits: usize) -> String {
        self.language.numbers.signed(value, digits)
    }

    /// A whole number in groups of three digits.
    pub fn integer(&self, value: u64) -> String {
        self.language.numbers.integer(value)
    }

    /// Three significant digits; with a power of ten below 0.001 and from 100 000 on.
    pub fn number(&self, value: f64) -> String {
        self.language.numbers.number(value)
    }

    /// A share, 0 to 1, in per cent with one decimal; `< 0.1` and `> 99.9` where it would round to 0 or 100.
    pub fn percent(&self, share: f64) -> String {
        self.language.numbers.percent(share)
    }

    /// A share, 0 to 1, in per cent with `digits` decimals.
    pub fn percent_fixed(&self, share: f64, digits: usize) -> String {
        self.language.numbers.percent_fixed(share, digits)
    }

    /// `25.6 M`, `4.1 G`: with the prefix that leaves one to three digits before the decimal sign.
    pub fn prefixed(&self, value: u64) -> String {
        self.language.numbers.prefixed(value)
    }
}

/// The language's name in a spec, which is its file's name and its tag in HTML.
fn tag(lang: Lang) -> String {
    let name = serde_json::to_value(lang).ok();
    let name = name.as_ref().and_then(|name| name.as_str());
    name.unwrap_or("en").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLISH: &str = r#"
count.images: {one: "{count} obraz", few: "{count} obrazy", many: "{count} obrazów", other: "{count} obrazu"}
found: "Znaleziono wśród {images:count.images}."
dead: {by: dead, one: "martwe jest {dead} z {of}", other: "martwych jest {dead} z {of}"}
"#;

    #[test]
    fn the_number_selects_the_plural_form() {
        let polish = Language::from_yaml("pl", POLISH);
        for (count, expected) in [
            ("1", "1 obraz"),
            ("3", "3 obrazy"),
            ("12", "12 obrazów"),
            ("22", "22 obrazy"),
            ("1\u{202f}004", "1\u{202f}004 obrazy"),
            ("1,5", "1,5 obrazu"),
        ] {
            let text = polish.find("count.images", &[("count", count)]);
            assert_eq!(text.as_deref(), Some(expected));
        }
        let text = polish.find("found", &[("images", "5")]);
        assert_eq!(text.as_deref(), Some("Znaleziono wśród 5 obrazów."));
        let text = polish.find("dead", &[("dead", "1"), ("of", "64")]);
        assert_eq!(text.as_deref(), Some("martwe jest 1 z 64"));
    }

    #[test]
    fn a_missing_text_is_english() {
        let mut words = Words::new(Lang::Pl);
        words.language = Arc::new(Language::from_yaml("pl", "nav.filters: Filtry"));
        assert_eq!(words.text("nav.filters", &[]), "Filtry");
        assert_eq!(words.text("nav.contents", &[]), "Contents");
        assert_eq!(words.text("nav.no_such_key", &[]), "nav.no_such_key");
    }
}
