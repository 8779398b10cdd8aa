//! Whether the networks' probabilities match how often they are right: a reliability diagram (Guo et al. 2017).

use plotters::prelude::*;
use plotters::style::text_anchor::HPos;

use super::chart_info::{ChartInfo, ChartPlace};
use super::plot::{LINE_COLOUR, draw, network_colour, text};
use crate::error::Result;
use crate::report::words::Words;
use crate::results::Results;

/// The chart: a line for each network through the bins that have images.
pub const CHART: ChartInfo = ChartInfo {
    key: "reliability",
    title: "chart.reliability",
    place: ChartPlace::Evaluation,
    draw: draw_chart,
};

/// The width and the height of the chart, in pixels.
const SIDE: i32 = 320;

/// The room for labels at the left and at the bottom.
const ROOM: i32 = 48;

fn draw_chart(results: &Results, words: &Words) -> Result<Option<String>> {
    let Some(evaluation) = &results.evaluation else {
        return Ok(None);
    };
    let (low, high) = (ROOM, SIDE - 14);
    let place = |share: f64| low + (share.clamp(0.0, 1.0) * f64::from(high - low)) as i32;
    let at = |x: f64, y: f64| (place(x), SIDE - place(y));
    let title = words.text(CHART.title, &[]);
    let svg = draw((SIDE, SIDE), &title, |area| {
        for share in [0.0, 0.25, 0.5, 0.75, 1.0] {
            let line = vec![at(0.0, share), at(1.0, share)];
            area.draw(&PathElement::new(line, LINE_COLOUR))?;
            let label = words.percent_fixed(share, 0);
            let (x, y) = at(0.0, share);
            area.draw(&text(label.clone(), (x - 6, y - 7), 12, HPos::Right))?;
            let (x, y) = at(share, 0.0);
            area.draw(&text(label, (x, y + 8), 12, HPos::Center))?;
        }
        // A network whose probabilities are right is on the diagonal.
        let diagonal = vec![at(0.0, 0.0), at(1.0, 1.0)];
        area.draw(&PathElement::new(diagonal, LINE_COLOUR))?;
        let label = words.text("evaluation.confidence", &[]);
        let middle = (place(0.5), SIDE - 18);
        area.draw(&text(label, middle, 12, HPos::Center))?;
        for model in &evaluation.models {
            let index = results.models.iter().position(|m| m.id == model.model);
            let colour = network_colour(index.unwrap_or(0));
            let bins = model.bins.iter().filter(|bin| bin.images > 0);
            let points: Vec<(i32, i32)> =
                bins.map(|bin| at(bin.confidence, bin.accuracy)).collect();
            area.draw(&PathElement::new(points.clone(), colour.stroke_width(2)))?;
            for point in points {
                area.draw(&Circle::new(point, 3, colour.filled()))?;
            }
        }
        Ok(())
    })?;
    Ok(Some(svg))
}
