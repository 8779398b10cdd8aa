//! Several values at each point of a horizontal axis, all networks in one chart: a line through the means, and each value
//! as a pale dot.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::plot::{
    ChartArea, DrawResult, INK, LINE_COLOUR, WIDTH, draw, draw_axis_labels, network_colour, text,
};
use crate::error::Result;
use crate::report::words::Words;

/// One network's line.
#[derive(Debug)]
pub struct ChartSeries {
    /// The network's index, which gives the colour and the mark.
    pub network: usize,
    /// Its points from left to right.
    pub points: Vec<SeriesPoint>,
}

/// The values at one point of the horizontal axis.
#[derive(Debug)]
pub struct SeriesPoint {
    /// From 0 (left) to 1 (right).
    pub x: f64,
    /// The values: of blocks one for each photo.
    pub values: Vec<f64>,
    /// Whether its mark is hollow.
    pub hollow: bool,
}

impl SeriesPoint {
    /// The mean of the values; `None` where there are none.
    pub fn mean(&self) -> Option<f64> {
        let mean = self.values.iter().sum::<f64>() / self.values.len() as f64;
        mean.is_finite().then_some(mean)
    }
}

/// How the numbers of an axis are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AxisUnit {
    /// As they are.
    Plain,
    /// Shares, 0 to 1, in per cent.
    Percent,
    /// Shares, 0 to 1, in percentage points without a sign.
    PercentagePoints,
}

/// The lowest and the highest of all values and of 0.
pub fn value_range<'a>(all: impl IntoIterator<Item = &'a ChartSeries>) -> (f64, f64) {
    let points = all.into_iter().flat_map(|series| &series.points);
    let values = points.flat_map(|point| &point.values);
    values.fold((0.0, 0.0), |(low, high): (f64, f64), value| {
        (low.min(*value), high.max(*value))
    })
}

/// The chart of `all` on a vertical axis that holds `range`; `labels` are the keys of the texts below it, and `title` is
/// its text for those who can't see it.
///
/// # Errors
/// If it can't be drawn.
pub fn series_chart(
    all: &[ChartSeries],
    range: (f64, f64),
    unit: AxisUnit,
    labels: [&str; 3],
    title: &str,
    words: &Words,
) -> Result<String> {
    let axis = AxisTicks::new(range);
    let (left, top, right, bottom) = (44, 10, WIDTH - 10, 178);
    let x = |part: f64| left + (part.clamp(0.0, 1.0) * f64::from(right - left)) as i32;
    let y = |value: f64| {
        let part = (value - axis.low) / (axis.high - axis.low);
        bottom - (part * f64::from(bottom - top)).round() as i32
    };
    draw((WIDTH, 212), title, |area| {
        for number in 0..=axis.count {
            let value = axis.low + f64::from(number) * axis.step;
            let tick = y(value);
            // Where the values cross 0, its line is as dark as the text.
            let zero = axis.low < 0.0 && value.abs() < axis.step / 2.0;
            let colour = if zero { INK } else { LINE_COLOUR };
            area.draw(&PathElement::new(vec![(left, tick), (right, tick)], colour))?;
            let label = axis.label(value, unit, words);
            area.draw(&text(label, (left - 6, tick - 7), 12, HPos::Right))?;
        }
        draw_axis_labels(area, labels, (left, right), bottom + 12, words)?;
        for series in all {
            let colour = network_colour(series.network);
            for point in series.points.iter().filter(|point| point.values.len() > 1) {
                for value in &point.values {
                    let centre = (x(point.x), y(*value));
                    area.draw(&Circle::new(centre, 2, colour.mix(0.4).filled()))?;
                }
            }
        }
        for series in all {
            let means: Vec<((i32, i32), bool)> = series
                .points
                .iter()
                .filter_map(|point| Some(((x(point.x), y(point.mean()?)), point.hollow)))
                .collect();
            let line: Vec<(i32, i32)> = means.iter().map(|(centre, _)| *centre).collect();
            let stroke = network_colour(series.network).stroke_width(1);
            area.draw(&PathElement::new(line, stroke))?;
            for (centre, hollow) in means {
                draw_mark(area, series.network, centre, hollow)?;
            }
        }
        Ok(())
    })
}

