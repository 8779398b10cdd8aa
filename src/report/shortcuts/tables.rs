//! One photo's table of a network's residual blocks: a column a block, its two maps above its numbers.

use serde::Serialize;

use super::{Look, METHOD, Network, short, signed};
use crate::error::Result;
use crate::figures::{AblatedPrediction, ResidualBlock, Tensors};
use crate::report::page::Net;
use crate::report::pictures::{Shown, Store};
use crate::report::words::Words;
use crate::results::Results;

/// Maps with a longer side are shown as means over squares.
const SIDE: usize = 64;

/// One network's blocks, a column each.
#[derive(Debug, Serialize)]
pub struct Table {
    pub net: Net,
    pub message: Option<String>,
    pub heads: Vec<Head>,
    /// The two sides' maps; empty where none were asked for.
    pub maps: Vec<MapLine>,
    /// What does not hang on the class.
    pub lines: Vec<Line>,
    pub classes: Vec<ClassLines>,
}

#[derive(Debug, Serialize)]
pub struct Head {
    /// The parts of its name.
    pub name: Vec<String>,
    /// `56 × 56 × 256`
    pub shape: String,
    pub projection: bool,
}

#[derive(Debug, Serialize)]
pub struct MapLine {
    pub title: String,
    pub maps: Vec<Option<MapView>>,
}

#[derive(Debug, Serialize)]
pub struct MapView {
    pub id: String,
    pub alt: String,
    pub width: usize,
    pub height: usize,
}

#[derive(Debug, Serialize)]
pub struct Line {
    pub title: String,
    pub values: Vec<Value>,
}

#[derive(Debug, Serialize)]
pub struct Value {
    pub text: String,
    /// Width of its bar in per cent.
    pub bar: Option<f64>,
    /// The first choice, where it is another one now.
    pub first: Option<String>,
}

#[derive(Debug, Serialize)]
pub struct ClassLines {
    pub class: String,
    pub percent: String,
    pub logit: String,
    pub lines: Vec<Line>,
}

/// What the tables of the photos are drawn from.
pub(super) struct Drawing<'a> {
    pub(super) results: &'a Results,
    pub(super) tensors: &'a Tensors,
    pub(super) words: &'a Words,
    pub(super) store: Store,
}

