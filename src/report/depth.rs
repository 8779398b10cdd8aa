//! A quantity of every block over the depth of its network, all networks in one chart: a line through
//! the means over the photos, with each photo's own value as a pale dot.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::charts::{Area, Drawn, INK, RULE, WIDTH, draw, slot, text};
use super::words::Words;
use crate::error::Result;

/// One network's line.
#[derive(Debug)]
pub struct Series {
    /// The network's place, which is its colour and its sign.
    pub place: usize,
    pub points: Vec<Point>,
}

/// One block.
#[derive(Debug)]
pub struct Point {
    /// From 0 (input) to 1 (output).
    pub depth: f64,
    /// The value for every photo; those that are not there are left out.
    pub values: Vec<f64>,
    /// Whether its mark is a ring.
    pub hollow: bool,
}

impl Point {
    /// The mean over the photos.
    pub fn mean(&self) -> Option<f64> {
        let mean = self.values.iter().sum::<f64>() / self.values.len() as f64;
        mean.is_finite().then_some(mean)
    }
}

/// How a value is written at the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Plain,
    /// Parts of 1, written in per cent.
    Percent,
    /// Parts of 1, written in percentage points, without a sign for them.
    PointSet,
}

/// The lowest and the highest of all values, and of 0.
pub fn range<'a>(all: impl IntoIterator<Item = &'a Series>) -> (f64, f64) {
    let points = all.into_iter().flat_map(|series| &series.points);
    let values = points.flat_map(|point| &point.values);
    values.fold((0.0, 0.0), |(low, high): (f64, f64), value| {
        (low.min(*value), high.max(*value))
    })
}

/// What is said below the chart where the line begins, in the middle, and where it ends.
pub const DEPTH: [&str; 3] = ["chart.input", "chart.depth", "chart.output"];

/// The chart, on an axis that holds `range`; `below` are keys of what is said below it, `title` is said to who can't see it.
pub fn chart(
    all: &[Series],
    range: (f64, f64),
    unit: Unit,
    below: [&str; 3],
    title: &str,
    words: &Words,
) -> Result<String> {
    let axis = Axis::over(range);
    let (left, top, right, bottom) = (44, 10, WIDTH - 10, 178);
    let x = |depth: f64| left + (depth.clamp(0.0, 1.0) * f64::from(right - left)) as i32;
    let y = |value: f64| {
        let part = (value - axis.low) / (axis.high - axis.low);
        bottom - (part * f64::from(bottom - top)).round() as i32
    };
    draw((WIDTH, 212), title, |area| {
        for number in 0..=axis.count {
            let value = axis.low + f64::from(number) * axis.step;
            let at = y(value);
            // Where the values cross 0, its line is as dark as the words.
            let zero = axis.low < 0.0 && value.abs() < axis.step / 2.0;
            let colour = if zero { INK } else { RULE };
            area.draw(&PathElement::new(vec![(left, at), (right, at)], colour))?;
            let label = axis.label(value, unit, words);
            area.draw(&text(label, (left - 6, at - 7), 12, HPos::Right))?;
        }
        for (key, at, side) in [
            (below[0], left, HPos::Left),
            (below[1], (left + right) / 2, HPos::Center),
            (below[2], right, HPos::Right),
        ] {
            area.draw(&text(words.say(key, &[]), (at, bottom + 12), 12, side))?;
        }
        for series in all {
            let colour = slot(series.place);
            for point in series.points.iter().filter(|point| point.values.len() > 1) {
                for value in &point.values {
                    let at = (x(point.depth), y(*value));
                    area.draw(&Circle::new(at, 2, colour.mix(0.4).filled()))?;
                }
            }
        }
        for series in all {
            let means: Vec<((i32, i32), bool)> = series
                .points
                .iter()
                .filter_map(|point| Some(((x(point.depth), y(point.mean()?)), point.hollow)))
                .collect();
            let line: Vec<(i32, i32)> = means.iter().map(|(at, _)| *at).collect();
            let stroke = slot(series.place).stroke_width(1);
            area.draw(&PathElement::new(line, stroke))?;
            for (at, hollow) in means {
                mark(area, series.place, at, hollow)?;
            }
        }
        Ok(())
    })
}

/// A network's sign: circle, square, triangle, diamond, and again from the start.
fn mark(area: &Area, place: usize, (x, y): (i32, i32), hollow: bool) -> Drawn {
    let colour = slot(place);
    let corners: &[(i32, i32)] = match place % 8 {
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
struct Axis {
    low: f64,
    high: f64,
    step: f64,
    count: u32,
}

impl Axis {
    /// Three to eight steps of 1, 2 or 5 times a power of ten, around `low` and `high`.
    fn over((low, high): (f64, f64)) -> Axis {
        let length = (high - low).max(1e-6);
        let power = 10f64.powf((length / 4.0).log10().floor());
        let steps = [1.0, 2.0, 5.0, 10.0];
        let step = steps
            .into_iter()
            .map(|step| step * power)
            .find(|step| length / step <= 6.5)
            .unwrap_or(10.0 * power);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        Axis {
            low: first * step,
            high: last.max(first + 1.0) * step,
            step,
            count: (last - first).clamp(1.0, 12.0) as u32,
        }
    }

    fn label(&self, value: f64, unit: Unit, words: &Words) -> String {
        let by = if unit == Unit::Plain { 1.0 } else { 100.0 };
        let digits = (-(self.step * by).log10().floor()).clamp(0.0, 6.0) as usize;
        let number = words.fixed((value * by).abs(), digits);
        // A zero has no sign.
        let sign = if value < -self.step / 2.0 { "−" } else { "" };
        let behind = if unit == Unit::Percent { "\u{a0}%" } else { "" };
        format!("{sign}{number}{behind}")
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
            let axis = Axis::over(range);
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
        let (axis, words) = (Axis::over((-0.43, 0.45)), Words::of(Lang::Pl));
        let label = |value, unit| axis.label(value, unit, &words);
        assert_eq!(label(-0.4, Unit::Plain), "−0,4");
        assert_eq!(label(-0.4, Unit::Percent), "−40\u{a0}%");
        assert_eq!(label(0.2, Unit::PointSet), "20");
        assert_eq!(label(-1e-17, Unit::Plain), "0,0");
    }
}
