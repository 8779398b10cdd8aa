//! The multiply-adds of each network for one image.

use super::bars::bars;
use super::chart_info::{ChartInfo, ChartPlace};

/// The chart.
pub const CHART: ChartInfo = ChartInfo {
    key: "multiply_adds",
    title: "glance.multiply_adds",
    place: ChartPlace::Networks,
    draw: |results, words| {
        let title = words.text(CHART.title, &[]);
        bars(&results.models, |model| model.multiply_adds, &title, words).map(Some)
    },
};
