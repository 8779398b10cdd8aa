//! The section on residual blocks: what branch and shortcut do over the depth, all networks together, and
//! for each photo the two maps of every block with its numbers.

mod over_depth;
mod said;
mod tables;

use serde::Serialize;

use super::depth::{Point, Series};
use super::page::Net;
use super::photos::{Photo, Seen};
use super::pictures::{Store, Stored};
use super::words::Words;
use crate::error::Result;
use crate::figures::{AblatedPrediction, ClassInfo, Content, Figure, ResidualBlock, Tensors};
use crate::results::Results;

use over_depth::{Group, groups};
use said::sentences;
use tables::{Drawing, Table};

/// The method whose figures stand here and not among a photo's rows.
pub const METHOD: &str = "skip_connections";

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

#[derive(Debug, Serialize)]
pub struct PhotoView {
    pub anchor: String,
    pub id: String,
    pub seen: Option<Seen>,
    pub tables: Vec<Table>,
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

    fn lost(&self, cut: &AblatedPrediction) -> f64 {
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

/// `value` with so many digits and a minus that is one; what rounds to 0 has no sign.
fn signed(value: f64, digits: usize, words: &Words) -> String {
    let size = words.fixed(value.abs(), digits);
    let nothing = size.chars().all(|c| !('1'..='9').contains(&c));
    match value < 0.0 && !nothing {
        true => format!("−{size}"),
        false => size,
    }
}
