//! The table of a network's residual blocks for one photo: a column for each block, its two maps above its values.

use serde::Serialize;

use super::ablations::{METHOD, NetworkCuts, PhotoCuts, block_name};
use crate::error::Result;
use crate::figures::{AblatedPrediction, Quantity, ResidualBlock};
use crate::report::input::ReportInput;
use crate::report::views::image_store::{ImageStore, StoredImageView};
use crate::report::views::net::NetView;
use crate::report::views::prediction::bar;
use crate::report::views::scale::DisplayScale;
use crate::report::views::target::{target_change, target_name, target_value};
use crate::report::words::Words;

/// Maps with a longer side are reduced to means over squares.
const SIDE: usize = 64;

/// The blocks of one network.
#[derive(Debug, Serialize)]
pub struct BlockTableView {
    net: NetView,
    message: Option<String>,
    heads: Vec<BlockHeadView>,
    /// The maps of shortcut and branch; empty where the experiment has none.
    maps: Vec<BlockMapsView>,
    /// Values that do not depend on the class.
    lines: Vec<BlockLineView>,
    classes: Vec<BlockClassView>,
}

/// A column's head.
#[derive(Debug, Serialize)]
struct BlockHeadView {
    /// The parts of its name.
    name: Vec<String>,
    /// `56 × 56 × 256`
    shape: String,
    projection: bool,
}

/// The maps of one side of all blocks.
#[derive(Debug, Serialize)]
struct BlockMapsView {
    title: String,
    maps: Vec<Option<BlockMapView>>,
}

#[derive(Debug, Serialize)]
struct BlockMapView {
    id: String,
    alt: String,
    width: usize,
    height: usize,
}

/// One value of all blocks.
#[derive(Debug, Serialize)]
struct BlockLineView {
    title: String,
    values: Vec<BlockValueView>,
}

#[derive(Debug, Serialize)]
struct BlockValueView {
    text: String,
    /// Width of its bar in per cent.
    bar: Option<f64>,
    /// The first choice, where the cut has changed it.
    first: Option<String>,
}

impl BlockValueView {
    fn plain(text: String) -> BlockValueView {
        BlockValueView {
            text,
            bar: None,
            first: None,
        }
    }
}

/// The values for one class.
#[derive(Debug, Serialize)]
struct BlockClassView {
    /// The class or what else is explained, with its value in the whole network.
    title: String,
    lines: Vec<BlockLineView>,
}

/// Makes the tables of all photos, and stores their maps.
#[derive(Debug)]
pub struct BlockTables<'a> {
    input: &'a ReportInput<'a>,
    store: ImageStore,
}

impl<'a> BlockTables<'a> {
    /// Tables of `input`.
    pub fn new(input: &'a ReportInput<'a>) -> BlockTables<'a> {
        BlockTables {
            input,
            store: ImageStore::new("s"),
        }
    }

    /// The stored maps.
    pub fn into_stored(self) -> Vec<StoredImageView> {
        self.store.stored
    }

    /// The tables of one photo, one for each network.
    ///
    /// # Errors
    /// If a map can't be encoded.
    pub fn photo(&mut self, networks: &[NetworkCuts], image: &str) -> Result<Vec<BlockTableView>> {
        let mut tables = Vec::new();
        for network in networks {
            tables.push(self.table(network, image)?);
        }
        Ok(tables)
    }

    fn table(&mut self, network: &NetworkCuts, image: &str) -> Result<BlockTableView> {
        let words = self.input.words;
        let own = network.photos.iter().filter(|cuts| cuts.image == image);
        let classes: Vec<&PhotoCuts> = own.collect();
        let mut table = BlockTableView {
            net: network.net.clone(),
            message: None,
            heads: Vec::new(),
            maps: Vec::new(),
            lines: Vec::new(),
            classes: Vec::new(),
        };
        let Some(first) = classes.first() else {
            let message = self.input.missing_figure(network.net, Some(image), METHOD);
            table.message = Some(message);
            return Ok(table);
        };
        table.heads = first.blocks.iter().map(head).collect();
        if first.blocks.iter().any(|block| block.maps.is_some()) {
            table.maps = vec![
                self.maps(network, first, "shortcut")?,
                self.maps(network, first, "branch")?,
            ];
        }
        let number = |value: Option<f32>| match value {
            Some(value) => BlockValueView::plain(words.signed(f64::from(value), 2)),
            None => BlockValueView::plain("–".into()),
        };
        table.lines = vec![
            line("ratio", first, words, |block| number(block.norm_ratio)),
            line("cosine", first, words, |block| number(block.cosine)),
        ];
        table.classes = classes.iter().map(|cuts| class(cuts, words)).collect();
        Ok(table)
    }

    /// The maps of one side of the blocks: `shortcut` or `branch`.
    fn maps(
        &mut self,
        network: &NetworkCuts,
        cuts: &PhotoCuts,
        side: &str,
    ) -> Result<BlockMapsView> {
        let words = self.input.words;
        let title = words.text(&format!("shortcuts.map.{side}"), &[]);
        let mut maps = Vec::new();
        for block in cuts.blocks {
            let key = block.maps.as_ref().map(|maps| match side {
                "shortcut" => &maps.shortcut,
                _ => &maps.branch,
            });
            let gaps = [
                ("side", &*title),
                ("network", &*network.net.id),
                ("block", block_name(&block.add)),
                ("photo", cuts.image),
            ];
            let alt = words.text("alt.energy", &gaps);
            maps.push(match key {
                Some(key) => self.map(key, alt)?,
                None => None,
            });
        }
        Ok(BlockMapsView { title, maps })
    }

    /// A map from 0 to its largest value; `None` where its tensor is missing.
    fn map(&mut self, key: &str, alt: String) -> Result<Option<BlockMapView>> {
        let array = self.input.tensors.get(key);
        let Some((values, [height, width])) = array.and_then(|array| array.shaped()) else {
            return Ok(None);
        };
        let (values, width, height) = reduce(values, width, height);
        let indices = DisplayScale::new(&values, false).scale.indices(&values);
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let id = self.store.grey(side(width), side(height), &indices)?;
        Ok(Some(BlockMapView {
            id,
            alt,
            width,
            height,
        }))
    }
}

