//! `pointing`: the pointing game (Zhang et al. 2016, <https://arxiv.org/abs/1608.00507>) and the energy-based pointing
//! game (Wang et al. 2020, <https://arxiv.org/abs/1910.01279>), for images that come with a `box` or a `mask`.
//!
//! # What it shows
//! Whether a map is brightest where the image shows its class.
//!
//! # How it is computed
//! The box or mask is resized and cropped as the image is: the target mask. The map is enlarged bilinearly to the
//! input's size. A hit is a map whose largest value lies in the target mask, or at most 15 pixels of 224 outside it.
//! Energy is the share of the map's positive values that lies in the target mask.
//!
//! # How to read it
//! Compare the energy with the share of the image that the target mask covers, which is the energy of a constant map,
//! and both scores with those of the centre map: most photos show their object in the middle.
//!
//! # What it can't show
//! Whether the network is right to use other pixels: it may recognise the class by its surroundings, and a faithful map
//! then points outside.
//!
//! # Options
//! None.
//!
//! # Cost
//! No pass of the network.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::check::Check;
use super::context::{CheckContext, TestedMap};
use super::info::{Better, CheckInfo, CheckNote, CheckNoteValue, ScoreFormat, ScoreInfo};
use crate::error::Result;

/// The options of `pointing`: none.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Pointing {}

/// How far a map points into the target mask.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct PointingResult {
    /// Whether the largest value lies in the target mask, or at most 15 pixels of 224 outside it.
    pub hit: bool,
    /// The share of the positive values that lies in the target mask, 0 to 1.
    pub energy: f64,
    /// The share of the image that the target mask covers, 0 to 1: the energy of a constant map.
    pub area: f64,
}

impl Check for Pointing {
    const INFO: CheckInfo = CheckInfo {
        key: "pointing",
        result_key: "pointing",
        title: "Pointing",
        summary: "whether the map's largest value and its energy lie in the image's box or mask (Zhang et al. 2016)",
        read: "For photos that come with a box or a mask: does the largest value lie inside, and which share of the \
               positive values? A network may be right to use other pixels.",
        papers: &[
            "Zhang, J., Bargal, S. A., Lin, Z., Brandt, J., Shen, X., and Sclaroff, S. (2018). Top-down neural \
             attention by excitation backprop. International Journal of Computer Vision 126. arXiv:1608.00507",
        ],
        scores: &[
            ScoreInfo {
                key: "hit",
                title: "Pointing game",
                note: "share of photos with the largest value inside the box; higher is better",
                format: ScoreFormat::Percent,
                better: Better::Higher,
            },
            ScoreInfo {
                key: "energy",
                title: "Energy inside",
                note: "share of the positive values inside the box; higher is better",
                format: ScoreFormat::Percent,
                better: Better::Higher,
            },
        ],
        charts: &[],
        notes: &[
            (
                "hit",
                "points into the box, {energy} of the energy inside ({area} of the photo)",
            ),
            (
                "miss",
                "points outside the box, {energy} of the energy inside ({area} of the photo)",
            ),
        ],
        value_texts: &[],
    };

    type MapResult = PointingResult;

    fn compute(
        &self,
        context: &CheckContext,
        maps: &[TestedMap],
    ) -> Result<Vec<Option<PointingResult>>> {
        let Some(mask) = context.target_mask else {
            return Ok(maps.iter().map(|_| None).collect());
        };
        let input = context.input()?;
        let (height, width) = (input.size()[2], input.size()[3]);
        let mask = mask.f_to_kind(Kind::Float)?;
        let tolerance = (height.min(width) * 15 + 112) / 224;
        let hit_area = mask
            .f_view([1, 1, height, width])?
            .f_max_pool2d(
                [2 * tolerance + 1; 2],
                [1, 1],
                [tolerance; 2],
                [1, 1],
                false,
            )?
            .f_view([-1])?;
        let area = mask.f_mean(Kind::Double)?.f_double_value(&[])?;
        maps.iter()
            .map(|map| point(&map.enlarged(&input)?, &mask, &hit_area, area))
            .collect()
    }

    fn scores(result: &PointingResult) -> Vec<Option<f64>> {
        let hit = if result.hit { 1.0 } else { 0.0 };
        vec![Some(hit), Some(result.energy)]
    }

    fn note(result: &PointingResult, _random: Option<&PointingResult>) -> Option<CheckNote> {
        let value = |name, value| CheckNoteValue {
            name,
            value: Some(value),
            format: ScoreFormat::Percent,
        };
        Some(CheckNote {
            key: if result.hit { "hit" } else { "miss" },
            values: vec![value("energy", result.energy), value("area", result.area)],
        })
    }
}

/// The result for a map `[H, W]`, or `None` if no value is positive. `hit_area`, `[H · W]`, is 1 where the largest value
/// counts as a hit.
fn point(
    map: &Tensor,
    mask: &Tensor,
    hit_area: &Tensor,
    area: f64,
) -> Result<Option<PointingResult>> {
    let largest = map.f_argmax(None, false)?.f_int64_value(&[])?;
    let positive = map.f_relu()?;
    let total = positive.f_sum(Kind::Double)?.f_double_value(&[])?;
    let inside = positive
        .f_mul(mask)?
        .f_sum(Kind::Double)?
        .f_double_value(&[])?;
    if total <= 0.0 {
        return Ok(None);
    }
    Ok(Some(PointingResult {
        hit: hit_area.f_double_value(&[largest])? > 0.5,
        energy: inside / total,
        area,
    }))
}
