//! What came out, in sentences that are computed from the predictions and the comparison.

use super::photo_names::photo_name;
use super::words::Words;
use crate::network::Task;
use crate::results::{Prediction, Results};

/// A sentence names up to so many photos.
const NAMED: usize = 6;

/// Where each network is right, where the networks differ, and where their maps agree least and most.
pub fn sentences(results: &Results, words: &Words) -> Vec<String> {
    let models = results.models.iter();
    let mut sentences: Vec<String> = models
        .filter_map(|model| match model.task {
            Task::MultiLabel => found_classes(results, &model.id, words),
            _ => accuracy(results, &model.id, words),
        })
        .collect();
    if results.models.len() >= 2 {
        sentences.extend(agreement(results, words));
        sentences.extend(map_agreement(results, words));
    }
    sentences
}

/// On how many labelled photos a network is right.
fn accuracy(results: &Results, model: &str, words: &Words) -> Option<String> {
    let own = results.predictions.iter().filter(|p| p.model == model);
    let ranks: Vec<usize> = own.filter_map(|p| Some(p.label.as_ref()?.rank)).collect();
    let within = |rank: usize| ranks.iter().filter(|r| **r <= rank).count().to_string();
    let gaps = [
        ("network", model),
        ("first", &within(1)),
        ("five", &within(5)),
        ("of", &ranks.len().to_string()),
    ];
    let classes = results.models.iter().find(|found| found.id == model);
    // The true class of a network with few classes is always among the top five.
    let key = match classes.map(|model| model.classes) {
        Some(..=5) => "summary.right.few",
        _ => "summary.right",
    };
    (!ranks.is_empty()).then(|| words.text(key, &gaps))
}

/// How many of the true classes of the labelled photos a network with independent classes finds likely.
fn found_classes(results: &Results, model: &str, words: &Words) -> Option<String> {
    let own = results.predictions.iter().filter(|p| p.model == model);
    let labels: Vec<f32> = own
        .flat_map(|p| &p.labels)
        .filter_map(|label| label.probability)
        .collect();
    let found = labels.iter().filter(|p| **p >= 0.5).count();
    let gaps = [
        ("network", model),
        ("found", &found.to_string()),
        ("of", &labels.len().to_string()),
    ];
    (!labels.is_empty()).then(|| words.text("summary.found", &gaps))
}

/// The photos on which all networks are right, none, or some; without labels those on which they agree or differ.
fn agreement(results: &Results, words: &Words) -> Vec<String> {
    let mut groups: [(&str, Vec<String>); 5] = [
        ("summary.all_right", vec![]),
        ("summary.none_right", vec![]),
        ("summary.some_right", vec![]),
        ("summary.agree", vec![]),
        ("summary.differ", vec![]),
    ];
    for image in &results.images {
        let predictions = results.predictions.iter();
        // Values and several true classes are no choice of a class.
        let own = |p: &&Prediction| p.image == image.id && results.task(&p.model) == Task::Classes;
        let predictions: Vec<&Prediction> = predictions.filter(own).collect();
        if predictions.len() < 2 {
            continue;
        }
        let right: Vec<&str> = predictions
            .iter()
            .filter(|p| p.label.as_ref().is_some_and(|l| l.rank == 1))
            .map(|p| p.model.as_str())
            .collect();
        let name = photo_name(results, &image.id);
        let (group, name) = if predictions.iter().all(|p| p.label.is_some()) {
            match right.len() {
                count if count == predictions.len() => (0, name),
                0 => (1, name),
                _ => (2, format!("{name} ({})", right.join(", "))),
            }
        } else {
            let first = |p: &Prediction| p.top.first().map(|score| score.class.name.clone());
            let agree = predictions
                .windows(2)
                .all(|pair| first(pair[0]) == first(pair[1]));
            (if agree { 3 } else { 4 }, name)
        };
        groups[group].1.push(name);
    }
    let sentences = groups.iter().filter(|(_, photos)| !photos.is_empty());
    sentences
        .map(|(key, photos)| {
            let mut list = photos
                .iter()
                .take(NAMED)
                .cloned()
                .collect::<Vec<_>>()
                .join(", ");
            if photos.len() > NAMED {
                list.push_str(", …");
            }
            let count = photos.len().to_string();
            words.text(key, &[("count", &count), ("photos", &list)])
        })
        .collect()
}

/// On which photo the networks' maps agree least, and on which most.
fn map_agreement(results: &Results, words: &Words) -> Option<String> {
    let photos = &results.comparison.as_ref()?.images;
    let (least, most) = (photos.first()?, photos.last()?);
    let gaps = [
        ("least", &*photo_name(results, &least.image)),
        ("low", &*words.signed(least.spearman, 2)),
        ("most", &*photo_name(results, &most.image)),
        ("high", &*words.signed(most.spearman, 2)),
    ];
    let key = if photos.len() == 1 {
        "summary.maps.one"
    } else {
        "summary.maps"
    };
    Some(words.text(key, &gaps))
}

/// What came out, in sentences of the report's language.
pub fn summary(results: &Results) -> Vec<String> {
    sentences(results, &Words::new(results.experiment.lang))
}
