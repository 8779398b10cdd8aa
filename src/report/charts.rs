//! Charts as SVG by `plotters`, in the page's own fonts and colours.
//!
//! The backend writes fixed colours; ours are stand-ins that [`finish`] turns into the page's CSS
//! variables, so that a chart follows the page into the dark and onto paper.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::words::Words;
use crate::error::{Error, ErrorKind, Result};
use crate::results::{LayerInfo, ModelInfo, Results};

pub(super) const WIDTH: i32 = 300;
pub(super) const INK: RGBColor = RGBColor(1, 0, 254);
pub(super) const RULE: RGBColor = RGBColor(2, 0, 254);

/// The stand-in of a network's colour.
pub(super) fn slot(place: usize) -> RGBColor {
    RGBColor(16 + (place % 8) as u8, 0, 254)
}

/// Parameters of each network.
pub fn parameters(models: &[ModelInfo], words: &Words) -> Result<String> {
    let values: Vec<u64> = models.iter().map(|m| m.parameters).collect();
    bars(models, &values, &words.say("glance.parameters", &[]), words)
}

/// Multiply-adds of each network.
pub fn multiply_adds(models: &[ModelInfo], words: &Words) -> Result<String> {
    let values: Vec<u64> = models.iter().map(|m| m.multiply_adds).collect();
    bars(
        models,
        &values,
        &words.say("glance.multiply_adds", &[]),
        words,
    )
}

fn bars(models: &[ModelInfo], values: &[u64], title: &str, words: &Words) -> Result<String> {
    let most = values.iter().copied().max().unwrap_or(1).max(1) as f64;
    let height = 30 + 34 * models.len() as i32;
    let alt: Vec<String> = models
        .iter()
        .zip(values)
        .map(|(model, value)| format!("{}: {}", model.id, words.prefixed(*value)))
        .collect();
    draw(
        (WIDTH, height),
        &format!("{title}. {}", alt.join("; ")),
        |area| {
            area.draw(&text(title.to_owned(), (0, 2), 15, HPos::Left))?;
            for (place, (model, value)) in models.iter().zip(values).enumerate() {
                let top = 26 + 34 * place as i32;
                let length = (*value as f64 / most * f64::from(WIDTH - 70)) as i32;
                area.draw(&text(short(&model.id, 36), (0, top), 13, HPos::Left))?;
                let corners = [(0, top + 15), (length.max(1), top + 27)];
                area.draw(&Rectangle::new(corners, slot(place).filled()))?;
                area.draw(&text(
                    words.prefixed(*value),
                    (length + 6, top + 14),
                    13,
                    HPos::Left,
                ))?;
            }
            Ok(())
        },
    )
}

/// The side of the maps over the depth, where at least one network has layers with a side.
pub fn resolution(models: &[ModelInfo], words: &Words) -> Result<Option<String>> {
    let side = |layer: &LayerInfo| match layer.shape[..] {
        [_, height, _] => Some(height as f64),
        _ => None,
    };
    walk(models, side, &words.say("chart.resolution", &[]), words)
}

/// The number of channels over the depth.
pub fn channels(models: &[ModelInfo], words: &Words) -> Result<Option<String>> {
    let channels = |layer: &LayerInfo| layer.shape.first().map(|c| *c as f64);
    walk(models, channels, &words.say("chart.channels", &[]), words)
}

/// A logarithmic axis over the depth, a line and points for each network.
fn walk(
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
    over_depth(&lines, title, words)
}

/// The same for any numbers: a line of (depth, value) for each network. What is below 1 is left out.
pub fn over_depth(lines: &[Vec<(f64, f64)>], title: &str, words: &Words) -> Result<Option<String>> {
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
        area.draw(&text(title.to_owned(), (0, 2), 15, HPos::Left))?;
        let step = if high - low > 6 { 2 } else { 1 };
        for power in (low..=high).step_by(step) {
            let at = y(f64::from(power));
            area.draw(&PathElement::new(vec![(left, at), (right, at)], RULE))?;
            let label = words.whole(1u64 << power.clamp(0, 62));
            area.draw(&text(label, (left - 6, at - 7), 12, HPos::Right))?;
        }
        for (place, line) in lines.iter().enumerate() {
            let points: Vec<(i32, i32)> = line.iter().map(|(d, v)| (x(*d), y(*v))).collect();
            area.draw(&PathElement::new(
                points.clone(),
                slot(place).stroke_width(2),
            ))?;
            // Of many layers the line says enough.
            let size = if points.len() > 40 { 2 } else { 4 };
            for point in points {
                area.draw(&Circle::new(point, size, slot(place).filled()))?;
            }
        }
        area.draw(&text(
            words.say("chart.input", &[]),
            (left, bottom + 10),
            12,
            HPos::Left,
        ))?;
        area.draw(&text(
            words.say("chart.depth", &[]),
            ((left + right) / 2, bottom + 10),
            12,
            HPos::Center,
        ))?;
        area.draw(&text(
            words.say("chart.output", &[]),
            (right, bottom + 10),
            12,
            HPos::Right,
        ))
    })?;
    Ok(Some(svg))
}

