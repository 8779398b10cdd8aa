//! Groups of images that the collection's CSV names.

use std::collections::BTreeMap;

use super::predictions::Predictions;
use super::shares::{interval, share};
use crate::figures::GroupAccuracy;
use crate::plan::PlannedImage;

/// How many different texts a column of groups has at most; one with more is an id or a number.
const MOST: usize = 50;

/// The images of each group, by column and text in the alphabet's order. Columns with one text or too many are left out, and those
/// with fewer than two images for each text on average.
pub(super) type Groups = Vec<((String, String), Vec<usize>)>;

/// The groups of the images that any network has a label for.
pub(super) fn groups(collection: &[PlannedImage], labelled: impl Iterator<Item = usize>) -> Groups {
    let mut columns: BTreeMap<String, BTreeMap<String, Vec<usize>>> = BTreeMap::new();
    for index in labelled {
        for (column, text) in collection.get(index).map_or(&[][..], |image| &image.groups) {
            let texts = columns.entry(column.to_string()).or_default();
            texts.entry(text.to_string()).or_default().push(index);
        }
    }
    columns.retain(|_, texts| {
        let images: usize = texts.values().map(Vec::len).sum();
        (2..=MOST).contains(&texts.len()) && images >= 2 * texts.len()
    });
    let all = columns.into_iter().flat_map(|(column, texts)| {
        let texts = texts.into_iter();
        texts.map(move |(text, images)| ((column.clone(), text), images))
    });
    all.collect()
}

/// The accuracy of a network for each group.
pub(super) fn group_accuracies(own: &Predictions, groups: &Groups) -> Vec<GroupAccuracy> {
    let accuracies = groups.iter().map(|((column, group), images)| {
        let predictions = || images.iter().filter_map(|image| own.images.get(image));
        let right = predictions().filter(|p| p.is_right()).count();
        let count = predictions().count();
        GroupAccuracy {
            column: column.clone(),
            group: group.clone(),
            images: count,
            top1: share(right, count),
            interval: interval(right, count),
        }
    });
    accuracies.filter(|group| group.images > 0).collect()
}
