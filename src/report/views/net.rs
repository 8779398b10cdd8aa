//! A network's name with its colour and its sign.

use serde::Serialize;

const SIGNS: [&str; 8] = ["●", "■", "▲", "◆", "▼", "★", "✚", "⬟"];

/// A network's name with its colour and its sign, which are the same in the whole report.
#[derive(Debug, Clone, Serialize)]
pub struct NetView {
    /// The network's id.
    pub id: String,
    /// The index of its colour, 0 to 7.
    pub slot: usize,
    /// A sign for those who can't tell the colours apart.
    pub sign: &'static str,
}

impl NetView {
    /// The network `id` at `index` in the experiment.
    pub fn new(index: usize, id: &str) -> NetView {
        NetView {
            id: id.to_owned(),
            slot: index % SIGNS.len(),
            sign: SIGNS[index % SIGNS.len()],
        }
    }
}
