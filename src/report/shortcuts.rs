//! The section on residual blocks: what branch and shortcut do over the depth, all networks together, and
//! for each photo the two maps of every block with its numbers.

use std::collections::BTreeMap;

use serde::Serialize;

use super::depth::{self, Point, Series, Unit};
use super::page::Net;
use super::photos::{Photo, Seen};
use super::pictures::{Shown, Store, Stored};
use super::words::Words;
use crate::error::Result;
use crate::picture;
use crate::results::{ClassInfo, Content, Cut, Figure, ResidualBlock, Results, Tensors};

/// The method whose figures stand here and not among a photo's rows.
pub const METHOD: &str = "skip_connections";

/// Maps with a longer side are shown as means over squares.
const SIDE: usize = 64;

#[derive(Debug, Serialize)]
pub struct Shortcuts {
    /// The networks that have such blocks.
    pub nets: Vec<Net>,
    /// The networks that have none, and what there is to say of that.
    pub absent: Vec<(Net, String)>,
    /// What came out.
    pub sentences: Vec<String>,
    pub groups: Vec<Group>,
    pub photos: Vec<PhotoView>,
    pub stored: Vec<Stored>,
}

/// Charts that answer one question.
#[derive(Debug, Serialize)]
pub struct Group {
    pub title: String,
    pub read: String,
    /// (title, SVG)
    pub charts: Vec<(String, String)>,
}

#[derive(Debug, Serialize)]
pub struct PhotoView {
    pub anchor: String,
    pub id: String,
    pub seen: Option<Seen>,
    pub tables: Vec<Table>,
}

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

/// One figure: a network's blocks on one photo, asked about one class.
#[derive(Debug, Clone, Copy)]
struct Look<'a> {
    image: &'a str,
    class: &'a ClassInfo,
    logit: f32,
    probability: f32,
    blocks: &'a [ResidualBlock],
    /// The whole network's first choice.
    first: Option<usize>,
}

impl Look<'_> {
    fn of<'a>(figure: &'a Figure, results: &'a Results) -> Option<Look<'a>> {
        let Content::Shortcuts {
            logit,
            probability,
            blocks,
        } = &figure.content
        else {
            return None;
        };
        let image = figure.image.as_deref()?;
        let said = |p: &&crate::results::Prediction| p.model == figure.model && p.image == image;
        let prediction = results.predictions.iter().find(said);
        Some(Look {
            image,
            class: figure.class.as_ref()?,
            logit: *logit,
            probability: *probability,
            blocks,
            first: prediction.and_then(|p| Some(p.top.first()?.class.index)),
        })
    }

    fn lost(&self, cut: &Cut) -> f64 {
        f64::from(self.probability) - f64::from(cut.probability)
    }
}

/// What one network's figures say.
struct Network<'a> {
    place: usize,
    net: &'a Net,
    looks: Vec<Look<'a>>,
}

impl<'a> Network<'a> {
    /// The first look at each photo: the charts count every photo once.
    fn firsts(&self) -> Vec<Look<'a>> {
        let mut firsts: Vec<Look> = Vec::new();
        for look in &self.looks {
            if firsts.iter().all(|first| first.image != look.image) {
                firsts.push(*look);
            }
        }
        firsts
    }

    /// One quantity of every block, over the photos.
    fn series(&self, value: impl Fn(&Look, &ResidualBlock) -> Option<f64>) -> Series {
        let firsts = self.firsts();
        let blocks = firsts.first().map_or(&[][..], |look| look.blocks);
        let point = |block: &ResidualBlock| Point {
            depth: block.depth,
            hollow: block.projection,
            values: firsts
                .iter()
                .filter_map(|look| {
                    let own = look.blocks.iter().find(|own| own.add == block.add)?;
                    value(look, own)
                })
                .collect(),
        };
        Series {
            place: self.place,
            points: blocks.iter().map(point).collect(),
        }
    }

    /// The names of the blocks, as [`series`](Self::series) has them.
    fn names(&self) -> Vec<&'a str> {
        let look = self.looks.first();
        look.map_or(&[][..], |look| look.blocks)
            .iter()
            .map(|block| short(&block.add))
            .collect()
    }
}

/// A block's name without what all of them end in.
fn short(add: &str) -> &str {
    add.strip_suffix(".add").unwrap_or(add)
}