/// A network's mark: circle, square, triangle, diamond, as the signs of `NetView`.
pub(super) fn draw_mark(
    area: &ChartArea,
    network: usize,
    (x, y): (i32, i32),
    hollow: bool,
) -> DrawResult {
    let colour = network_colour(network);
    let corners: &[(i32, i32)] = match network % 8 {
        1 | 6 => &[(-4, -4), (4, -4), (4, 4), (-4, 4)],
        2 => &[(0, -5), (5, 4), (-5, 4)],
        3 | 5 => &[(0, -6), (6, 0), (0, 6), (-6, 0)],
        4 => &[(0, 5), (5, -4), (-5, -4)],
        _ => &[],
    };
    if corners.is_empty() {
        let style = colour.stroke_width(2);
        let style = if hollow { style } else { style.filled() };
        return area.draw(&Circle::new((x, y), 4, style));
    }
    let mut outline: Vec<(i32, i32)> = corners.iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
    if !hollow {
        return area.draw(&Polygon::new(outline, colour.filled()));
    }
    outline.extend(outline.first().copied());
    area.draw(&PathElement::new(outline, colour.stroke_width(2)))
}

/// Round numbers along the vertical axis.
#[derive(Debug)]
pub(super) struct AxisTicks {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) step: f64,
    pub(super) count: u32,
}

impl AxisTicks {
    /// Three to eight steps of 1, 2 or 5 times a power of ten, around `low` and `high`.
    pub(super) fn new((low, high): (f64, f64)) -> AxisTicks {
        let length = (high - low).max(1e-6);
        let power = 10f64.powf((length / 4.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0];
        let step = steps
            .into_iter()
            .map(|step| step * power)
            .find(|step| length / step <= 6.5)
            .unwrap_or(10.0 * power);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        AxisTicks {
            low: first * step,
            high: last.max(first + 1.0) * step,
            step,
            count: (last - first).clamp(1.0, 12.0) as u32,
        }
    }

    /// The number at a tick.
    pub(super) fn label(&self, value: f64, unit: AxisUnit, words: &Words) -> String {
        let factor = if unit == AxisUnit::Plain { 1.0 } else { 100.0 };
        let digits = (-(self.step * factor).log10().floor()).clamp(0.0, 6.0) as usize;
        // What is 0 but for rounding errors has no sign.
        let value = if value.abs() < self.step / 2.0 {
            0.0
        } else {
            value
        };
        if unit == AxisUnit::Percent {
            words.percent_fixed(value, digits)
        } else {
            words.signed(value * factor, digits)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Lang;

    #[test]
    fn the_axis_has_a_few_round_steps_around_the_values() {
        for (range, low, high, step) in [
            ((0.0, 1.7), 0.0, 2.0, 0.5),
            ((-0.43, 0.45), -0.6, 0.6, 0.2),
            ((-0.15, 0.96), -0.2, 1.0, 0.2),
            ((0.0, 23.0), 0.0, 25.0, 5.0),
            ((0.0, 0.0), 0.0, 0.0, 0.0),
        ] {
            let axis = AxisTicks::new(range);
            assert!((3..=8).contains(&axis.count) || step == 0.0, "{axis:?}");
            assert!(axis.low <= range.0 && axis.high >= range.1, "{axis:?}");
            if step > 0.0 {
                let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
                assert!(near(axis.low, low) && near(axis.high, high), "{axis:?}");
                assert!(near(axis.step, step), "{axis:?}");
            }
        }
    }

    #[test]
    fn ticks_are_written_in_their_unit() {
        let (axis, words) = (AxisTicks::new((-0.43, 0.45)), Words::new(Lang::Pl));
        let label = |value, unit| axis.label(value, unit, &words);
        assert_eq!(label(-0.4, AxisUnit::Plain), "−0,4");
        assert_eq!(label(-0.4, AxisUnit::Percent), "−40\u{a0}%");
        assert_eq!(label(0.2, AxisUnit::PercentagePoints), "20");
        assert_eq!(label(-1e-17, AxisUnit::Plain), "0,0");
    }
}
