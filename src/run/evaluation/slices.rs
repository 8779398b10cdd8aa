//! Groups of images for which a network's accuracy is off: those that the CSV names, and images with similar codes.

use std::collections::BTreeMap;

use super::super::stored_tensor::stored_floats;
use super::groups::Groups;
use super::predictions::{Prediction, Predictions};
use super::shares::{interval, share};
use super::thumbnails::store_thumbnail;
use crate::compare::{LogFactorials, PointSet, holm, k_means};
use crate::error::Result;
use crate::figures::{ModelSlices, Slice, SliceImage, SliceSource, Tensors};
use crate::plan::Plan;

/// The fewest images of a slice: of fewer nothing can be said.
const FEWEST: usize = 10;

/// About how many images a group of similar codes has, and the largest number of such groups.
const SIMILAR: usize = 30;
const MOST: usize = 20;

/// The p-value, after the correction, below which an accuracy is off.
const SIGNIFICANT: f64 = 0.05;

/// How many images of a slice are shown.
const EXAMPLES: usize = 6;

/// How many classes name a group of similar codes.
const NAMED: usize = 3;

/// A group to test: the images' indices in the collection, those to show first.
struct Candidate {
    source: SliceSource,
    images: Vec<usize>,
}

/// The slices of each network, with thumbnails of their examples; none where there is no group to test.
///
/// # Errors
/// If stored codes are not float32.
pub(super) fn slices(
    all: &[Predictions],
    groups: &Groups,
    plan: &Plan,
    shown: bool,
    tensors: &mut Tensors,
) -> Result<Vec<ModelSlices>> {
    let mut found = Vec::new();
    for own in all {
        let mut candidates = column_candidates(own, groups);
        candidates.extend(code_candidates(own, plan, tensors)?);
        if candidates.is_empty() {
            continue;
        }
        let whole = own.images.len();
        let right = |images: &[usize]| {
            let predictions = images.iter().filter_map(|image| own.images.get(image));
            predictions.filter(|p| p.is_right()).count()
        };
        let hits = own.images.values().filter(|p| p.is_right()).count();
        let factorials = LogFactorials::up_to(whole);
        let p_values: Vec<f64> = (candidates.iter())
            .map(|own| {
                let part = own.images.len();
                let p = factorials.fisher_exact(part, right(&own.images), whole, hits);
                p.unwrap_or(1.0)
            })
            .collect();
        let tested = candidates.len();
        let corrected = candidates.into_iter().zip(holm(&p_values));
        let mut off: Vec<(Candidate, f64)> = corrected.filter(|(_, p)| *p < SIGNIFICANT).collect();
        // Stable: equal ones stay in their order.
        off.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut slices = Vec::new();
        for (candidate, p) in off {
            let (part, part_right) = (candidate.images.len(), right(&candidate.images));
            slices.push(Slice {
                images: part,
                top1: share(part_right, part),
                interval: interval(part_right, part),
                others: share(hits - part_right, whole - part),
                p,
                examples: examples(own, &candidate.images, plan, shown, tensors),
                source: candidate.source,
            });
        }
        found.push(ModelSlices {
            model: own.model.clone(),
            tested,
            slices,
        });
    }
    Ok(found)
}

/// The groups of the CSV that are large enough, and leave enough others.
fn column_candidates(own: &Predictions, groups: &Groups) -> Vec<Candidate> {
    let known = groups.iter().map(|((column, group), images)| Candidate {
        source: SliceSource::Column {
            column: column.clone(),
            group: group.clone(),
        },
        images: (images.iter().copied())
            .filter(|image| own.images.contains_key(image))
            .collect(),
    });
    known
        .filter(|candidate| is_testable(candidate, own))
        .collect()
}

fn is_testable(candidate: &Candidate, own: &Predictions) -> bool {
    let part = candidate.images.len();
    part >= FEWEST && own.images.len() - part >= FEWEST
}

/// The groups of images with similar codes, the most typical images first.
fn code_candidates(own: &Predictions, plan: &Plan, tensors: &Tensors) -> Result<Vec<Candidate>> {
    let Some(key) = &own.records.codes else {
        return Ok(Vec::new());
    };
    let (values, [count, width]) = stored_floats(tensors, key)?;
    let groups = (count / SIMILAR).min(MOST);
    if groups < 2 || width < 2 {
        return Ok(Vec::new());
    }
    let rows = values.chunks_exact(width);
    let images: Vec<usize> = rows.clone().map(|row| row[0] as usize).collect();
    // Codes of one direction are similar, however strong they are.
    let directions: Vec<f32> = rows
        .flat_map(|row| {
            let code = &row[1..];
            let norm = code
                .iter()
                .map(|v| f64::from(*v).powi(2))
                .sum::<f64>()
                .sqrt();
            let norm = norm.max(f64::MIN_POSITIVE);
            code.iter()
                .map(move |value| (f64::from(*value) / norm) as f32)
        })
        .collect();
    let points = PointSet::new(&directions, width - 1)?;
    let found = k_means(
        &points,
        groups,
        plan.experiment.seed,
        "groups of similar codes",
    );
    let mut candidates = Vec::new();
    for group in 0..found.groups {
        let mut members: Vec<(usize, f64)> = (images.iter().zip(&found.group))
            .zip(&found.distance)
            .filter(|((_, own), _)| **own == group)
            .map(|((image, _), distance)| (*image, *distance))
            .collect();
        members.sort_by(|a, b| a.1.total_cmp(&b.1));
        let members: Vec<usize> = members.into_iter().map(|(image, _)| image).collect();
        let candidate = Candidate {
            source: SliceSource::Codes {
                classes: frequent_classes(own, &members),
            },
            images: members,
        };
        candidates.extend(is_testable(&candidate, own).then_some(candidate));
    }
    Ok(candidates)
}

/// The most frequent true classes of some images.
fn frequent_classes(own: &Predictions, images: &[usize]) -> Vec<String> {
    let mut counts: BTreeMap<usize, usize> = BTreeMap::new();
    for p in images.iter().filter_map(|image| own.images.get(image)) {
        *counts.entry(p.label).or_default() += 1;
    }
    let mut counts: Vec<(usize, usize)> = counts.into_iter().collect();
    counts.sort_by_key(|(_, images)| std::cmp::Reverse(*images));
    let named = counts.into_iter().take(NAMED);
    named
        .map(|(class, _)| own.class(class).to_owned())
        .collect()
}

fn examples(
    own: &Predictions,
    images: &[usize],
    plan: &Plan,
    shown: bool,
    tensors: &mut Tensors,
) -> Vec<SliceImage> {
    let shown = if shown { EXAMPLES } else { 0 };
    let mut examples = Vec::new();
    for index in images.iter().take(shown) {
        let known: Option<(_, &Prediction)> =
            plan.collection.get(*index).zip(own.images.get(index));
        let Some((image, p)) = known else { continue };
        examples.push(SliceImage {
            image: image.id.clone(),
            class: own.class(p.label).to_owned(),
            predicted: own.class(p.predicted()).to_owned(),
            thumbnail: store_thumbnail(image, tensors),
        });
    }
    examples
}
