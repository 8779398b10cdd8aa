//! What the networks predict for the labelled images, as the method `evaluate` stored it.

use std::collections::BTreeMap;

use super::super::stored_tensor::stored_floats;
use crate::error::Result;
use crate::figures::{Content, EvaluatedTask, EvaluationRecords, Tensors};
use crate::network::labels::Labels;
use crate::results::Results;

/// What one network that chooses one of several classes predicts for the labelled images.
pub(super) struct Predictions {
    pub(super) model: String,
    /// By the image's index in the collection.
    pub(super) images: BTreeMap<usize, Prediction>,
    /// The names of its classes; those of the first network that has the same class, by ImageNet's names or in lower case.
    pub(super) classes: Vec<String>,
    pub(super) records: EvaluationRecords,
}

/// What a network predicts for one image.
#[derive(Clone)]
pub(super) struct Prediction {
    pub(super) label: usize,
    /// The true class's rank, from 1.
    pub(super) rank: usize,
    /// The true class's probability.
    pub(super) truth: f32,
    /// The most probable classes with their probabilities, most probable first.
    pub(super) likeliest: Vec<(usize, f32)>,
}

impl Prediction {
    /// From a row of the predictions without the image's index.
    fn read(row: &[f32]) -> Option<Prediction> {
        let [label, rank, truth, likeliest @ ..] = row else {
            return None;
        };
        let likeliest = likeliest.chunks_exact(2);
        Some(Prediction {
            label: *label as usize,
            rank: *rank as usize,
            truth: *truth,
            likeliest: likeliest.map(|two| (two[0] as usize, two[1])).collect(),
        })
    }

    /// The predicted class.
    pub(super) fn predicted(&self) -> usize {
        self.likeliest.first().map_or(0, |(class, _)| *class)
    }

    /// The predicted class's probability.
    pub(super) fn probability(&self) -> f32 {
        self.likeliest
            .first()
            .map_or(0.0, |(_, probability)| *probability)
    }

    /// Whether the predicted class is the true one.
    pub(super) fn is_right(&self) -> bool {
        self.rank == 1
    }
}

impl Predictions {
    /// The name of a class.
    pub(super) fn class(&self, index: usize) -> &str {
        self.classes.get(index).map_or("", String::as_str)
    }

    /// Those of the images that another network has, too, in the collection's order.
    pub(super) fn shared<'a>(
        &'a self,
        other: &'a Predictions,
    ) -> impl Iterator<Item = (&'a Prediction, &'a Prediction)> + 'a {
        let both = self.images.iter();
        both.filter_map(|(index, own)| Some((own, other.images.get(index)?)))
    }
}

/// The records of the networks with this task, in the experiment's order, each with the network's id.
pub(super) fn stored_records(
    results: &Results,
    task: EvaluatedTask,
) -> impl Iterator<Item = (&str, &EvaluationRecords)> {
    let figures = results.figures.iter();
    figures.filter_map(move |figure| match &figure.content {
        Content::Evaluation(records) if records.task == task => {
            Some((figure.model.as_str(), records))
        }
        _ => None,
    })
}

/// What each network that chooses one of several classes predicts, in the experiment's order.
///
/// # Errors
/// If stored predictions are not float32.
pub(super) fn stored_predictions(results: &Results, tensors: &Tensors) -> Result<Vec<Predictions>> {
    let records = stored_records(results, EvaluatedTask::Classes);
    // The first network's name of each class.
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    let mut common = |classes: &[String]| -> Vec<String> {
        let keys = class_keys(classes).into_iter().zip(classes);
        let mut named = Vec::new();
        for (key, name) in keys {
            named.push(names.entry(key).or_insert_with(|| name.clone()).clone());
        }
        named
    };
    records
        .map(|(model, records)| {
            let (values, [_, width]) = stored_floats(tensors, &records.tensor)?;
            let images = values.chunks_exact(width.max(1)).filter_map(|row| {
                let (image, rest) = row.split_first()?;
                Some((*image as usize, Prediction::read(rest)?))
            });
            Ok(Predictions {
                model: model.to_owned(),
                images: images.collect(),
                classes: common(&records.classes),
                records: records.clone(),
            })
        })
        .collect()
}

/// What tells the classes of a network apart and is the same in others: ImageNet's id of the class with its name, or with the first of
/// several names, else the name in lower case.
fn class_keys(classes: &[String]) -> Vec<String> {
    let imagenet = Labels::imagenet();
    let wnid = |name: &str| {
        let class = imagenet.exact(name)?;
        imagenet.wnid(class).map(str::to_owned)
    };
    let whole = |name: &String| wnid(name).unwrap_or_else(|| name.trim().to_lowercase());
    let first = |name: &String| {
        let first = name.split(',').next().unwrap_or_default();
        wnid(name)
            .or_else(|| wnid(first))
            .unwrap_or_else(|| whole(name))
    };
    let keys: Vec<String> = classes.iter().map(first).collect();
    let mut count: BTreeMap<&str, usize> = BTreeMap::new();
    for key in &keys {
        *count.entry(key).or_default() += 1;
    }
    // `maillot` and `maillot, tank suit` are two classes.
    let unique = keys.iter().zip(classes);
    let unique = unique.map(|(key, name)| match count.get(key.as_str()) {
        Some(1) => key.clone(),
        _ => whole(name),
    });
    unique.collect()
}
