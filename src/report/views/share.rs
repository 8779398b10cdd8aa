//! A share with its interval, as text and as a bar.

use serde::Serialize;

use crate::report::words::Words;

/// A share with its interval, in per cent.
#[derive(Debug, Serialize)]
pub struct ShareView {
    /// The share.
    pub percent: String,
    /// Its interval.
    pub interval: String,
    /// In per cent, for bars.
    pub bar: f64,
    /// Where the interval begins, in per cent.
    pub low: f64,
    /// How long it is.
    pub width: f64,
}

impl ShareView {
    /// The view of a share, 0 to 1.
    pub fn new(share: f64, interval: [f64; 2], words: &Words) -> ShareView {
        let [low, high] = interval.map(|end| words.percent_fixed(end, 1));
        let percent = |share: f64| (share * 1000.0).round() / 10.0;
        ShareView {
            percent: words.percent_fixed(share, 1),
            interval: format!("{low} – {high}"),
            bar: percent(share),
            low: percent(interval[0]),
            width: percent(interval[1] - interval[0]),
        }
    }
}
