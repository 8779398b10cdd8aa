//! The norms of every convolution's kernels over the depth: a chart of all networks, and who has dead ones.

use plotters::prelude::*;
use serde::Serialize;

use super::charts::{INK, RULE, draw, slot, text};
use super::page::Net;
use super::words::Words;
use crate::error::Result;
use crate::figures::{Content, Figure, KernelNorms};
use plotters::style::text_anchor::HPos;

const WIDTH: i32 = 900;
const HEIGHT: i32 = 340;

/// At most so many layers with dead kernels are named.
const NAMED: usize = 6;

#[derive(Debug, Serialize)]
pub struct NormsView {
    pub chart: String,
    pub networks: Vec<Dead>,
}

/// A network's dead kernels.
#[derive(Debug, Serialize)]
pub struct Dead {
    pub net: Net,
    pub words: String,
}

/// The chart, if any network's norms are known and above 0.
///
/// # Errors
/// If it can't be drawn.
pub fn norms(figures: &[&Figure], nets: &[Net], words: &Words) -> Result<Option<NormsView>> {
    let of = |net: &Net| {
        figures.iter().find_map(|figure| match &figure.content {
            Content::Norms { layers } if figure.model == net.id => Some(layers.as_slice()),
            _ => None,
        })
    };
    let all: Vec<(usize, &Net, &[KernelNorms])> = nets
        .iter()
        .enumerate()
        .filter_map(|(place, net)| Some((place, net, of(net)?)))
        .collect();
    let medians = || {
        let layers = all.iter().flat_map(|(_, _, layers)| layers.iter());
        layers
            .map(|l| l.median)
            .filter(|m| m.is_finite() && *m > 0.0)
    };
    if medians().next().is_none() {
        return Ok(None);
    }
    let networks = all.iter().map(|(_, net, layers)| dead(net, layers, words));
    Ok(Some(NormsView {
        networks: networks.collect(),
        chart: chart(&all, words)?,
    }))
}

fn dead(net: &Net, layers: &[KernelNorms], words: &Words) -> Dead {
    let sum = |count: fn(&KernelNorms) -> usize| layers.iter().map(count).sum::<usize>();
    let (dead, of) = (sum(|l| l.dead), sum(|l| l.count));
    let mut having: Vec<&KernelNorms> = layers.iter().filter(|l| l.dead > 0).collect();
    having.sort_by_key(|l| std::cmp::Reverse(l.dead));
    let mut named: Vec<String> = having
        .iter()
        .take(NAMED)
        .map(|l| format!("{} {}/{}", l.layer, l.dead, l.count))
        .collect();
    if having.len() > NAMED {
        named.push("…".into());
    }
    let (dead, of) = (words.whole(dead as u64), words.whole(of as u64));
    let words = match named.is_empty() {
        true => words.say("norms.none_dead", &[("of", &of)]),
        false => words.say(
            "norms.dead",
            &[("dead", &dead), ("of", &of), ("layers", &named.join(", "))],
        ),
    };
    Dead {
        net: net.clone(),
        words,
    }
}

/// A logarithmic axis; for each network a band from 5 to 95 per cent with the median as a line, and
/// its depthwise layers as bars beside it.
fn chart(all: &[(usize, &Net, &[KernelNorms])], words: &Words) -> Result<String> {
    let layers = || all.iter().flat_map(|(_, _, layers)| layers.iter());
    let positive = |value: f32| value.is_finite() && value > 0.0;
    let medians = || layers().map(|l| l.median).filter(|m| positive(*m));
    // A dead layer must not push all others into a corner: two decades below the medians is enough.
    let lowest = medians().fold(f32::INFINITY, f32::min) / 100.0;
    let low = layers().map(|l| l.low).filter(|l| *l >= lowest);
    let low = low.fold(medians().fold(f32::INFINITY, f32::min), f32::min);
    let high = layers().map(|l| l.high).fold(f32::MIN_POSITIVE, f32::max);
    let low = f64::from(low).log10().floor() as i32;
    let high = (f64::from(high).log10().ceil() as i32).max(low + 1);
    let (left, top, right, bottom) = (62, 34, WIDTH - 12, HEIGHT - 36);
    let x = |depth: f64| left + (depth.clamp(0.0, 1.0) * f64::from(right - left)) as i32;
    let y = |norm: f32| {
        let log = f64::from(norm.max(f32::MIN_POSITIVE)).log10();
        let part = (log - f64::from(low)) / f64::from(high - low);
        bottom - (part.clamp(0.0, 1.0) * f64::from(bottom - top)) as i32
    };
    let title = words.say("norms.title", &[]);
    draw((WIDTH, HEIGHT), &title, |area| {
        area.draw(&text(title.clone(), (0, 2), 15, HPos::Left))?;
        for power in low..=high {
            let norm = 10f64.powi(power);
            let at = y(norm as f32);
            area.draw(&PathElement::new(vec![(left, at), (right, at)], RULE))?;
            area.draw(&text(
                words.number(norm),
                (left - 6, at - 7),
                12,
                HPos::Right,
            ))?;
        }
        for (place, _, layers) in all {
            let colour = slot(*place);
            let plain: Vec<&KernelNorms> = layers.iter().filter(|l| !l.depthwise).collect();
            let edge = |value: fn(&KernelNorms) -> f32| {
                plain.iter().map(move |l| (x(l.depth), y(value(l))))
            };
            let mut band: Vec<(i32, i32)> = edge(|l| l.high).collect();
            band.extend(edge(|l| l.low).rev());
            area.draw(&Polygon::new(band, colour.mix(0.18)))?;
            let line: Vec<(i32, i32)> = edge(|l| l.median).collect();
            area.draw(&PathElement::new(line.clone(), colour.stroke_width(2)))?;
            for point in line {
                area.draw(&Circle::new(point, 2, colour.filled()))?;
            }
            for layer in layers.iter().filter(|l| l.depthwise) {
                let at = x(layer.depth);
                let ends = vec![(at, y(layer.low)), (at, y(layer.high))];
                area.draw(&PathElement::new(ends, colour.stroke_width(1)))?;
                let middle = (at, y(layer.median));
                area.draw(&Circle::new(middle, 4, colour.stroke_width(2)))?;
            }
        }
        area.draw(&PathElement::new(
            vec![(left, bottom), (right, bottom)],
            INK,
        ))?;
        for (word, at, side) in [
            ("chart.input", left, HPos::Left),
            ("chart.depth", (left + right) / 2, HPos::Center),
            ("chart.output", right, HPos::Right),
        ] {
            area.draw(&text(words.say(word, &[]), (at, bottom + 10), 12, side))?;
        }
        Ok(())
    })
}