/// The section, where the experiment asked for it.
pub fn section(
    results: &Results,
    tensors: &Tensors,
    nets: &[Net],
    photos: &[Photo],
    words: &Words,
) -> Result<Option<Shortcuts>> {
    let own = || results.figures.iter().filter(|f| f.method == METHOD);
    if own().next().is_none() {
        return Ok(None);
    }
    let mut networks = Vec::new();
    let mut absent = Vec::new();
    for (place, net) in nets.iter().enumerate() {
        let of_net = || own().filter(|figure| figure.model == net.id);
        let looks: Vec<Look> = of_net()
            .filter_map(|figure| Look::of(figure, results))
            .collect();
        let reason = of_net().find_map(|figure| match &figure.content {
            Content::Absent { reason } => Some(words.note(reason)),
            _ => None,
        });
        match (looks.is_empty(), reason) {
            (true, Some(reason)) => absent.push((net.clone(), reason)),
            _ => networks.push(Network { place, net, looks }),
        }
    }
    let mut drawing = Drawing {
        results,
        tensors,
        words,
        store: Store::new("s"),
    };
    let mut views = Vec::new();
    for photo in photos {
        let mut tables = Vec::new();
        for network in &networks {
            tables.push(drawing.table(network, &photo.id)?);
        }
        views.push(PhotoView {
            anchor: photo.anchor.clone(),
            id: photo.id.clone(),
            seen: photo.thumbnail.clone(),
            tables,
        });
    }
    let groups = match networks.iter().any(|network| !network.looks.is_empty()) {
        true => groups(&networks, words)?,
        false => Vec::new(),
    };
    Ok(Some(Shortcuts {
        sentences: networks
            .iter()
            .flat_map(|network| sentences(network, words))
            .collect(),
        groups,
        photos: if networks.is_empty() {
            Vec::new()
        } else {
            views
        },
        nets: networks.iter().map(|network| network.net.clone()).collect(),
        absent,
        stored: drawing.store.stored,
    }))
}

/// The charts, by question.
fn groups(networks: &[Network], words: &Words) -> Result<Vec<Group>> {
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
                charts.push((title, depth::chart(series, range, *unit, &said, words)?));
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
                ("lost_branch", Unit::Points, |look, block| {
                    Some(look.lost(&block.branch_cut))
                }),
                ("lost_shortcut", Unit::Points, |look, block| {
                    Some(look.lost(&block.shortcut_cut))
                }),
                ("logit_branch", Unit::Plain, |look, block| {
                    Some(f64::from(look.logit - block.branch_cut.logit))
                }),
                ("logit_shortcut", Unit::Plain, |look, block| {
                    Some(f64::from(look.logit - block.shortcut_cut.logit))
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
                    block.picture_gradient.map(|g| f64::from(g.shortcut))
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
                Unit::Points => signed(value * 100.0, 1, words),
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

/// What came out for one network.
fn sentences(network: &Network, words: &Words) -> Vec<String> {
    let firsts = network.firsts();
    let cuts: usize = firsts.iter().map(|look| look.blocks.len()).sum();
    if cuts == 0 {
        return Vec::new();
    }
    type Side = fn(&ResidualBlock) -> &Cut;
    let sides: [Side; 2] = [|block| &block.branch_cut, |block| &block.shortcut_cut];
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
            let same = |block: &&ResidualBlock| Some(side(block).first.index) == look.first;
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
            let now = &block.shortcut_cut.first;
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

/// What the tables of the photos are drawn from.
struct Drawing<'a> {
    results: &'a Results,
    tensors: &'a Tensors,
    words: &'a Words,
    store: Store,
}

impl Drawing<'_> {
    fn table(&mut self, network: &Network, image: &str) -> Result<Table> {
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
            let left = |cut: &Cut| Value {
                text: words.percent(f64::from(cut.probability)),
                bar: Some((f64::from(cut.probability) * 1000.0).round() / 10.0),
                first: (Some(cut.first.index) != look.first).then(|| cut.first.name.clone()),
            };
            let moved = |cut: &Cut| {
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
                    line("branch_cut", of(&|block| left(&block.branch_cut))),
                    line("branch_logit", of(&|block| moved(&block.branch_cut))),
                    line("shortcut_cut", of(&|block| left(&block.shortcut_cut))),
                    line("shortcut_logit", of(&|block| moved(&block.shortcut_cut))),
                    line(
                        "share_picture",
                        of(&|block| share(block.picture_gradient.map(|g| g.shortcut))),
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
        let here = |f: &&crate::results::Failure| {
            f.model.as_ref().is_none_or(|m| m == model)
                && f.image.as_ref().is_none_or(|i| i == image)
                && f.method.as_ref().is_none_or(|m| m == METHOD)
        };
        match self.results.failures.iter().find(here) {
            Some(failure) => self
                .words
                .say("cell.failed", &[("message", &failure.message)]),
            None => self.words.say("cell.none", &[]),
        }
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
        let indices = picture::to_indices(&values, Shown::of(&values, false).scale);
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

/// `value` with so many digits and a minus that is one; what rounds to 0 has no sign.
fn signed(value: f64, digits: usize, words: &Words) -> String {
    let size = words.fixed(value.abs(), digits);
    let nothing = size.chars().all(|c| !('1'..='9').contains(&c));
    match value < 0.0 && !nothing {
        true => format!("−{size}"),
        false => size,
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
