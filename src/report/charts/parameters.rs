//! The parameters of each network.

use super::bars::bars;
use super::chart_info::{ChartInfo, ChartPlace};

/// The chart.
pub const CHART: ChartInfo = ChartInfo {
    key: "parameters",
    title: "glance.parameters",
    place: ChartPlace::Networks,
    draw: |results, words| {
        let title = words.text(CHART.title, &[]);
        bars(&results.models, |model| model.parameters, &title, words).map(Some)
    },
};
