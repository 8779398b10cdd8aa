//! The accuracy over the severity of a corruption, a line for each network, with intervals.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::plot::{LINE_COLOUR, WIDTH, draw, network_colour, text};
use super::series_chart::draw_mark;
use crate::error::Result;
use crate::image::SEVERITIES;
use crate::report::words::Words;

/// One network's line.
#[derive(Debug)]
pub struct SeveritySeries {
    /// The network's index, which gives the colour and the mark.
    pub network: usize,
    /// Its points, by severity.
    pub points: Vec<SeverityPoint>,
}

/// The accuracy at one severity.
#[derive(Debug)]
pub struct SeverityPoint {
    /// 0 for the images as they are, to 5.
    pub severity: usize,
    /// 0 to 1.
    pub share: f64,
    /// Its interval, if it has one.
    pub interval: Option<[f64; 2]>,
}

/// The chart of all networks; `title` is its text for those who can't see it.
///
/// # Errors
/// If it can't be drawn.
pub fn severity_chart(all: &[SeveritySeries], title: &str, words: &Words) -> Result<String> {
    let (left, top, right, bottom) = (44, 10, WIDTH - 12, 158);
    // Beside each other, so that intervals of one severity can be told apart.
    let aside = |place: usize| (2 * place as i32 - (all.len() as i32 - 1)) * 3;
    let x = |severity: usize| left + 12 + (right - left - 24) * severity as i32 / SEVERITIES as i32;
    let y = |share: f64| bottom - (share.clamp(0.0, 1.0) * f64::from(bottom - top)).round() as i32;
    draw((WIDTH, 206), title, |area| {
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let line = vec![(left, y(share)), (right, y(share))];
            area.draw(&PathElement::new(line, LINE_COLOUR))?;
            let label = words.percent_fixed(share, 0);
            area.draw(&text(label, (left - 6, y(share) - 7), 12, HPos::Right))?;
        }
        for severity in 0..=SEVERITIES {
            let label = words.integer(severity as u64);
            area.draw(&text(label, (x(severity), bottom + 8), 12, HPos::Center))?;
        }
        let label = words.text("evaluation.severity", &[]);
        area.draw(&text(
            label,
            ((left + right) / 2, bottom + 26),
            12,
            HPos::Center,
        ))?;
        for (place, series) in all.iter().enumerate() {
            let colour = network_colour(series.network);
            let at = |point: &SeverityPoint| (x(point.severity) + aside(place), y(point.share));
            let line: Vec<(i32, i32)> = series.points.iter().map(at).collect();
            area.draw(&PathElement::new(line, colour.stroke_width(1)))?;
            for point in &series.points {
                let (x, _) = at(point);
                if let Some([low, high]) = point.interval {
                    let whisker = vec![(x, y(low)), (x, y(high))];
                    area.draw(&PathElement::new(whisker, colour.stroke_width(1)))?;
                }
                draw_mark(area, series.network, at(point), false)?;
            }
        }
        Ok(())
    })
}
