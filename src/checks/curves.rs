//! `curves`: deletion and insertion (Petsiuk et al. 2018, <https://arxiv.org/abs/1806.07421>).
//!
//! # What it shows
//! Whether the pixels with the largest values in a map are those that the class's probability depends on.
//!
//! # How it is computed
//! The map is enlarged bilinearly to the input's size and its pixels are sorted, the largest value first (of a signed
//! map, what supports the class); equal values come in a random order that depends on the seed. *Deletion* sets the
//! pixels to the mean colour, `1/steps` of the image at a time. *Insertion* starts from the blurred image (Gaussian,
//! 11 × 11, standard deviation 5) and restores them. The curve is the class's probability, its area the mean by the
//! trapezoidal rule, 0 to 1. Of a target without a probability (a contrast, a likeness, an output of a regression) the
//! curve is its value. The paper's steps of 224 pixels are `steps: 224` here; fewer change the areas little.
//!
//! # How to read it
//! A small area of deletion and a large one of insertion are good, compared with those of the random map and the centre
//! map.
//!
//! # What it can't show
//! Images with holes are unlike the training images, so a part of each curve is the network's reaction to the holes.
//! Fine maps scatter their holes, and their deletion curves fall faster than those of coarse maps.
//!
//! # Options
//! `steps`.
//!
//! # Cost
//! Twice `steps` forward passes per map.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::check::Check;
use super::context::{CheckContext, TestedMap};
use super::info::{
    Better, CheckChartInfo, CheckChartLine, CheckInfo, CheckNote, CheckNoteValue, ScoreFormat,
    ScoreInfo,
};
use crate::error::{Error, ErrorKind, Result};
use crate::methods::{baseline, batched};
use crate::rng::Rng;

/// The options of `curves`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Curves {
    /// Number of steps from the whole image to the mean colour, 1 to 1000.
    #[schemars(range(min = 1, max = 1000))]
    pub steps: usize,
}

impl Default for Curves {
    fn default() -> Self {
        Curves { steps: 32 }
    }
}

/// The class's probability, 0 to 1, or the value of a target without one, while pixels are deleted or inserted, the map's
/// largest values first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CurvesResult {
    /// From the whole image to the mean colour, in even steps.
    pub deletion: Vec<f32>,
    /// From the blurred image to the whole image, in even steps.
    pub insertion: Vec<f32>,
    /// Area under the deletion curve, 0 to 1.
    pub deletion_area: f64,
    /// Area under the insertion curve, 0 to 1.
    pub insertion_area: f64,
}

impl Check for Curves {
    const INFO: CheckInfo = CheckInfo {
        key: "curves",
        result_key: "curves",
        title: "Deletion and insertion",
        summary: "the class's probability while pixels are deleted and inserted in the order of the map (Petsiuk et al. 2018)",
        read: "Pixels are set to the mean colour, the map's largest values first, and the class's probability should fall \
               fast; restored in a blurred photo in the same order, they should raise it fast. Photos with holes are \
               unlike the training images, so a part of each curve is the network's reaction to the holes.",
        papers: &[
            "Petsiuk, V., Das, A., and Saenko, K. (2018). RISE: randomized input sampling for explanation of black-box \
             models. BMVC. arXiv:1806.07421",
        ],
        scores: &[
            ScoreInfo {
                key: "deletion",
                title: "Deletion",
                note: "area under the curve; lower is better",
                format: ScoreFormat::Decimals(3),
                better: Better::Lower,
            },
            ScoreInfo {
                key: "insertion",
                title: "Insertion",
                note: "area under the curve; higher is better",
                format: ScoreFormat::Decimals(3),
                better: Better::Higher,
            },
        ],
        charts: &[CheckChartInfo {
            key: "curves",
            title: "Deletion and insertion",
            legend: "The class's probability as the pixels with the map's largest values are deleted first (rings) and \
                     restored first in a blurred photo (filled).",
            alt: "{map}: the class's probability during deletion and insertion",
            axis: [
                ("none", "0 %"),
                ("pixels", "pixels changed"),
                ("all", "100 %"),
            ],
            range: (0.0, 1.0),
            format: ScoreFormat::Percent,
            each_image: false,
            of_targets: true,
        }],
        notes: &[(
            "curves",
            "Deletion {deletion} (random map {random_deletion}), insertion {insertion} ({random_insertion})",
        )],
        value_texts: &[
            (
                "check.curves.read",
                "Pixels are set to the mean colour, the map's largest values first, and the value that is explained \
                 ({quantity}) should fall fast; restored in a blurred photo in the same order, they should raise it \
                 fast. Photos with holes are unlike the training images, so a part of each curve is the network's \
                 reaction to the holes.",
            ),
            (
                "trust.deletion.note",
                "mean of the value along the curve; lower is better",
            ),
            (
                "trust.insertion.note",
                "mean of the value along the curve; higher is better",
            ),
            (
                "trust.curves.legend",
                "The value that is explained ({quantity}) as the pixels with the map's largest values are deleted first \
                 (rings) and restored first in a blurred photo (filled).",
            ),
            (
                "trust.curves.alt",
                "{map}: the value that is explained during deletion and insertion",
            ),
        ],
    };