fn head(block: &ResidualBlock) -> BlockHeadView {
    let [channels, height, width] = block.shape;
    BlockHeadView {
        name: block_name(&block.add)
            .split_inclusive('.')
            .map(str::to_owned)
            .collect(),
        shape: format!("{width} × {height} × {channels}"),
        projection: block.projection,
    }
}

/// A value of every block under the title at `shortcuts.line.KEY`.
fn line(
    key: &str,
    cuts: &PhotoCuts,
    words: &Words,
    value: impl Fn(&ResidualBlock) -> BlockValueView,
) -> BlockLineView {
    BlockLineView {
        title: words.text(&format!("shortcuts.line.{key}"), &[]),
        values: cuts.blocks.iter().map(value).collect(),
    }
}

/// The target and its value in the whole network.
fn title(cuts: &PhotoCuts, words: &Words) -> String {
    let name = target_name(cuts.target, words);
    let value = target_value(f64::from(cuts.value), cuts.quantity, words);
    match (cuts.probability, cuts.quantity) {
        (Some(probability), Quantity::Logit) => {
            let percent = words.percent(f64::from(probability));
            let gaps = [
                ("class", &*name),
                ("percent", &*percent),
                ("logit", &*value),
            ];
            words.text("shortcuts.asked", &gaps)
        }
        _ => words.text(
            "shortcuts.asked.value",
            &[("target", &name), ("value", &value)],
        ),
    }
}

/// The values of the cuts and gradients for one class.
fn class(cuts: &PhotoCuts, words: &Words) -> BlockClassView {
    let probability = |cut: &AblatedPrediction| {
        let top = cut.top_class.as_ref();
        let changed = top.filter(|top| Some(top.index) != cuts.first);
        BlockValueView {
            text: (cut.probability).map_or("–".into(), |p| words.percent(f64::from(p))),
            bar: cut.probability.map(bar),
            first: changed.map(|top| top.name.clone()),
        }
    };
    let value_change = |cut: &AblatedPrediction| {
        let change = f64::from(cut.value) - f64::from(cuts.value);
        BlockValueView::plain(target_change(change, cuts.quantity, words))
    };
    let share = |share: Option<f32>| match share {
        Some(share) => BlockValueView::plain(words.percent_fixed(f64::from(share), 0)),
        None => BlockValueView::plain("–".into()),
    };
    let line =
        |key: &str, value: &dyn Fn(&ResidualBlock) -> BlockValueView| line(key, cuts, words, value);
    let has_probability = cuts.probability.is_some();
    let change_key = |path: &'static str| match (path, cuts.quantity, has_probability) {
        ("branch", Quantity::Logit, true) => "branch_logit",
        ("branch", ..) => "branch_value",
        (_, Quantity::Logit, true) => "shortcut_logit",
        _ => "shortcut_value",
    };
    BlockClassView {
        title: title(cuts, words),
        lines: [
            has_probability
                .then(|| line("branch_cut", &|block| probability(&block.without_branch))),
            Some(line(change_key("branch"), &|block| {
                value_change(&block.without_branch)
            })),
            has_probability.then(|| {
                line("shortcut_cut", &|block| {
                    probability(&block.without_shortcut)
                })
            }),
            Some(line(change_key("shortcut"), &|block| {
                value_change(&block.without_shortcut)
            })),
            Some(line("share_picture", &|block| {
                share(block.input_gradient.map(|g| g.shortcut))
            })),
            Some(line("share_block", &|block| {
                share(block.gradient.map(|g| g.shortcut))
            })),
        ]
        .into_iter()
        .flatten()
        .collect(),
    }
}

/// The map with no side longer than [`SIDE`]: means over squares; with its width and height.
fn reduce(values: &[f32], width: usize, height: usize) -> (Vec<f32>, usize, usize) {
    let square = width.max(height).div_ceil(SIDE).max(1);
    let (columns, rows) = (width.div_ceil(square), height.div_ceil(square));
    let mut sums = vec![(0f32, 0f32); columns * rows];
    for (from, value) in values.iter().enumerate() {
        let to = from / width / square * columns + from % width / square;
        if let Some((sum, count)) = sums.get_mut(to) {
            (*sum, *count) = (*sum + value, *count + 1.0);
        }
    }
    let means = sums.into_iter().map(|(sum, count)| sum / count).collect();
    (means, columns, rows)
}
