//! The norms of every convolution's kernels over the depth: for each network a band from 5 to 95 per cent with the median
//! as a line, and its depthwise layers as bars beside it, on a logarithmic axis.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::plot::{
    ChartArea, DEPTH_LABELS, DrawResult, INK, LINE_COLOUR, draw, draw_axis_labels, draw_title,
    network_colour, text,
};
use crate::error::Result;
use crate::figures::KernelNorms;
use crate::report::words::Words;

const WIDTH: i32 = 900;
const HEIGHT: i32 = 340;

/// The norms of networks, each with its index; there is a positive median among them.
///
/// # Errors
/// If it can't be drawn.
pub fn norms_chart(all: &[(usize, &[KernelNorms])], words: &Words) -> Result<String> {
    let layers = || all.iter().flat_map(|(_, layers)| layers.iter());
    let medians = || layers().map(|l| l.median).filter(|m| is_positive(*m));
    let smallest = medians().fold(f32::INFINITY, f32::min);
    // A dead layer would compress all others: the axis ends at most two decades below the medians.
    let low = layers().map(|l| l.low).filter(|l| *l >= smallest / 100.0);
    let low = f64::from(low.fold(smallest, f32::min)).log10().floor() as i32;
    let high = layers().map(|l| l.high).fold(f32::MIN_POSITIVE, f32::max);
    let high = (f64::from(high).log10().ceil() as i32).max(low + 1);
    let (left, top, right, bottom) = (62, 34, WIDTH - 12, HEIGHT - 36);
    let x = |depth: f64| left + (depth.clamp(0.0, 1.0) * f64::from(right - left)) as i32;
    let y = |norm: f32| {
        let log = f64::from(norm.max(f32::MIN_POSITIVE)).log10();
        let part = (log - f64::from(low)) / f64::from(high - low);
        bottom - (part.clamp(0.0, 1.0) * f64::from(bottom - top)) as i32
    };
    let title = words.text("norms.title", &[]);
    draw((WIDTH, HEIGHT), &title, |area| {
        draw_title(area, &title)?;
        for power in low..=high {
            let norm = 10f64.powi(power);
            let tick = y(norm as f32);
            area.draw(&PathElement::new(
                vec![(left, tick), (right, tick)],
                LINE_COLOUR,
            ))?;
            let label = words.number(norm);
            area.draw(&text(label, (left - 6, tick - 7), 12, HPos::Right))?;
        }
        for (network, layers) in all {
            draw_network(area, *network, layers, x, y)?;
        }
        let axis = vec![(left, bottom), (right, bottom)];
        area.draw(&PathElement::new(axis, INK))?;
        draw_axis_labels(area, DEPTH_LABELS, (left, right), bottom + 10, words)
    })
}

/// Whether a norm has a place on a logarithmic axis.
pub fn is_positive(norm: f32) -> bool {
    norm.is_finite() && norm > 0.0
}

fn draw_network(
    area: &ChartArea,
    network: usize,
    layers: &[KernelNorms],
    x: impl Fn(f64) -> i32,
    y: impl Fn(f32) -> i32,
) -> DrawResult {
    let colour = network_colour(network);
    let edge = |value: fn(&KernelNorms) -> f32| -> Vec<(i32, i32)> {
        let full = layers.iter().filter(|l| !l.depthwise);
        full.map(|l| (x(l.depth), y(value(l)))).collect()
    };
    let mut band = edge(|l| l.high);
    band.extend(edge(|l| l.low).into_iter().rev());
    area.draw(&Polygon::new(band, colour.mix(0.18)))?;
    let line = edge(|l| l.median);
    area.draw(&PathElement::new(line.clone(), colour.stroke_width(2)))?;
    for point in line {
        area.draw(&Circle::new(point, 2, colour.filled()))?;
    }
    for layer in layers.iter().filter(|l| l.depthwise) {
        let left = x(layer.depth);
        let ends = vec![(left, y(layer.low)), (left, y(layer.high))];
        area.draw(&PathElement::new(ends, colour.stroke_width(1)))?;
        let median = (left, y(layer.median));
        area.draw(&Circle::new(median, 4, colour.stroke_width(2)))?;
    }
    Ok(())
}
