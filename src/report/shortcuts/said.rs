//! What came of cutting the shortcuts, in sentences that are computed from the blocks.

use std::collections::BTreeMap;

use super::{Look, Network, signed};
use crate::figures::{AblatedPrediction, ResidualBlock};
use crate::report::depth::Point;
use crate::report::words::Words;

/// What came out for one network.
pub(super) fn sentences(network: &Network, words: &Words) -> Vec<String> {
    let firsts = network.firsts();
    let cuts: usize = firsts.iter().map(|look| look.blocks.len()).sum();
    if cuts == 0 {
        return Vec::new();
    }
    type Side = fn(&ResidualBlock) -> &AblatedPrediction;
    let sides: [Side; 2] = [
        |block| &block.without_branch,
        |block| &block.without_shortcut,
    ];
    let mean = |of: &dyn Fn(&Look, &ResidualBlock) -> f32| {
        let each = |look| move |block| f64::from(of(look, block));
        let all = firsts
            .iter()
            .flat_map(|look| look.blocks.iter().map(each(look)));
        words.percent(all.sum::<f64>() / cuts as f64)
    };
    let whole = mean(&|look, _| look.probability);
    let left = sides.map(|side| mean(&|_, block| side(block).probability));
    let kept = sides.map(|side| {
        let stays = |look: &Look| {
            let same = |block: &&ResidualBlock| Some(side(block).top_class.index) == look.first;
            look.blocks.iter().filter(same).count()
        };
        firsts.iter().map(stays).sum::<usize>().to_string()
    });
    // The branch that costs the most, and the shortcut that costs the least: nearly all others cost all.
    let ends = [(sides[0], 1.0), (sides[1], -1.0)].map(|(side, sign)| {
        let series = network.series(|look, block| Some(look.lost(side(block))));
        let means = series.points.iter().filter_map(Point::mean);
        let named = means.zip(network.names());
        let end = named.max_by(|a, b| (sign * a.0).total_cmp(&(sign * b.0)));
        let (mean, name) = end.unwrap_or_default();
        (name, signed(mean * 100.0, 1, words))
    });
    let name = ("network", &*network.net.id);
    let mut said = vec![
        words.say(
            "shortcuts.said.cost",
            &[
                name,
                ("whole", &whole),
                ("branch", &left[0]),
                ("shortcut", &left[1]),
                ("kept_branch", &kept[0]),
                ("kept_shortcut", &kept[1]),
                ("cuts", &cuts.to_string()),
            ],
        ),
        words.say(
            "shortcuts.said.worst",
            &[
                name,
                ("branch", ends[0].0),
                ("branch_lost", &ends[0].1),
                ("shortcut", ends[1].0),
                ("shortcut_lost", &ends[1].1),
            ],
        ),
    ];
    let instead = instead(&firsts);
    if !instead.is_empty() {
        let gaps = [name, ("classes", &*instead)];
        said.push(words.say("shortcuts.said.instead", &gaps));
    }
    said
}

/// What the network says most often in the place of its first choice when a shortcut is cut: three classes
/// with how often.
fn instead(firsts: &[Look]) -> String {
    let mut counts: BTreeMap<usize, (usize, &str)> = BTreeMap::new();
    for look in firsts {
        for block in look.blocks {
            let now = &block.without_shortcut.top_class;
            if Some(now.index) != look.first {
                counts.entry(now.index).or_insert((0, &now.name)).0 += 1;
            }
        }
    }
    let mut most: Vec<(usize, &str)> = counts.into_values().collect();
    // Stable: what is as frequent stays in the order of the classes.
    most.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let named = most.iter().take(3);
    let named: Vec<String> = named
        .map(|(count, name)| format!("{name} ({count})"))
        .collect();
    named.join(", ")
}
