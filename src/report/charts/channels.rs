//! The number of channels of the layers over the depth.

use super::chart_info::{ChartInfo, ChartPlace};
use super::depth_lines::layer_lines;

/// The chart.
pub const CHART: ChartInfo = ChartInfo {
    key: "channels",
    title: "chart.channels",
    place: ChartPlace::Networks,
    draw: |results, words| {
        let title = words.text(CHART.title, &[]);
        let channels = |layer: &crate::results::LayerInfo| layer.shape.first().map(|c| *c as f64);
        layer_lines(&results.models, channels, &title, words)
    },
};
