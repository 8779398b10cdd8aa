//! From the values of a map to grey levels: which scale, and how the page says so.

use serde::Serialize;

use crate::image::{ColourMap, ValueScale};
use crate::report::words::Words;

/// Maps with more values than this are scaled to a percentile: a gradient's few largest values would leave the others
/// dark.
const CLIPPED_FROM: usize = 56 * 56;
const PERCENTILE: f64 = 0.995;

/// The scale on which values are displayed.
#[derive(Debug, Clone, Copy)]
pub struct DisplayScale {
    /// The scale.
    pub scale: ValueScale,
    /// Whether values beyond the scale's end are displayed as its end.
    pub clipped: bool,
    /// The largest magnitude among the values.
    pub largest: f32,
}

impl DisplayScale {
    /// From 0 to the largest value, or symmetric about 0; for large maps to the 99.5th percentile of the magnitudes.
    pub fn new(values: &[f32], signed: bool) -> DisplayScale {
        let mut magnitudes: Vec<f32> = values
            .iter()
            .filter(|v| v.is_finite())
            .map(|v| v.abs())
            .collect();
        magnitudes.sort_by(f32::total_cmp);
        let largest = magnitudes.last().copied().unwrap_or(0.0);
        let mut end = largest;
        if magnitudes.len() >= CLIPPED_FROM {
            let index = (magnitudes.len() as f64 * PERCENTILE) as usize;
            let percentile = magnitudes.get(index).copied().unwrap_or(largest);
            // The percentile of a map that is 0 nearly everywhere is 0.
            if percentile > 0.0 {
                end = percentile;
            }
        }
        let scale = if signed {
            ValueScale::symmetric(end)
        } else {
            ValueScale::between(0.0, end)
        };
        DisplayScale {
            scale,
            clipped: end < largest,
            largest,
        }
    }

    /// The colour map in which the report draws values of this scale.
    pub fn colour_map(&self) -> ColourMap {
        colour_map(self.scale.signed)
    }
}

/// The colour map in which the report draws signed and unsigned values.
pub fn colour_map(signed: bool) -> ColourMap {
    if signed {
        ColourMap::BlueRed
    } else {
        ColourMap::Inferno
    }
}

/// A scale as a colour bar.
#[derive(Debug, Serialize)]
pub struct ScaleView {
    /// Whether it is symmetric about 0.
    pub signed: bool,
    /// The number at its lower end.
    pub low: String,
    /// The number at its upper end.
    pub high: String,
    /// Both as values, for the script.
    pub ends: (f32, f32),
    /// Whether values beyond the ends are displayed as the ends.
    pub clipped: bool,
    /// Which scale it is.
    pub words: String,
}

impl ScaleView {
    /// The view of a scale that the text at `key` describes.
    pub fn new(display: &DisplayScale, key: &str, words: &Words) -> ScaleView {
        let ValueScale { low, high, signed } = display.scale;
        let mut description = words.text(key, &[]);
        if display.clipped {
            let largest = words.number(f64::from(display.largest));
            let clipped = words.text("scale.clipped", &[("largest", &largest)]);
            description = format!("{description}; {clipped}");
        }
        ScaleView {
            signed,
            low: words.number(f64::from(low)),
            high: words.number(f64::from(high)),
            ends: (low, high),
            clipped: display.clipped,
            words: description,
        }
    }
}

/// The position of the largest magnitude of a map `[height, width]`: parts of its sides from the left and the top.
pub fn peak(values: &[f32], width: usize) -> Option<(f64, f64)> {
    let (index, _) = values
        .iter()
        .enumerate()
        .filter(|(_, v)| v.is_finite())
        .max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()).then(b.0.cmp(&a.0)))?;
    let height = values.len().checked_div(width)?;
    let centre = |position: usize, side: usize| (position as f64 + 0.5) / side as f64;
    Some((centre(index % width, width), centre(index / width, height)))
}
