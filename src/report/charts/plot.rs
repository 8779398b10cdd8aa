//! What all charts are drawn with: SVG by `plotters`, in the page's own fonts and colours.
//!
//! The backend writes fixed colours; ours are placeholders that [`draw`] replaces by the page's CSS variables, so that a
//! chart is dark on a dark page and black on paper.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::error::{Error, ErrorKind, Result};
use crate::report::words::Words;

/// The width of a chart, in its own units.
pub const WIDTH: i32 = 300;

/// The placeholder of the text's colour.
pub const INK: RGBColor = RGBColor(1, 0, 254);

/// The placeholder of a grid line's colour.
pub const LINE_COLOUR: RGBColor = RGBColor(2, 0, 254);

/// The texts below an axis over the depth: where it begins, its middle, and where it ends.
pub const DEPTH_LABELS: [&str; 3] = ["chart.input", "chart.depth", "chart.output"];

/// The area that a chart is drawn on.
pub type ChartArea<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

/// What drawing on it gives.
pub type DrawResult = std::result::Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// The placeholder of the colour of the network at `index`.
pub fn network_colour(index: usize) -> RGBColor {
    RGBColor(16 + (index % 8) as u8, 0, 254)
}

/// A text whose top is at `position`, in the font size `size`.
pub fn text(
    text: String,
    position: (i32, i32),
    size: i32,
    side: HPos,
) -> Text<'static, (i32, i32), String> {
    // The backend divides by 1.24, the ratio of a font's box to its letters.
    let style = ("sans-serif", f64::from(size) * 1.24)
        .into_font()
        .color(&INK);
    Text::new(text, position, style.pos(Pos::new(side, VPos::Top)))
}

/// The title in the upper left corner.
pub fn draw_title(area: &ChartArea, title: &str) -> DrawResult {
    area.draw(&text(title.to_owned(), (0, 2), 15, HPos::Left))
}

/// The texts at `labels` below an axis from `left` to `right`.
pub fn draw_axis_labels(
    area: &ChartArea,
    labels: [&str; 3],
    (left, right): (i32, i32),
    top: i32,
    words: &Words,
) -> DrawResult {
    for (key, x, side) in [
        (labels[0], left, HPos::Left),
        (labels[1], (left + right) / 2, HPos::Center),
        (labels[2], right, HPos::Right),
    ] {
        area.draw(&text(words.text(key, &[]), (x, top), 12, side))?;
    }
    Ok(())
}

/// The name with at most `most` characters.
pub fn shorten(name: &str, most: usize) -> String {
    if name.chars().count() <= most {
        return name.to_owned();
    }
    let mut cut: String = name.chars().take(most - 1).collect();
    cut.push('…');
    cut
}

/// A chart as an SVG in the page's colours; `title` is its text for those who can't see it.
///
/// # Errors
/// If it can't be drawn.
pub fn draw(
    (width, height): (i32, i32),
    title: &str,
    chart: impl FnOnce(&ChartArea) -> DrawResult,
) -> Result<String> {
    let mut svg = String::new();
    {
        let size = (width.unsigned_abs(), height.unsigned_abs());
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        chart(&area)
            .and_then(|()| area.present())
            .map_err(|error| {
                Error::new(ErrorKind::Report, "can't draw a chart").caused_by(error.to_string())
            })?;
    }
    Ok(finish(svg, (width, height), title))
}

/// Replaces fixed colours by the page's and the fixed size by a `viewBox`, and adds the title.
fn finish(svg: String, (width, height): (i32, i32), title: &str) -> String {
    let mut svg = svg
        .replace(" font-family=\"sans-serif\"", "")
        .replace(" opacity=\"1\"", "");
    let mut colours = vec![
        (INK, "--ink".to_owned()),
        (LINE_COLOUR, "--rule".to_owned()),
    ];
    colours.extend((0..8).map(|index| (network_colour(index), format!("--n{index}"))));
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
