//! `drop`: average drop and increase in confidence (Chattopadhay et al. 2018, <https://arxiv.org/abs/1710.11063>).
//!
//! # What it shows
//! Whether the network still recognises the class in the part of the image that a map keeps.
//!
//! # How it is computed
//! The map is enlarged bilinearly to the input's size and scaled to 0…1: negative values become 0, the largest value 1,
//! and, for a map without negative values, the smallest value 0. The preprocessed image is multiplied by it, so that
//! the mean colour is left where the map is 0. The drop is the share of the class's probability that is lost, and 0
//! where the probability rises. Reported are its mean over images and classes, and the share of those for which the
//! probability rises (increase in confidence). Of a contrast or a likeness the value is measured in place of a probability,
//! for images where it is above 0; outputs of a regression are left out, as no share of them can be taken.
//!
//! # How to read it
//! A small drop and many rises: the map keeps what the network uses.
//!
//! # What it can't show
//! A map that keeps the whole image loses nothing; compare with the random map and the centre map.
//!
//! # Options
//! None.
//!
//! # Cost
//! One forward pass per map.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::check::Check;
use super::context::{CheckContext, TestedMap};
use super::info::{Better, CheckInfo, CheckNote, CheckNoteValue, ScoreFormat, ScoreInfo};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::Quantity;
use crate::methods::batched;

/// The options of `drop`: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ConfidenceDrop {}

/// The class's probability, 0 to 1, or the value of a target without one, for the image and for the image multiplied by the
/// map.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct ConfidenceChange {
    /// For the image.
    pub whole: f32,
    /// For the image multiplied by the map.
    pub dimmed: f32,
}

impl ConfidenceChange {
    /// The share that is lost, 0 to 1 of a probability; 0 where the value rises.
    pub fn drop(&self) -> f64 {
        let (whole, dimmed) = (f64::from(self.whole), f64::from(self.dimmed));
        if whole > 0.0 {
            ((whole - dimmed) / whole).max(0.0)
        } else {
            0.0
        }
    }

    /// Whether the probability rises.
    pub fn rises(&self) -> bool {
        self.dimmed > self.whole
    }
}

impl Check for ConfidenceDrop {
    const INFO: CheckInfo = CheckInfo {
        key: "drop",
        result_key: "drop",
        title: "Average drop",
        summary: "the loss of probability when the image is multiplied by the map (Chattopadhay et al. 2018)",
        read: "The photo is multiplied by the map (0 to 1), and the network should still recognise the class. A map that \
               keeps the whole photo loses nothing, so compare with the centre map.",
        papers: &[
            "Chattopadhay, A., Sarkar, A., Howlader, P., and Balasubramanian, V. N. (2018). Grad-CAM++: improved \
             visual explanations for deep convolutional networks. WACV. arXiv:1710.11063",
        ],
        scores: &[
            ScoreInfo {
                key: "drop",
                title: "Average drop",
                note: "share of the probability lost when the photo is multiplied by the map; lower is better",
                format: ScoreFormat::Percent,
                better: Better::Lower,
            },
            ScoreInfo {
                key: "rise",
                title: "Increase in confidence",
                note: "share of photos for which the probability rises instead; higher is better",
                format: ScoreFormat::Percent,
                better: Better::Higher,
            },
        ],
        charts: &[],
        notes: &[
            ("drop", "average drop {drop}"),
            (
                "rise",
                "the probability rises when the photo is multiplied by the map",
            ),
        ],
        value_texts: &[
            (
                "check.drop.read",
                "The photo is multiplied by the map: how much of the value that is explained ({quantity}) is lost, and for \
                 how many photos does it rise? Photos with a value of 0 or below are left out, as are outputs of a \
                 regression, of which no share can be taken. A map that keeps the whole photo loses nothing.",
            ),
            (
                "trust.drop.note",
                "share of the value lost when the photo is multiplied by the map; lower is better",
            ),
            (
                "trust.rise.note",
                "share of photos for which the value rises instead; higher is better",
            ),
            (
                "check_note.rise",
                "the value rises when the photo is multiplied by the map",
            ),
        ],
    };

    type MapResult = ConfidenceChange;

    fn compute(
        &self,
        context: &CheckContext,
        maps: &[TestedMap],
    ) -> Result<Vec<Option<ConfidenceChange>>> {
        let input = context.input()?;
        let [whole] = context.scores(&input)?[..] else {
            let message = "the network must return one value for one image";
            return Err(Error::new(ErrorKind::Network, message));
        };
        let has_share = match context.quantity() {
            Quantity::Probability => true,
            // An output has no zero that means nothing.
            Quantity::Output => false,
            _ => whole > 0.0,
        };
        if !has_share {
            return Ok(maps.iter().map(|_| None).collect());
        }
        let mut results = Vec::with_capacity(maps.len());
        for maps in maps.chunks(batched::batch_size(&input)) {
            let mut inputs = Vec::with_capacity(maps.len());
            for map in maps {
                inputs.push(input.f_mul(&scale_to_unit(&map.enlarged(&input)?)?)?);
            }
            let scores = context.scores(&Tensor::f_cat(&inputs, 0)?)?;
            results.extend(
                scores
                    .into_iter()
                    .map(|dimmed| Some(ConfidenceChange { whole, dimmed })),
            );
        }
        Ok(results)
    }

    fn scores(result: &ConfidenceChange) -> Vec<Option<f64>> {
        let rises = if result.rises() { 1.0 } else { 0.0 };
        vec![Some(result.drop()), Some(rises)]
    }

    fn note(result: &ConfidenceChange, _random: Option<&ConfidenceChange>) -> Option<CheckNote> {
        if result.rises() {
            return Some(CheckNote {
                key: "rise",
                values: Vec::new(),
            });
        }
        let drop = CheckNoteValue {
            name: "drop",
            value: Some(result.drop()),
            format: ScoreFormat::Percent,
        };
        Some(CheckNote {
            key: "drop",
            values: vec![drop],
        })
    }
}

/// The map scaled to 0…1; all 0 where no value is positive or all values are equal.
fn scale_to_unit(map: &Tensor) -> Result<Tensor> {
    let (low, high) = (
        map.f_min()?.f_double_value(&[])?,
        map.f_max()?.f_double_value(&[])?,
    );
    let low = low.max(0.0);
    if high > low {
        Ok(map
            .f_add_scalar(-low)?
            .f_div_scalar(high - low)?
            .f_clamp(0.0, 1.0)?)
    } else {
        Ok(map.f_zeros_like()?)
    }
}
