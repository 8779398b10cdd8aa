//! What a chart of the whole results is.

use crate::error::Result;
use crate::report::words::Words;
use crate::results::Results;

/// A chart that compares the networks.
#[derive(Debug)]
pub struct ChartInfo {
    /// Its name: `chart/NAME` of `convscope figure`.
    pub key: &'static str,
    /// The key of its title in the word list.
    pub title: &'static str,
    /// Where the report shows it.
    pub place: ChartPlace,
    /// Draws it; `None` where the results have no values for it.
    pub draw: fn(&Results, &Words) -> Result<Option<String>>,
}

/// The section that shows a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChartPlace {
    /// Below the table of the networks.
    Networks,
    /// Above the predictions.
    Predictions,
    /// In the evaluation of the collection.
    Evaluation,
}
