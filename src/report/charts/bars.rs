//! A bar for each network.

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::plot::{WIDTH, draw, draw_title, network_colour, shorten, text};
use crate::error::Result;
use crate::report::words::Words;
use crate::results::ModelInfo;

/// The height of a network's name and bar.
const ROW: i32 = 34;

/// A bar for each network, as long as its value.
///
/// # Errors
/// If it can't be drawn.
pub fn bars(
    models: &[ModelInfo],
    value: impl Fn(&ModelInfo) -> u64,
    title: &str,
    words: &Words,
) -> Result<String> {
    let most = models.iter().map(&value).max().unwrap_or(1).max(1) as f64;
    let height = 30 + ROW * models.len() as i32;
    let alt: Vec<String> = models
        .iter()
        .map(|model| format!("{}: {}", model.id, words.prefixed(value(model))))
        .collect();
    let alt = format!("{title}. {}", alt.join("; "));
    draw((WIDTH, height), &alt, |area| {
        draw_title(area, title)?;
        for (index, model) in models.iter().enumerate() {
            let top = 26 + ROW * index as i32;
            let length = (value(model) as f64 / most * f64::from(WIDTH - 70)) as i32;
            area.draw(&text(shorten(&model.id, 36), (0, top), 13, HPos::Left))?;
            let corners = [(0, top + 15), (length.max(1), top + 27)];
            let style = network_colour(index).filled();
            area.draw(&Rectangle::new(corners, style))?;
            let number = words.prefixed(value(model));
            area.draw(&text(number, (length + 6, top + 14), 13, HPos::Left))?;
        }
        Ok(())
    })
}
