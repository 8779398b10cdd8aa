//! The side of the layers' maps over the depth.

use super::chart_info::{ChartInfo, ChartPlace};
use super::depth_lines::layer_lines;
use crate::results::LayerInfo;

/// The chart.
pub const CHART: ChartInfo = ChartInfo {
    key: "resolution",
    title: "chart.resolution",
    place: ChartPlace::Networks,
    draw: |results, words| {
        let title = words.text(CHART.title, &[]);
        layer_lines(&results.models, side, &title, words)
    },
};

fn side(layer: &LayerInfo) -> Option<f64> {
    match layer.shape[..] {
        [_, height, _] => Some(height as f64),
        _ => None,
    }
}
