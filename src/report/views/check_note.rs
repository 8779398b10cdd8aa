//! The scores of a map as a line of text below it.

use crate::checks::{CheckNote, CheckSpec, ScoreFormat};
use crate::error::Result;
use crate::figures::{CheckedMap, Figure, MapSource, Quantity};
use crate::report::words::Words;
use crate::results::Results;

/// The notes that the checks give the map of `figure`, if any.
///
/// # Errors
/// If a check's result can't be read.
pub fn map_note(results: &Results, figure: &Figure, words: &Words) -> Result<Option<String>> {
    let Some(map) = results.checks.iter().find(|map| is_map_of(map, figure)) else {
        return Ok(None);
    };
    let random = results.checks.iter().find(|other| {
        other.source == MapSource::Random
            && (&other.model, &other.image, &other.target) == (&map.model, &map.image, &map.target)
    });
    let mut notes = Vec::new();
    for spec in CheckSpec::all() {
        if let Some(note) = spec.check().map_note(map, random)? {
            notes.push(format_note(&note, map.quantity, words));
        }
    }
    Ok((!notes.is_empty()).then(|| notes.join(" · ")))
}

fn is_map_of(map: &CheckedMap, figure: &Figure) -> bool {
    let same_source = matches!(&map.source, MapSource::Method { name, layer }
        if *name == figure.method && *layer == figure.layer);
    same_source
        && map.model == figure.model
        && Some(&map.image) == figure.image.as_ref()
        && figure
            .target
            .as_ref()
            .is_none_or(|target| *target == map.target)
}

fn format_note(note: &CheckNote, quantity: Quantity, words: &Words) -> String {
    let values = note.values.iter().map(|value| {
        let text = value
            .value
            .map(|number| format_number(number, value.format, words));
        (value.name, text.unwrap_or_else(|| "–".to_owned()))
    });
    let values: Vec<(&str, String)> = values.collect();
    let values: Vec<(&str, &str)> = values.iter().map(|(name, text)| (*name, &**text)).collect();
    check_text(
        &format!("check_note.{}", note.key),
        quantity,
        &values,
        words,
    )
}

/// The text of a check at `key`; of targets without a probability the one at `key.value`, if the check has one.
pub fn check_text(key: &str, quantity: Quantity, gaps: &[(&str, &str)], words: &Words) -> String {
    if quantity != Quantity::Probability {
        let name = words.text(&format!("quantity.{}", quantity.key()), &[]);
        let gaps = [gaps, &[("quantity", &*name)]].concat();
        if let Some(text) = words.find(&format!("{key}.value"), &gaps) {
            return text;
        }
    }
    words.text(key, gaps)
}

/// A number of a check, written as the language does.
pub fn format_number(number: f64, format: ScoreFormat, words: &Words) -> String {
    match format {
        ScoreFormat::Decimals(decimals) => words.signed(number, decimals),
        ScoreFormat::Percent => words.percent(number),
    }
}
