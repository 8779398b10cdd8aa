//! The probability that each network gives to the true class of each labelled photo.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::chart_info::{ChartInfo, ChartPlace};
use super::plot::{LINE_COLOUR, WIDTH, draw, network_colour, shorten, text};
use crate::error::Result;
use crate::report::photo_names::photo_name;
use crate::report::views::prediction::prediction;
use crate::report::words::Words;
use crate::results::{ImageInfo, Results};

/// The chart: a dot for each network and photo, filled where the true class is the first choice.
pub const CHART: ChartInfo = ChartInfo {
    key: "truth",
    title: "chart.truth",
    place: ChartPlace::Predictions,
    draw: draw_chart,
};

/// The height of a photo's row.
const ROW: i32 = 24;

fn draw_chart(results: &Results, words: &Words) -> Result<Option<String>> {
    let images = results.images.iter();
    let is_labelled = |image: &&ImageInfo| {
        let mut own = results.predictions.iter().filter(|p| p.image == image.id);
        own.any(|prediction| prediction.label.is_some())
    };
    let images: Vec<&ImageInfo> = images.filter(is_labelled).collect();
    if images.is_empty() {
        return Ok(None);
    }
    // Room for 15 letters of a wide font such as DejaVu Sans.
    let (left, right) = (130, WIDTH - 18);
    let height = 44 + ROW * images.len() as i32;
    let x = |part: f32| left + (part.clamp(0.0, 1.0) * (right - left) as f32) as i32;
    let title = words.text(CHART.title, &[]);
    let svg = draw((WIDTH, height), &title, |area| {
        for share in [0.0f32, 0.5, 1.0] {
            let tick = x(share);
            let line = vec![(tick, 6), (tick, height - 30)];
            area.draw(&PathElement::new(line, LINE_COLOUR))?;
            let label = words.percent_fixed(f64::from(share), 0);
            area.draw(&text(label, (tick, height - 24), 12, HPos::Center))?;
        }
        for (row, image) in images.iter().enumerate() {
            let middle = 18 + ROW * row as i32;
            let name = shorten(&photo_name(results, &image.id), 15);
            area.draw(&text(name, (left - 10, middle - 7), 12, HPos::Right))?;
            for (index, model) in results.models.iter().enumerate() {
                let prediction = prediction(results, &model.id, &image.id);
                let Some(label) = prediction.and_then(|p| p.label.as_ref()) else {
                    continue;
                };
                // Dots of several networks are drawn below each other, so that none covers another.
                let shift = 4 * index as i32 - 2 * (results.models.len() as i32 - 1);
                let Some(probability) = label.probability else {
                    continue;
                };
                let centre = (x(probability), middle + shift);
                let style = network_colour(index).stroke_width(2);
                let style = if label.rank == 1 {
                    style.filled()
                } else {
                    style
                };
                area.draw(&Circle::new(centre, 5, style))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}
