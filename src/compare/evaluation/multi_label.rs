//! Scores of networks that predict several classes of an image at once: how well the score of a class ranks the images.

use crate::error::{Error, ErrorKind, Result};

/// The scores of a multi-label network.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabelScores {
    /// The average precision of each class, `[classes]`; see [`average_precision`].
    pub average_precision: Vec<Option<f64>>,
    /// The area under the ROC curve of each class, `[classes]`; see [`auroc`].
    pub auroc: Vec<Option<f64>>,
    /// The mean average precision, 0 to 1: over the classes with a positive image. `None` without such a class.
    pub mean_average_precision: Option<f64>,
    /// The mean area under the ROC curve, 0 to 1: over the classes with positive and negative images. `None` without such
    /// a class.
    pub mean_auroc: Option<f64>,
}

/// The average precision of a class, above 0 and at most 1: the mean, over the positive images, of the precision among
/// the images with at least their score. This is scikit-learn's `average_precision_score`, without interpolation.
///
/// `scores` and `positive` have a value per image. `None` if their lengths differ, a score is NaN, or no image is positive.
pub fn average_precision(scores: &[f32], positive: &[bool]) -> Option<f64> {
    precision(&ranks(scores, positive)?)
}

/// The area under the ROC curve of a class, 0 to 1: the probability that a positive image has a higher score than a
/// negative one; equal scores count half.
///
/// `scores` and `positive` have a value per image. `None` if their lengths differ, a score is NaN, or all images are
/// positive, or all negative.
pub fn auroc(scores: &[f32], positive: &[bool]) -> Option<f64> {
    area(&ranks(scores, positive)?)
}

/// The scores of all classes: `scores` and `positive` are `[images, classes]`, row by row.
///
/// # Errors
/// If the numbers of values differ or are no multiple of `classes`, `classes` is 0, or a score is NaN.
pub fn multi_label_scores(
    scores: &[f32],
    positive: &[bool],
    classes: usize,
) -> Result<MultiLabelScores> {
    if scores.len() != positive.len() || classes == 0 || !scores.len().is_multiple_of(classes) {
        let (scores, labels) = (scores.len(), positive.len());
        let message = format!("{scores} scores and {labels} labels are not rows of {classes}");
        return Err(Error::new(ErrorKind::Usage, message));
    }
    let (mut precisions, mut areas) = (Vec::new(), Vec::new());
    for class in 0..classes {
        let column = scores.iter().skip(class).step_by(classes);
        let column: Vec<f32> = column.copied().collect();
        let labels = positive.iter().skip(class).step_by(classes);
        let labels: Vec<bool> = labels.copied().collect();
        let ranks = ranks(&column, &labels).ok_or_else(|| {
            let message = format!("a score of class {class} is NaN");
            Error::new(ErrorKind::Network, message)
        })?;
        precisions.push(precision(&ranks));
        areas.push(area(&ranks));
    }
    Ok(MultiLabelScores {
        mean_average_precision: mean(&precisions),
        mean_auroc: mean(&areas),
        average_precision: precisions,
        auroc: areas,
    })
}

/// The mean of the values that there are.
fn mean(values: &[Option<f64>]) -> Option<f64> {
    let known: Vec<f64> = values.iter().flatten().copied().collect();
    (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
}

/// The images of one score.
struct Rank {
    positive: u64,
    negative: u64,
}

/// The distinct scores, highest first.
fn ranks(scores: &[f32], positive: &[bool]) -> Option<Vec<Rank>> {
    if scores.len() != positive.len() || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let mut images: Vec<_> = scores.iter().zip(positive).collect();
    images.sort_unstable_by(|(a, _), (b, _)| b.total_cmp(a));
    // 0 and −0 are equal, though `total_cmp` orders them.
    let ranks = images.chunk_by(|(a, _), (b, _)| a == b).map(|equal| {
        let positive = equal.iter().filter(|(_, positive)| **positive).count();
        Rank {
            positive: positive as u64,
            negative: (equal.len() - positive) as u64,
        }
    });
    Some(ranks.collect())
}

fn precision(ranks: &[Rank]) -> Option<f64> {
    let (mut positive, mut images, mut sum) = (0, 0, 0.0);
    for rank in ranks {
        positive += rank.positive;
        images += rank.positive + rank.negative;
        sum += rank.positive as f64 * (positive as f64 / images as f64);
    }
    // The quotient can be a rounding error above 1.
    (positive > 0).then(|| f64::min(sum / positive as f64, 1.0))
}

fn area(ranks: &[Rank]) -> Option<f64> {
    let (mut positive, mut negative, mut half_pairs) = (0_u128, 0_u128, 0_u128);
    for rank in ranks {
        let (these, others) = (u128::from(rank.positive), u128::from(rank.negative));
        half_pairs += others * (2 * positive + these);
        positive += these;
        negative += others;
    }
    let pairs = positive * negative;
    (pairs > 0).then(|| half_pairs as f64 / (2 * pairs) as f64)
}
