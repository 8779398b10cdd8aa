//! Charts.

use minijinja::context;

use super::template::{SCHEME, render};
use crate::error::{Error, ErrorKind, Result};
use crate::report::charts::depth_lines::depth_lines;
use crate::report::charts::standalone::{ADAPTIVE_COLOURS, standalone};
use crate::report::section::to_value;
use crate::report::views::net::NetView;
use crate::report::words::Words;
use crate::spec::Lang;

/// A chart with the names of the networks in their colours.
///
/// # Errors
/// If the template is wrong.
pub fn chart(title: &str, svg: &str, networks: &[String]) -> Result<String> {
    let uri = crate::image::data_uri("image/svg+xml", svg.as_bytes());
    let nets = networks.iter().enumerate();
    let nets: Vec<NetView> = nets.map(|(index, id)| NetView::new(index, id)).collect();
    render(
        "inline-chart.html",
        Lang::default(),
        context! { title, uri, scheme => SCHEME, nets => to_value(&nets), colours => ADAPTIVE_COLOURS },
    )
}

/// A chart of values over the depth, a line of (depth, value) for each network; as an SVG file.
///
/// # Errors
/// If fewer than two values are at least 1, where the logarithmic axis begins.
pub fn over_depth(lines: &[Vec<(f64, f64)>], title: &str) -> Result<String> {
    let chart = depth_lines(lines, title, &Words::new(Lang::default()))?;
    chart.map(|svg| standalone(&svg)).ok_or_else(|| {
        let message = "a chart over the depth needs at least two values of 1 or more";
        Error::new(ErrorKind::Usage, message)
            .help("the axis is logarithmic and begins at 1; smaller values are left out")
    })
}
