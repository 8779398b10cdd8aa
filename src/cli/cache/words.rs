//! Sizes and ages in words, and the age that an option gives.

use std::str::FromStr;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// The age of `--older-than`.
#[derive(Debug, Clone, Copy)]
pub struct OlderThan(pub Duration);

impl FromStr for OlderThan {
    type Err = String;

    /// `30d`: a whole number and a unit.
    fn from_str(text: &str) -> Result<Self, String> {
        let units = [("m", MINUTE), ("h", HOUR), ("d", DAY), ("w", WEEK)];
        let parsed = units.iter().find_map(|(unit, seconds)| {
            let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
            number.checked_mul(*seconds)
        });
        let seconds = parsed.ok_or(
            "an age must be a whole number with `m` (minutes), `h` (hours), `d` (days) or `w` (weeks): `30d`",
        )?;
        Ok(OlderThan(Duration::from_secs(seconds)))
    }
}

/// `102 MB`.
pub fn size(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let bytes = bytes as f64;
    match units.iter().find(|(_, unit)| bytes >= *unit) {
        Some((name, unit)) if bytes < 10.0 * unit => format!("{:.1} {name}", bytes / unit),
        Some((name, unit)) => format!("{:.0} {name}", bytes / unit),
        None => format!("{bytes} B"),
    }
}

/// `3 days`.
pub fn age(age: Duration) -> String {
    let seconds = age.as_secs();
    let units = [(DAY, "day"), (HOUR, "hour"), (MINUTE, "minute")];
    match units.iter().find(|(length, _)| seconds >= *length) {
        Some((length, name)) => plural(seconds / length, name),
        None => "moments".to_owned(),
    }
}

/// `1 entry`, `2 entries`.
pub fn counted(count: usize) -> String {
    if count == 1 {
        "1 entry".to_owned()
    } else {
        format!("{count} entries")
    }
}

fn plural(count: u64, name: &str) -> String {
    if count == 1 {
        format!("1 {name}")
    } else {
        format!("{count} {name}s")
    }
}