    type MapResult = CurvesResult;

    fn compute(
        &self,
        context: &CheckContext,
        maps: &[TestedMap],
    ) -> Result<Vec<Option<CurvesResult>>> {
        let input = context.input()?;
        let mean_colour = input.f_zeros_like()?;
        let blurred = baseline::blurred(&input)?;
        let ends = Tensor::f_cat(&[&input, &mean_colour, &blurred], 0)?;
        let [whole, none, soft] = context.scores(&ends)?[..] else {
            let message = "the network must return three values for three images";
            return Err(Error::new(ErrorKind::Network, message));
        };
        let tie_order = random_order(context, &input)?;
        let mut results = Vec::with_capacity(maps.len());
        for map in maps {
            let ranks = ranks(&map.enlarged(&input)?, &tie_order)?;
            let between = |from, to| self.scores_between(context, from, to, &ranks);
            let deletion = [vec![whole], between(&input, &mean_colour)?, vec![none]].concat();
            let insertion = [vec![soft], between(&blurred, &input)?, vec![whole]].concat();
            results.push(Some(CurvesResult {
                deletion_area: area(&deletion),
                insertion_area: area(&insertion),
                deletion,
                insertion,
            }));
        }
        Ok(results)
    }

    fn scores(result: &CurvesResult) -> Vec<Option<f64>> {
        vec![Some(result.deletion_area), Some(result.insertion_area)]
    }

    fn charts(result: &CurvesResult) -> Vec<Vec<CheckChartLine>> {
        let line = |curve: &[f32], hollow| CheckChartLine {
            hollow,
            values: curve.iter().map(|value| Some(f64::from(*value))).collect(),
        };
        vec![vec![
            line(&result.deletion, true),
            line(&result.insertion, false),
        ]]
    }

    fn note(result: &CurvesResult, random: Option<&CurvesResult>) -> Option<CheckNote> {
        let value = |name, value| CheckNoteValue {
            name,
            value,
            format: ScoreFormat::Decimals(2),
        };
        Some(CheckNote {
            key: "curves",
            values: vec![
                value("deletion", Some(result.deletion_area)),
                value("insertion", Some(result.insertion_area)),
                value("random_deletion", random.map(|random| random.deletion_area)),
                value(
                    "random_insertion",
                    random.map(|random| random.insertion_area),
                ),
            ],
        })
    }
}

impl Curves {
    /// The scores at the steps between `from` and `to`, without both ends, while the pixels of `to` replace those
    /// of `from` in the order of `ranks`, `[H, W]`.
    fn scores_between(
        &self,
        context: &CheckContext,
        from: &Tensor,
        to: &Tensor,
        ranks: &Tensor,
    ) -> Result<Vec<f32>> {
        let pixels = ranks.numel() as f64;
        let steps: Vec<usize> = (1..self.steps).collect();
        let mut scores = Vec::with_capacity(steps.len());
        for steps in steps.chunks(batched::batch_size(from)) {
            let counts: Vec<f32> = steps
                .iter()
                .map(|step| (*step as f64 / self.steps as f64 * pixels).round() as f32)
                .collect();
            let counts = Tensor::from_slice(&counts)
                .f_view([-1, 1, 1, 1])?
                .f_to_device(from.device())?;
            let replaced = ranks.f_unsqueeze(0)?.f_unsqueeze(0)?.f_lt_tensor(&counts)?;
            scores.extend(context.scores(&to.f_where_self(&replaced, from)?)?);
        }
        Ok(scores)
    }
}

/// The rank of each pixel, 0 for the largest value, `[H, W]` as float32. Equal values are ranked as in `tie_order`, a
/// permutation of all pixels.
fn ranks(map: &Tensor, tie_order: &Tensor) -> Result<Tensor> {
    let values = map.f_reshape([-1])?.f_index_select(0, tie_order)?;
    let order = tie_order.f_index_select(0, &values.f_argsort_stable(true, 0, true)?)?;
    Ok(order
        .f_argsort(0, false)?
        .f_to_kind(Kind::Float)?
        .f_view(map.size().as_slice())?)
}

/// A random permutation of the input's pixels, `[H · W]`, which depends on the seed and the image.
fn random_order(context: &CheckContext, input: &Tensor) -> Result<Tensor> {
    let count = input.size()[2] * input.size()[3];
    let purpose = format!("an order of equals for {}", context.pass.forward.image);
    let mut rng = Rng::new(context.model().seed, &purpose);
    let mut order: Vec<i64> = (0..count).collect();
    order.sort_by_cached_key(|_| rng.uniform().to_bits());
    Ok(Tensor::from_slice(&order).f_to_device(input.device())?)
}

/// The mean of a curve by the trapezoidal rule.
fn area(curve: &[f32]) -> f64 {
    let pairs = curve.windows(2);
    let sum: f64 = pairs
        .map(|pair| (f64::from(pair[0]) + f64::from(pair[1])) / 2.0)
        .sum();
    sum / (curve.len().max(2) - 1) as f64
}
