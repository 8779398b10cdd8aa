//! What the cuts changed, in sentences that are computed from the blocks.

use std::collections::BTreeMap;

use super::ablations::{NetworkCuts, PhotoCuts};
use crate::figures::{AblatedPrediction, ResidualBlock};
use crate::report::charts::series_chart::SeriesPoint;
use crate::report::words::Words;

/// How many classes are named that a network predicts after a cut.
const NAMED: usize = 3;

/// One of the two cuts of a block.
type CutOf = fn(&ResidualBlock) -> &AblatedPrediction;

const BRANCH: CutOf = |block| &block.without_branch;
const SHORTCUT: CutOf = |block| &block.without_shortcut;

/// The sentences about one network.
pub fn sentences(network: &NetworkCuts, words: &Words) -> Vec<String> {
    let photos = network.first_classes();
    let cuts: usize = photos.iter().map(|photo| photo.blocks.len()).sum();
    // The sentences are about probabilities and predicted classes.
    if cuts == 0 || photos.iter().any(|photo| photo.probability.is_none()) {
        return Vec::new();
    }
    let name = ("network", &*network.net.id);
    let mean_of = |value: &dyn Fn(&PhotoCuts, &ResidualBlock) -> Option<f32>| {
        let photos = photos.iter();
        let values =
            photos.flat_map(|photo| photo.blocks.iter().filter_map(|block| value(photo, block)));
        words.percent(values.map(f64::from).sum::<f64>() / cuts as f64)
    };
    let left = |cut: CutOf| mean_of(&|_, block| cut(block).probability);
    let kept = |cut: CutOf| {
        let is_same = |photo: &PhotoCuts| {
            let blocks = photo.blocks.iter();
            blocks
                .filter(|block| top_class(cut(block)) == photo.first)
                .count()
        };
        photos.iter().map(is_same).sum::<usize>().to_string()
    };
    let cost = [
        name,
        ("whole", &*mean_of(&|photo, _| photo.probability)),
        ("branch", &*left(BRANCH)),
        ("shortcut", &*left(SHORTCUT)),
        ("kept_branch", &*kept(BRANCH)),
        ("kept_shortcut", &*kept(SHORTCUT)),
        ("cuts", &*cuts.to_string()),
    ];
    // Nearly all shortcuts cost nearly everything: the one that costs the least says more.
    let (branch, branch_lost) = extreme(network, BRANCH, 1.0, words);
    let (shortcut, shortcut_lost) = extreme(network, SHORTCUT, -1.0, words);
    let worst = [
        name,
        ("branch", branch),
        ("branch_lost", &*branch_lost),
        ("shortcut", shortcut),
        ("shortcut_lost", &*shortcut_lost),
    ];
    let mut sentences = vec![
        words.text("shortcuts.said.cost", &cost),
        words.text("shortcuts.said.worst", &worst),
    ];
    let classes = predicted_instead(&photos);
    if !classes.is_empty() {
        let gaps = [name, ("classes", &*classes)];
        sentences.push(words.text("shortcuts.said.instead", &gaps));
    }
    sentences
}

/// The index of the class that the network predicts after a cut.
fn top_class(cut: &AblatedPrediction) -> Option<usize> {
    cut.top_class.as_ref().map(|class| class.index)
}

/// The block whose cut costs the most (`sign` 1) or the least (`sign` −1), and the percentage points lost.
fn extreme<'a>(
    network: &NetworkCuts<'a>,
    cut: CutOf,
    sign: f64,
    words: &Words,
) -> (&'a str, String) {
    let series = network.series(|photo, block| photo.lost(cut(block)));
    let means = series.points.iter().filter_map(SeriesPoint::mean);
    let named = means.zip(network.block_names());
    let extreme = named.max_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)));
    let (mean, name) = extreme.unwrap_or_default();
    (name, words.signed(mean * 100.0, 1))
}

/// The classes that the network predicts most often instead of its first choice when a shortcut is cut, with how often.
fn predicted_instead(photos: &[PhotoCuts]) -> String {
    let mut counts: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for photo in photos {
        for block in photo.blocks {
            let Some(class) = &block.without_shortcut.top_class else {
                continue;
            };
            if Some(class.index) != photo.first {
                counts.entry(class.index).or_insert((0, &class.name)).0 += 1;
            }
        }
    }
    let mut most: Vec<(usize, &str)> = counts.into_values().collect();
    // The sort is stable: classes of the same count stay in the order of their indices.
    most.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let named = most.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|(count, name)| format!("{name} ({count})"))
        .collect();
    named.join(", ")
}
