//! Labels that are probably wrong, by confident learning (Northcutt et al. 2021), from what each network predicts.

use std::collections::BTreeMap;

use super::predictions::Predictions;
use super::thumbnails::store_thumbnail;
use crate::compare::{ConfidentThresholds, LabelledPrediction};
use crate::error::Result;
use crate::figures::{LabelIssues, ModelLabelIssues, SuggestedLabel, SuspectLabel, Tensors};
use crate::plan::Plan;

/// The labels that are probably wrong; the first `shown` images get thumbnails. `None` without networks.
///
/// # Errors
/// If a stored probability is none.
pub(super) fn label_issues(
    all: &[Predictions],
    plan: &Plan,
    shown: usize,
    tensors: &mut Tensors,
) -> Result<Option<LabelIssues>> {
    if all.is_empty() {
        return Ok(None);
    }
    let mut models = Vec::new();
    let mut found: BTreeMap<usize, Vec<Option<SuggestedLabel>>> = BTreeMap::new();
    for (place, own) in all.iter().enumerate() {
        let (undecided, suggested) = suggestions(own)?;
        models.push(ModelLabelIssues {
            model: own.model.clone(),
            found: suggested.len(),
            undecided,
        });
        for (image, suggestion) in suggested {
            let row = found.entry(image).or_insert_with(|| vec![None; all.len()]);
            row[place] = Some(suggestion);
        }
    }
    let mut found: Vec<(usize, Vec<Option<SuggestedLabel>>)> = found.into_iter().collect();
    // Stable: equal ones stay in the collection's order.
    found.sort_by(|a, b| {
        let (a, b) = (rank(&a.1), rank(&b.1));
        b.0.cmp(&a.0).then(a.1.total_cmp(&b.1))
    });
    let mut images = Vec::new();
    for (place, (index, suggested)) in found.into_iter().enumerate() {
        let Some(image) = plan.collection.get(index) else {
            continue;
        };
        let labels = all.iter().filter_map(|own| {
            let p = own.images.get(&index)?;
            Some(own.class(p.label).to_owned())
        });
        let thumbnail = (place < shown).then(|| store_thumbnail(image, tensors));
        images.push(SuspectLabel {
            image: image.id.clone(),
            source: image.source.clone(),
            class: labels.into_iter().next().unwrap_or_default(),
            suggested,
            thumbnail: thumbnail.flatten(),
        });
    }
    Ok(Some(LabelIssues { models, images }))
}

/// How many networks suggest the class that most do, and the mean margin of all that suggest one.
fn rank(suggested: &[Option<SuggestedLabel>]) -> (usize, f64) {
    let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
    let known: Vec<&SuggestedLabel> = suggested.iter().flatten().collect();
    for suggestion in &known {
        *votes.entry(&suggestion.class).or_default() += 1;
    }
    let margin: f64 = known.iter().map(|own| own.margin).sum();
    let most = votes.values().copied().max().unwrap_or(0);
    (most, margin / known.len().max(1) as f64)
}

/// How many images one network can't be decided on, and what it suggests in place of labels.
fn suggestions(own: &Predictions) -> Result<(usize, Vec<(usize, SuggestedLabel)>)> {
    let mut thresholds = ConfidentThresholds::new(own.classes.len());
    for p in own.images.values() {
        thresholds.add(p.label, f64::from(p.truth))?;
    }
    let mut joint = thresholds.into_joint();
    for p in own.images.values() {
        let likeliest = p.likeliest.iter();
        let likeliest: Vec<(usize, f64)> = likeliest
            .map(|(class, probability)| (*class, f64::from(*probability)))
            .collect();
        joint.add(&LabelledPrediction {
            label: p.label,
            self_confidence: f64::from(p.truth),
            likeliest: &likeliest,
        })?;
    }
    let undecided = joint.undecided();
    let indices: Vec<usize> = own.images.keys().copied().collect();
    let issues = joint.into_issues().into_iter();
    let suggested = issues.map(|issue| {
        let suggestion = SuggestedLabel {
            class: own.class(issue.suggested).to_owned(),
            self_confidence: issue.self_confidence,
            margin: issue.margin,
        };
        (indices[issue.image], suggestion)
    });
    Ok((undecided, suggested.collect()))
}
