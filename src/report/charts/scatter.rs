//! Predicted over true values of an output.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::plot::{INK, LINE_COLOUR, draw, network_colour, text};
use super::series_chart::{AxisTicks, AxisUnit};
use crate::error::Result;
use crate::report::words::Words;

/// The width and the height of the chart.
const SIDE: i32 = 320;

/// The room for labels at the left and at the bottom.
const ROOM: i32 = 54;

/// The largest number of points that are drawn: evenly chosen ones of more.
const MOST: usize = 3000;

/// The chart of the points (true value, predicted value), both axes with the same range, and the diagonal on which predictions are
/// right; `title` is its text for those who can't see it.
///
/// # Errors
/// If it can't be drawn.
pub fn scatter_chart(
    points: &[(f64, f64)],
    network: usize,
    title: &str,
    words: &Words,
) -> Result<String> {
    let values = || {
        points
            .iter()
            .flat_map(|(truth, predicted)| [*truth, *predicted])
    };
    let low = values().fold(f64::INFINITY, f64::min);
    let high = values().fold(f64::NEG_INFINITY, f64::max);
    let axis = AxisTicks::new(if low <= high { (low, high) } else { (0.0, 1.0) });
    let (first, last) = (ROOM, SIDE - 14);
    let place = |value: f64| {
        let part = (value - axis.low) / (axis.high - axis.low);
        first + (part.clamp(0.0, 1.0) * f64::from(last - first)).round() as i32
    };
    let at = |x: f64, y: f64| (place(x), SIDE - place(y));
    draw((SIDE, SIDE), title, |area| {
        for number in 0..=axis.count {
            let value = axis.low + f64::from(number) * axis.step;
            let line = vec![at(axis.low, value), at(axis.high, value)];
            area.draw(&PathElement::new(line, LINE_COLOUR))?;
            let label = axis.label(value, AxisUnit::Plain, words);
            let (x, y) = at(axis.low, value);
            area.draw(&text(label.clone(), (x - 6, y - 7), 12, HPos::Right))?;
            let (x, y) = at(value, axis.low);
            area.draw(&text(label, (x, y + 8), 12, HPos::Center))?;
        }
        let diagonal = vec![at(axis.low, axis.low), at(axis.high, axis.high)];
        area.draw(&PathElement::new(diagonal, INK))?;
        let label = words.text("evaluation.scatter.axis", &[]);
        let middle = ((first + last) / 2, SIDE - 22);
        area.draw(&text(label, middle, 12, HPos::Center))?;
        let step = points.len().div_ceil(MOST).max(1);
        for (truth, predicted) in points.iter().step_by(step) {
            let colour = network_colour(network).mix(0.6).filled();
            area.draw(&Circle::new(at(*truth, *predicted), 2, colour))?;
        }
        Ok(())
    })
}
