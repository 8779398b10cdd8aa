//! The words of the report and how a language writes numbers: one file a language.

use std::collections::BTreeMap;

use crate::checks::CheckSpec;
use crate::figures::Note;
use crate::methods::MethodSpec;
use crate::results::Failure;
use crate::spec::Lang;

const EN: &str = include_str!("../../templates/words/en.yaml");
const PL: &str = include_str!("../../templates/words/pl.yaml");

/// One language.
#[derive(Debug, Clone)]
pub struct Words {
    lang: Lang,
    texts: BTreeMap<String, String>,
}

impl Words {
    /// The words of `lang`.
    pub fn of(lang: Lang) -> Words {
        let text = match lang {
            Lang::En => EN,
            Lang::Pl => PL,
        };
        // Both files are built in, and a test reads them; an empty list makes every lookup fail.
        let mut texts: BTreeMap<String, String> = serde_yaml::from_str(text).unwrap_or_default();
        let (methods, checks) = (MethodSpec::all(), CheckSpec::all());
        let methods = methods
            .iter()
            .flat_map(|entry| entry.method().info().texts());
        let checks = checks.iter().flat_map(|entry| entry.check().info().texts());
        // A text that the language does not translate is English.
        for (key, text) in methods.chain(checks) {
            texts.entry(key).or_insert_with(|| text.to_owned());
        }
        Words { lang, texts }
    }

    /// Every key with its text.
    pub fn all(&self) -> &BTreeMap<String, String> {
        &self.texts
    }

    /// The language's tag: `en`.
    pub fn tag(&self) -> &'static str {
        match self.lang {
            Lang::En => "en",
            Lang::Pl => "pl",
        }
    }

    /// The text at `key` with its `{gaps}` filled; `None` where the key or a gap's value is missing.
    pub fn text(&self, key: &str, gaps: &[(&str, &str)]) -> Option<String> {
        let mut rest = self.texts.get(key)?.as_str();
        let mut filled = String::with_capacity(rest.len());
        while let Some((before, behind)) = rest.split_once('{') {
            let (name, after) = behind.split_once('}')?;
            filled.push_str(before);
            filled.push_str(gaps.iter().find(|(gap, _)| *gap == name)?.1);
            rest = after;
        }
        filled.push_str(rest);
        Some(filled)
    }

    /// As [`text`](Self::text), or the key itself, so that nothing is ever left out in silence.
    pub fn say(&self, key: &str, gaps: &[(&str, &str)]) -> String {
        self.text(key, gaps).unwrap_or_else(|| key.to_owned())
    }

    /// What stands where a network has nothing to show: what failed, or that nobody asked.
    pub fn gap(&self, failure: Option<&Failure>) -> String {
        match failure {
            Some(failure) => self.say("cell.failed", &[("message", &failure.message)]),
            None => self.say("cell.none", &[]),
        }
    }

    /// A method's note, its decimal numbers written as the language does; where the list doesn't know
    /// it, its key and values.
    pub fn note(&self, note: &Note) -> String {
        let written = |value: &String| match value.parse::<f64>() {
            Ok(number) if value.contains('.') => self.number(number),
            _ => value.clone(),
        };
        let values: Vec<(&String, String)> = note
            .values
            .iter()
            .map(|(name, value)| (name, written(value)))
            .collect();
        let gaps: Vec<(&str, &str)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.text(&note.key, &gaps).unwrap_or_else(|| {
            let values: Vec<String> = gaps.iter().map(|(n, v)| format!("{n}: {v}")).collect();
            format!("{} {}", note.key, values.join(", "))
                .trim()
                .to_owned()
        })
    }

    /// `value` with `digits` behind the decimal sign.
    pub fn fixed(&self, value: f64, digits: usize) -> String {
        self.localise(format!("{value:.digits$}"))
    }

    /// The same with a proper minus sign, and none before a zero.
    pub fn signed(&self, value: f64, digits: usize) -> String {
        let number = self.fixed(value.abs(), digits);
        let zero = number.chars().all(|c| !c.is_ascii_digit() || c == '0');
        match value < 0.0 && !zero {
            true => format!("−{number}"),
            false => number,
        }
    }

    /// A whole number in groups of three.
    pub fn whole(&self, value: u64) -> String {
        let digits = value.to_string();
        let mut grouped = String::new();
        for (place, digit) in digits.chars().enumerate() {
            if place > 0 && (digits.len() - place).is_multiple_of(3) {
                grouped.push('\u{202f}');
            }
            grouped.push(digit);
        }
        grouped
    }

    /// Three significant digits; far from 1 with a power of ten.
    pub fn number(&self, value: f64) -> String {
        if value == 0.0 {
            return "0".to_owned();
        }
        if !value.is_finite() {
            return value.to_string();
        }
        let exponent = value.abs().log10().floor() as i32;
        if (-3..5).contains(&exponent) {
            let digits = usize::try_from(2 - exponent).unwrap_or(0);
            return self.localise(format!("{value:.digits$}").replace('-', "−"));
        }
        let scientific = format!("{value:.2e}");
        let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        let raised: String = power
            .chars()
            .map(|c| match c.to_digit(10) {
                Some(digit) => ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'][digit as usize],
                None => '⁻',
            })
            .collect();
        self.localise(format!("{}·10{raised}", mantissa.replace('-', "−")))
    }

    /// A probability in per cent; what would round to 0 or 100 without being it says so.
    pub fn percent(&self, part: f64) -> String {
        let per_cent = part * 100.0;
        let shown = if per_cent > 0.0 && per_cent < 0.05 {
            "< 0.1".to_owned()
        } else if part < 1.0 && per_cent >= 99.95 {
            "> 99.9".to_owned()
        } else {
            format!("{per_cent:.1}")
        };
        self.localise(format!("{shown}\u{a0}%"))
    }

    /// `25.6 M`, `4.1 G`: with the prefix that leaves one to three digits before the sign.
    pub fn prefixed(&self, value: u64) -> String {
        let (by, prefix) = match value {
            1_000_000_000.. => (1e9, "\u{a0}G"),
            1_000_000.. => (1e6, "\u{a0}M"),
            1_000.. => (1e3, "\u{a0}k"),
            _ => return value.to_string(),
        };
        format!("{}{prefix}", self.fixed(value as f64 / by, 1))
    }

    fn localise(&self, number: String) -> String {
        match self.lang {
            Lang::En => number,
            Lang::Pl => number.replace('.', ","),
        }
    }
}
