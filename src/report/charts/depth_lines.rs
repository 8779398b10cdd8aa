//! A value of every layer over the depth, a line for each network, on a logarithmic axis.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::plot::{
    DEPTH_LABELS, LINE_COLOUR, WIDTH, draw, draw_axis_labels, draw_title, network_colour, text,
};
use crate::error::Result;
use crate::report::words::Words;
use crate::results::{LayerInfo, ModelInfo};

/// Lines with more points than this have smaller marks.
const SMALL_MARKS_FROM: usize = 40;

/// A value of the layers of each network; `None` where fewer than two layers have one.
///
/// # Errors
/// If it can't be drawn.
pub fn layer_lines(
    models: &[ModelInfo],
    value: impl Fn(&LayerInfo) -> Option<f64>,
    title: &str,
    words: &Words,
) -> Result<Option<String>> {
    let lines: Vec<Vec<(f64, f64)>> = models
        .iter()
        .map(|model| {
            let points = model.layers.iter();
            points.filter_map(|l| Some((l.depth, value(l)?))).collect()
        })
        .collect();
    depth_lines(&lines, title, words)
}

/// A line of (depth, value) for each network; `None` where fewer than two values are at least 1. Values below 1 are left
/// out.
///
/// # Errors
/// If it can't be drawn.
pub fn depth_lines(
    lines: &[Vec<(f64, f64)>],
    title: &str,
    words: &Words,
) -> Result<Option<String>> {
    let lines: Vec<Vec<(f64, f64)>> = lines
        .iter()
        .map(|line| {
            let points = line.iter().filter(|(_, value)| *value >= 1.0);
            points
                .map(|(depth, value)| (*depth, value.log2()))
                .collect()
        })
        .collect();
    let all = || lines.iter().flatten().map(|(_, y)| *y);
    if all().count() < 2 {
        return Ok(None);
    }
    let low = all().fold(f64::INFINITY, f64::min).floor() as i32;
    let high = (all().fold(0.0, f64::max).ceil() as i32).max(low + 1);
    let (left, top, right, bottom) = (44, 30, WIDTH - 12, 190);
    let x = |depth: f64| left + (depth * f64::from(right - left)) as i32;
    let y = |log: f64| {
        let part = (log - f64::from(low)) / f64::from(high - low);
        bottom - (part * f64::from(bottom - top)) as i32
    };
    let svg = draw((WIDTH, 226), title, |area| {
        draw_title(area, title)?;
        let step = if high - low > 6 { 2 } else { 1 };
        for power in (low..=high).step_by(step) {
            let tick = y(f64::from(power));
            area.draw(&PathElement::new(
                vec![(left, tick), (right, tick)],
                LINE_COLOUR,
            ))?;
            let label = words.integer(1u64 << power.clamp(0, 62));
            area.draw(&text(label, (left - 6, tick - 7), 12, HPos::Right))?;
        }
        for (index, line) in lines.iter().enumerate() {
            let points: Vec<(i32, i32)> = line.iter().map(|(d, v)| (x(*d), y(*v))).collect();
            let colour = network_colour(index);
            let stroke = colour.stroke_width(2);
            area.draw(&PathElement::new(points.clone(), stroke))?;
            let size = if points.len() > SMALL_MARKS_FROM {
                2
            } else {
                4
            };
            for point in points {
                area.draw(&Circle::new(point, size, colour.filled()))?;
            }
        }
        draw_axis_labels(area, DEPTH_LABELS, (left, right), bottom + 10, words)
    })?;
    Ok(Some(svg))
}