impl Drawing<'_> {
    pub(super) fn table(&mut self, network: &Network, image: &str) -> Result<Table> {
        let words = self.words;
        let looks: Vec<&Look> = network
            .looks
            .iter()
            .filter(|look| look.image == image)
            .collect();
        let mut table = Table {
            net: network.net.clone(),
            message: None,
            heads: Vec::new(),
            maps: Vec::new(),
            lines: Vec::new(),
            classes: Vec::new(),
        };
        let Some(first) = looks.first() else {
            table.message = Some(self.gap(&network.net.id, image));
            return Ok(table);
        };
        table.heads = first.blocks.iter().map(head).collect();
        if first.blocks.iter().any(|block| block.maps.is_some()) {
            for side in ["shortcut", "branch"] {
                let title = words.say(&format!("shortcuts.map.{side}"), &[]);
                let mut maps = Vec::new();
                for block in first.blocks {
                    let key = block.maps.as_ref().map(|maps| match side {
                        "shortcut" => &maps.shortcut,
                        _ => &maps.branch,
                    });
                    let gaps = [
                        ("side", &*title),
                        ("network", &*network.net.id),
                        ("block", short(&block.add)),
                        ("photo", image),
                    ];
                    let alt = words.say("alt.energy", &gaps);
                    maps.push(match key {
                        Some(key) => self.map(key, alt)?,
                        None => None,
                    });
                }
                table.maps.push(MapLine { title, maps });
            }
        }
        let plain = |value: Option<f32>, digits| Value {
            text: value.map_or("–".into(), |value| {
                signed(f64::from(value), digits, words)
            }),
            bar: None,
            first: None,
        };
        let line = |key: &str, values: Vec<Value>| Line {
            title: words.say(&format!("shortcuts.line.{key}"), &[]),
            values,
        };
        let of = |value: &dyn Fn(&ResidualBlock) -> Value| first.blocks.iter().map(value).collect();
        table.lines = vec![
            line("ratio", of(&|block| plain(block.norm_ratio, 2))),
            line("cosine", of(&|block| plain(block.cosine, 2))),
        ];
        for look in looks {
            let of =
                |value: &dyn Fn(&ResidualBlock) -> Value| look.blocks.iter().map(value).collect();
            let left = |cut: &AblatedPrediction| Value {
                text: words.percent(f64::from(cut.probability)),
                bar: Some((f64::from(cut.probability) * 1000.0).round() / 10.0),
                first: (Some(cut.top_class.index) != look.first)
                    .then(|| cut.top_class.name.clone()),
            };
            let moved = |cut: &AblatedPrediction| {
                let by = f64::from(cut.logit) - f64::from(look.logit);
                let sign = if by >= 0.05 { "+" } else { "" };
                Value {
                    text: format!("{sign}{}", signed(by, 1, words)),
                    bar: None,
                    first: None,
                }
            };
            let share = |part: Option<f32>| Value {
                text: part.map_or("–".into(), |part| {
                    format!("{}\u{a0}%", signed(f64::from(part) * 100.0, 0, words))
                }),
                bar: None,
                first: None,
            };
            table.classes.push(ClassLines {
                class: look.class.name.clone(),
                percent: words.percent(f64::from(look.probability)),
                logit: signed(f64::from(look.logit), 1, words),
                lines: vec![
                    line("branch_cut", of(&|block| left(&block.without_branch))),
                    line("branch_logit", of(&|block| moved(&block.without_branch))),
                    line("shortcut_cut", of(&|block| left(&block.without_shortcut))),
                    line(
                        "shortcut_logit",
                        of(&|block| moved(&block.without_shortcut)),
                    ),
                    line(
                        "share_picture",
                        of(&|block| share(block.input_gradient.map(|g| g.shortcut))),
                    ),
                    line(
                        "share_block",
                        of(&|block| share(block.gradient.map(|g| g.shortcut))),
                    ),
                ],
            });
        }
        Ok(table)
    }

    /// Why there is nothing of this network on this photo.
    fn gap(&self, model: &str, image: &str) -> String {
        let failure = self.results.failure(model, Some(image), METHOD);
        self.words.gap(failure)
    }

    /// A map from 0 to its largest value; `None` where its tensor is missing.
    fn map(&mut self, key: &str, alt: String) -> Result<Option<MapView>> {
        let Some(array) = self.tensors.get(key) else {
            return Ok(None);
        };
        let (Some(values), [height, width]) = (array.floats(), &array.shape[..]) else {
            return Ok(None);
        };
        if values.is_empty() {
            return Ok(None);
        }
        let (values, width, height) = smaller(values, *width, *height);
        let indices = Shown::of(&values, false).scale.indices(&values);
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let id = self.store.grey(side(width), side(height), &indices)?;
        Ok(Some(MapView {
            id,
            alt,
            width,
            height,
        }))
    }
}

fn head(block: &ResidualBlock) -> Head {
    let [channels, height, width] = block.shape;
    Head {
        name: short(&block.add)
            .split_inclusive('.')
            .map(str::to_owned)
            .collect(),
        shape: format!("{width} × {height} × {channels}"),
        projection: block.projection,
    }
}

/// The map with no side longer than [`SIDE`]: means over squares.
fn smaller(values: &[f32], width: usize, height: usize) -> (Vec<f32>, usize, usize) {
    let by = width.max(height).div_ceil(SIDE).max(1);
    let (wide, tall) = (width.div_ceil(by), height.div_ceil(by));
    let mut sums = vec![(0f32, 0f32); wide * tall];
    for (at, value) in values.iter().enumerate() {
        let place = at / width / by * wide + at % width / by;
        if let Some((sum, count)) = sums.get_mut(place) {
            (*sum, *count) = (*sum + value, *count + 1.0);
        }
    }
    let means = sums.into_iter().map(|(sum, count)| sum / count).collect();
    (means, wide, tall)
}
