//! Charts of the page as SVG files of their own.

use crate::results::Results;

/// Eight colours of networks that are visible on a light and on a dark page: the report's, between its two sets.
pub const ADAPTIVE_COLOURS: [&str; 8] = [
    "#2b86c9", "#e0702a", "#149a70", "#bd6ba6", "#5aa5d8", "#c48a1a", "#8a8a1e", "#808080",
];

/// The light page's colours.
const LIGHT_COLOURS: [(&str, &str); 10] = [
    ("--ink", "#1b1f24"),
    ("--rule", "#d5dae0"),
    ("--n0", "#0072b2"),
    ("--n1", "#d55e00"),
    ("--n2", "#00855f"),
    ("--n3", "#a8508a"),
    ("--n4", "#3a8fc4"),
    ("--n5", "#b37700"),
    ("--n6", "#6b6b00"),
    ("--n7", "#3d3d3d"),
];

/// The fonts of texts in an SVG file.
pub const FONTS: &str = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif";

/// A chart as an SVG file in the colours of the light page, with the names of the networks below.
pub fn with_legend(chart: &str, results: &Results) -> String {
    let size = chart
        .split_once("viewBox=\"0 0 ")
        .map_or("", |(_, rest)| rest);
    let size = size.split_once('"').map_or("", |(size, _)| size);
    let sides: Vec<f64> = size
        .split(' ')
        .filter_map(|side| side.parse().ok())
        .collect();
    let &[width, height] = &sides[..] else {
        return chart.to_owned();
    };
    let mut legend = String::new();
    for (index, model) in results.models.iter().enumerate() {
        let y = height + 14.0 + 18.0 * index as f64;
        legend.push_str(&format!(
            "<circle cx=\"6\" cy=\"{y}\" r=\"5\" style=\"fill:var(--n{})\"/>\n\
             <text x=\"18\" y=\"{}\" font-size=\"13\" fill=\"#1b1f24\">{}</text>\n",
            index % 8,
            y + 4.5,
            escape(&model.id)
        ));
    }
    let below = 12.0 + 18.0 * results.models.len() as f64;
    let opening = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" font-family=\"{FONTS}\" viewBox=\"-14 -12 {} {}\"",
        width + 28.0,
        height + below + 20.0
    );
    let ground = "</title><rect x=\"-14\" y=\"-12\" width=\"100%\" height=\"100%\" fill=\"#fff\"/>";
    let old = format!("<svg class=\"chart\" viewBox=\"0 0 {size}\"");
    let mut svg = chart
        .replacen(&old, &opening, 1)
        .replacen("</title>", ground, 1)
        .replacen("</svg>", &format!("{legend}</svg>"), 1);
    for (name, colour) in LIGHT_COLOURS {
        svg = svg.replace(&format!("var({name})"), colour);
    }
    svg
}

/// A chart as an SVG file with a background of its own, light or dark as the reader prefers.
pub fn standalone(chart: &str) -> String {
    let body = chart.split_once('>').map_or("", |(_, body)| body);
    let size = chart
        .split_once("viewBox=\"0 0 ")
        .map_or("", |(_, rest)| rest);
    let size = size.split_once('"').map_or("", |(size, _)| size);
    let (width, height) = size.split_once(' ').unwrap_or(("300", "200"));
    let number = |text: &str| text.parse::<i32>().unwrap_or(300);
    let (outer_width, outer_height) = (number(width) + 24, number(height) + 24);
    let colours: Vec<String> = ADAPTIVE_COLOURS
        .iter()
        .enumerate()
        .map(|(index, colour)| format!("--n{index}:{colour}"))
        .collect();
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"-12 -12 {outer_width} {outer_height}\" \
         width=\"{outer_width}\" height=\"{outer_height}\" font-family=\"system-ui,sans-serif\">\
         <style>:root{{--paper:#fff;--ink:#1b1f24;--rule:#d5dae0;{}}}\
         @media(prefers-color-scheme:dark){{:root{{--paper:#14171b;--ink:#e7eaee;--rule:#39414a}}}}</style>\
         <rect x=\"-12\" y=\"-12\" width=\"{outer_width}\" height=\"{outer_height}\" rx=\"6\" \
         style=\"fill:var(--paper)\"/>{body}",
        colours.join(";")
    )
}

/// The text with the characters escaped that mean something in SVG.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
