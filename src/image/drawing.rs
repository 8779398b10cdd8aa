//! The picture that is shown of an image's bands.

use image::RgbImage;
use serde::{Deserialize, Serialize};

use super::bands::{Bands, Samples};

/// Samples that percentiles are taken from: enough for a stable value, and quickly sorted.
const SAMPLED: usize = 1 << 20;

/// The share of samples that is drawn black, and that is drawn white, where the picture is stretched.
const CUT: f64 = 0.02;

/// Pictures whose largest values (but for [`CUT`]) are below this share of the range are stretched: they would be dark.
const DARK: f32 = 0.25;

/// How a picture was drawn from bands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drawing {
    /// The bands that are shown, counted from 1: one in grey, or three as red, green and blue.
    pub bands: Vec<usize>,
    /// How many bands the image has.
    pub of: usize,
    /// Bits of a sample; 32 for floats.
    pub bits: u32,
    /// The values drawn black and white, as a network gets them; `None` if they are 0 and 1.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub range: Option<[f32; 2]>,
}

impl Drawing {
    /// Whether it shows what any picture of 8 bits shows: its grey or its three colours.
    pub fn is_plain(&self) -> bool {
        let shows_all = match self.of {
            1 | 2 => self.bands == [1],
            3 | 4 => self.bands == [1, 2, 3],
            _ => false,
        };
        self.bits == 8 && shows_all
    }
}

/// The picture of the bands `show`, counted from 1; by default the first three, or the first where there are not three of
/// colour. Samples of 8 bits are drawn as they are. Others are drawn from 0 to 1, or, where they exceed that or would be
/// dark, from their 2nd to their 98th percentile.
pub(super) fn draw(bands: &Bands, show: &[usize]) -> (RgbImage, Drawing) {
    let colours = bands.count() - usize::from(bands.has_alpha());
    let shown = match show {
        [] if colours < 3 => vec![1],
        [] => vec![1, 2, 3],
        listed => listed.to_vec(),
    };
    let (bits, range) = match bands.samples() {
        Samples::Bits8(_) => (8, None),
        Samples::Bits16(_) => (16, stretched(bands, &shown)),
        Samples::Float(_) => (32, stretched(bands, &shown)),
    };
    let planes: Vec<Vec<u8>> = shown
        .iter()
        .map(|band| plane(bands, band.saturating_sub(1), range))
        .collect();
    let (width, height) = bands.size();
    let area = width as usize * height as usize;
    let mut rgb = Vec::with_capacity(3 * area);
    for index in 0..area {
        let level = |plane: &Vec<u8>| plane.get(index).copied().unwrap_or_default();
        match &planes[..] {
            [red, green, blue] => rgb.extend([level(red), level(green), level(blue)]),
            [grey, ..] => rgb.extend([level(grey); 3]),
            [] => rgb.extend([0; 3]),
        }
    }
    let drawing = Drawing {
        bands: shown,
        of: bands.count(),
        bits,
        range,
    };
    let pixels = RgbImage::from_raw(width, height, rgb).unwrap_or_default();
    (pixels, drawing)
}

/// One band in 256 levels.
fn plane(bands: &Bands, band: usize, range: Option<[f32; 2]>) -> Vec<u8> {
    match (bands.bytes(band), bands.samples(), range) {
        (Some(bytes), _, _) => bytes.to_vec(),
        (_, Samples::Bits16(values), None) => {
            // The high byte, as image viewers show 16 bits.
            let (width, height) = bands.size();
            let area = width as usize * height as usize;
            let values = values.chunks_exact(area).nth(band).unwrap_or_default();
            values.iter().map(|value| (value >> 8) as u8).collect()
        }
        (_, _, range) => {
            let [low, high] = range.unwrap_or([0.0, 1.0]).map(f64::from);
            let level = |value: f32| (f64::from(value) - low) / (high - low) * 255.0;
            let values = bands.floats(band).into_iter();
            values
                .map(|value| level(value).round().clamp(0.0, 255.0) as u8)
                .collect()
        }
    }
}

/// The values that are drawn black and white; `None` for 0 and 1.
fn stretched(bands: &Bands, shown: &[usize]) -> Option<[f32; 2]> {
    let all: Vec<f32> = shown
        .iter()
        .flat_map(|band| bands.floats(band.saturating_sub(1)))
        .collect();
    let step = all.len().div_ceil(SAMPLED).max(1);
    let mut values: Vec<f32> = all.iter().copied().step_by(step).collect();
    values.sort_unstable_by(f32::total_cmp);
    let at = |part: f64| {
        let last = values.len().saturating_sub(1) as f64;
        values.get((part * last).round() as usize).copied()
    };
    let (low, high) = (at(CUT)?, at(1.0 - CUT)?);
    let is_within = all.iter().all(|value| (0.0..=1.0).contains(value));
    if is_within && high >= DARK {
        return None;
    }
    if low < high {
        return Some([low, high]);
    }
    // Nearly all samples are equal: then the range is that of all.
    let (least, most) = (at(0.0)?, at(1.0)?);
    (least < most).then_some([least, most])
}
