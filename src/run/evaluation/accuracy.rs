//! How often one network is right, for all images and for each class, and what it confuses.

use std::collections::BTreeMap;

use super::confusion::{Grouping, confusion_matrix};
use super::groups::{Groups, group_accuracies};
use super::predictions::Predictions;
use super::shares::{interval, share};
use crate::compare::{Calibration, Confusion as ConfusedClasses};
use crate::error::Result;
use crate::figures::{CalibrationBin, ClassAccuracy, Confusion, ModelEvaluation};

/// How many confusions of a network are listed.
const CONFUSIONS: usize = 20;

/// The accuracy, calibration and confusions of one network.
///
/// # Errors
/// If a stored probability is none.
pub(super) fn model_evaluation(
    own: &Predictions,
    groups: &Groups,
    grouping: Option<&Grouping>,
) -> Result<ModelEvaluation> {
    let images = own.images.len();
    let all = || own.images.values();
    let within = |rank: usize| all().filter(|p| p.rank <= rank).count();
    let mut calibration = Calibration::default();
    let mut confused = ConfusedClasses::default();
    for p in all() {
        calibration.add(f64::from(p.probability()), p.is_right())?;
        confused.add(p.label, p.predicted());
    }
    let mut by_class: BTreeMap<usize, [usize; 2]> = BTreeMap::new();
    for p in all() {
        let counts = by_class.entry(p.label).or_default();
        counts[0] += 1;
        counts[1] += usize::from(p.is_right());
    }
    let mut classes: Vec<ClassAccuracy> = by_class
        .iter()
        .map(|(class, [images, right])| ClassAccuracy {
            class: own.class(*class).to_owned(),
            images: *images,
            top1: share(*right, *images),
            interval: interval(*right, *images),
        })
        .collect();
    // The sort is stable: equal accuracies stay in the order of the classes.
    classes.sort_by(|a, b| a.top1.total_cmp(&b.top1));
    let matrix = grouping.map(|grouping| confusion_matrix(own, &confused, grouping));
    let confusions = confused.most_confused(CONFUSIONS).into_iter();
    Ok(ModelEvaluation {
        model: own.model.clone(),
        images,
        top1: share(within(1), images),
        top1_interval: interval(within(1), images),
        top5: share(within(5), images),
        top5_interval: interval(within(5), images),
        ece: calibration.ece().unwrap_or(0.0),
        bins: (calibration.bins().iter())
            .map(|bin| CalibrationBin {
                images: bin.count,
                confidence: bin.mean_confidence.unwrap_or(0.0),
                accuracy: bin.accuracy.unwrap_or(0.0),
            })
            .collect(),
        confusions: confusions
            .map(|found| Confusion {
                class: own.class(found.truth).to_owned(),
                predicted: own.class(found.predicted).to_owned(),
                images: found.count as usize,
                share: found.share,
            })
            .collect(),
        classes,
        groups: group_accuracies(own, groups),
        matrix: matrix.transpose()?,
    })
}
