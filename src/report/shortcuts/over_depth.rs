//! The charts of the shortcuts: a quantity of every block over the depth, in groups by question.

use serde::Serialize;

use super::{Look, Network, signed};
use crate::error::Result;
use crate::figures::ResidualBlock;
use crate::report::depth::{self, Series, Unit};
use crate::report::words::Words;

/// Charts that answer one question.
#[derive(Debug, Serialize)]
pub struct Group {
    pub title: String,
    pub read: String,
    /// (title, SVG)
    pub charts: Vec<(String, String)>,
}

/// The charts, by question.
pub(super) fn groups(networks: &[Network], words: &Words) -> Result<Vec<Group>> {
    type Of = fn(&Look, &ResidualBlock) -> Option<f64>;
    let group = |key: &str, unit_pairs: &[(&str, Unit, Of)], together: usize| -> Result<Group> {
        let mut charts = Vec::new();
        for pair in unit_pairs.chunks(together) {
            let all: Vec<Vec<Series>> = pair
                .iter()
                .map(|(_, _, of)| networks.iter().map(|network| network.series(of)).collect())
                .collect();
            // What is to be compared has one scale.
            let range = depth::range(all.iter().flatten());
            for ((name, unit, _), series) in pair.iter().zip(&all) {
                let title = words.say(&format!("shortcuts.{name}"), &[]);
                let said = alt(&title, networks, series, *unit, words);
                charts.push((
                    title,
                    depth::chart(series, range, *unit, depth::DEPTH, &said, words)?,
                ));
            }
        }
        Ok(Group {
            title: words.say(&format!("shortcuts.{key}.title"), &[]),
            read: words.say(&format!("shortcuts.{key}.read"), &[]),
            charts,
        })
    };
    Ok(vec![
        group(
            "cuts",
            &[
                ("lost_branch", Unit::PointSet, |look, block| {
                    Some(look.lost(&block.without_branch))
                }),
                ("lost_shortcut", Unit::PointSet, |look, block| {
                    Some(look.lost(&block.without_shortcut))
                }),
                ("logit_branch", Unit::Plain, |look, block| {
                    Some(f64::from(look.logit - block.without_branch.logit))
                }),
                ("logit_shortcut", Unit::Plain, |look, block| {
                    Some(f64::from(look.logit - block.without_shortcut.logit))
                }),
            ],
            2,
        )?,
        group(
            "sides",
            &[
                ("ratio", Unit::Plain, |_, block| {
                    block.norm_ratio.map(f64::from)
                }),
                ("cosine", Unit::Plain, |_, block| {
                    block.cosine.map(f64::from)
                }),
            ],
            1,
        )?,
        group(
            "gradient",
            &[
                ("share_picture", Unit::Percent, |_, block| {
                    block.input_gradient.map(|g| f64::from(g.shortcut))
                }),
                ("share_block", Unit::Percent, |_, block| {
                    block.gradient.map(|g| f64::from(g.shortcut))
                }),
            ],
            2,
        )?,
    ])
}

/// What a chart shows, for those who can't see it: where each network's line is lowest and highest.
fn alt(title: &str, networks: &[Network], all: &[Series], unit: Unit, words: &Words) -> String {
    let mut said = vec![title.to_owned()];
    for (network, series) in networks.iter().zip(all) {
        let means: Vec<(f64, &str)> = series
            .points
            .iter()
            .zip(network.names())
            .filter_map(|(point, name)| Some((point.mean()?, name)))
            .collect();
        let least = means.iter().min_by(|a, b| a.0.total_cmp(&b.0));
        let most = means.iter().max_by(|a, b| a.0.total_cmp(&b.0));
        if let (Some((low, low_at)), Some((high, high_at))) = (least, most) {
            let write = |value: f64| match unit {
                Unit::Plain => words.number(value),
                Unit::Percent => words.percent(value),
                Unit::PointSet => signed(value * 100.0, 1, words),
            };
            said.push(words.say(
                "alt.depth",
                &[
                    ("network", &network.net.id),
                    ("low", &write(*low)),
                    ("low_at", low_at),
                    ("high", &write(*high)),
                    ("high_at", high_at),
                ],
            ));
        }
    }
    said.join(". ")
}
