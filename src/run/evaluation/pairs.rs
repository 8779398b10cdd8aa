//! Where two networks, or all of them, are right on the same images.

use std::collections::{BTreeMap, BTreeSet};

use super::predictions::{Prediction, Predictions};
use super::shares::share;
use crate::compare::{cohen_kappa, error_consistency, mcnemar_exact};
use crate::figures::{PairEvaluation, RightTogether};

/// How far two networks agree on the images whose class both know.
pub(super) fn pair_evaluation(a: &Predictions, b: &Predictions) -> PairEvaluation {
    let shared: Vec<(&Prediction, &Prediction)> = a.shared(b).collect();
    let count = |right: [bool; 2]| {
        let same = shared.iter();
        same.filter(|(a, b)| [a.is_right(), b.is_right()] == right)
            .count()
    };
    let (only_first, only_second) = (count([true, false]), count([false, true]));
    // Networks may count their classes differently: they are the same where their names are.
    let mut ids: BTreeMap<&str, usize> = BTreeMap::new();
    let mut id = |name| {
        let next = ids.len();
        *ids.entry(name).or_insert(next)
    };
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for (own, other) in &shared {
        first.push(id(a.class(own.predicted())));
        second.push(id(b.class(other.predicted())));
    }
    let right = |second: bool| -> Vec<bool> {
        let pairs = shared.iter();
        pairs
            .map(|(a, b)| if second { b } else { a }.is_right())
            .collect()
    };
    let images = shared.len();
    PairEvaluation {
        models: [a.model.clone(), b.model.clone()],
        images,
        both_right: share(count([true, true]), images),
        only_first: share(only_first, images),
        only_second: share(only_second, images),
        both_wrong: share(count([false, false]), images),
        kappa: cohen_kappa(&first, &second),
        error_consistency: error_consistency(&right(false), &right(true)),
        mcnemar_p: mcnemar_exact(only_first as u64, only_second as u64),
    }
}

/// Which networks are right together, on the images whose class all of them know.
pub(super) fn combinations(all: &[Predictions], labelled: &BTreeSet<usize>) -> Vec<RightTogether> {
    if all.len() < 2 {
        return Vec::new();
    }
    let mut counts: BTreeMap<Vec<usize>, usize> = BTreeMap::new();
    for image in labelled {
        let own: Option<Vec<&Prediction>> = all.iter().map(|own| own.images.get(image)).collect();
        if let Some(own) = own {
            let right = (0..all.len()).filter(|&model| own[model].is_right());
            *counts.entry(right.collect()).or_default() += 1;
        }
    }
    let mut counts: Vec<(Vec<usize>, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, images)| std::cmp::Reverse(*images));
    let together = counts.into_iter().map(|(models, images)| RightTogether {
        models: models
            .iter()
            .map(|&model| all[model].model.clone())
            .collect(),
        images,
    });
    together.collect()
}