/// The probability that each network gives the true class of each labelled picture: filled where
/// it is its first choice.
pub fn truth(results: &Results, words: &Words) -> Result<Option<String>> {
    let images: Vec<_> = results
        .images
        .iter()
        .filter(|image| image.label.is_some())
        .collect();
    if images.is_empty() {
        return Ok(None);
    }
    // Room for 15 letters of a wide font, as DejaVu Sans.
    let (left, right, row) = (130, WIDTH - 18, 24);
    let height = 44 + row * images.len() as i32;
    let x = |part: f32| left + (part.clamp(0.0, 1.0) * (right - left) as f32) as i32;
    let title = words.say("chart.truth", &[]);
    let svg = draw((WIDTH, height), &title, |area| {
        for per_cent in [0, 50, 100] {
            let at = x(per_cent as f32 / 100.0);
            area.draw(&PathElement::new(vec![(at, 6), (at, height - 30)], RULE))?;
            let label = format!("{per_cent}\u{a0}%");
            area.draw(&text(label, (at, height - 24), 12, HPos::Center))?;
        }
        for (number, image) in images.iter().enumerate() {
            let middle = 18 + row * number as i32;
            area.draw(&text(
                short(&image.id, 15),
                (left - 10, middle - 7),
                12,
                HPos::Right,
            ))?;
            for (place, model) in results.models.iter().enumerate() {
                let own =
                    |p: &&crate::results::Prediction| p.model == model.id && p.image == image.id;
                let prediction = results.predictions.iter().find(own);
                let Some(label) = prediction.and_then(|p| p.label.as_ref()) else {
                    continue;
                };
                // Side by side where they would cover each other.
                let shift = 4 * place as i32 - 2 * (results.models.len() as i32 - 1);
                let at = (x(label.probability), middle + shift);
                let style = slot(place).stroke_width(2);
                let style = if label.rank == 1 {
                    style.filled()
                } else {
                    style
                };
                area.draw(&Circle::new(at, 5, style))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}

pub(super) fn text(
    words: String,
    at: (i32, i32),
    size: i32,
    side: HPos,
) -> Text<'static, (i32, i32), String> {
    // The backend divides by 1.24, what a font's box is larger than its letters.
    let style = ("sans-serif", f64::from(size) * 1.24)
        .into_font()
        .color(&INK);
    Text::new(words, at, style.pos(Pos::new(side, VPos::Top)))
}

fn short(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let mut cut: String = name.chars().take(most - 1).collect();
    cut.push('…');
    cut
}

pub(super) type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
pub(super) type Drawn = std::result::Result<(), DrawingAreaErrorKind<std::io::Error>>;

pub(super) fn draw(
    (width, height): (i32, i32),
    title: &str,
    with: impl FnOnce(&Area) -> Drawn,
) -> Result<String> {
    let mut svg = String::new();
    {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        with(&area).and_then(|()| area.present()).map_err(|error| {
            Error::new(ErrorKind::Report, "can't draw a chart").caused_by(error.to_string())
        })?;
    }
    Ok(finish(svg, (width, height), title))
}

/// Fixed colours become the page's, the fixed size a `viewBox` alone, and the title is put in.
fn finish(svg: String, (width, height): (i32, i32), title: &str) -> String {
    let mut svg = svg
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "");
    let mut colours = vec![(INK, "--ink".to_owned()), (RULE, "--rule".to_owned())];
    colours.extend((0..8).map(|place| (slot(place), format!("--n{place}"))));
    for (RGBColor(r, g, b), variable) in colours {
        for attribute in ["fill", "stroke"] {
            svg = svg.replace(
                &format!("{attribute}=\"#{r:02X}{g:02X}{b:02X}\""),
                &format!("style=\"{attribute}:var({variable})\""),
            );
        }
    }
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let title = title
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;");
    format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\"><title>{title}</title>{body}"
    )
}
