//! The atlas: one zoomable map of all images of the collection for each network.
//!
//! The page holds a drawing of each map for readers without JavaScript, and the data from which the script draws maps that
//! can be zoomed: `page_data.rs` decides how much of it there is room for.

mod map;
mod overview;
mod page_data;

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::{Atlas, Content, Figure, GroupedBy};
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::net::NetView;
use crate::report::words::Words;

use map::Map;
use overview::{OverviewView, SIDE};
use page_data::{PageData, group_names};

/// The section.
pub const SECTION: Section = Section {
    key: "atlas",
    template: "atlas.html",
    entry: ContentsEntry::Titled("nav.atlas"),
    shows_figures: true,
    view,
};

/// The texts that the script puts into the page.
const SCRIPT_TEXTS: [&str; 25] = [
    "colour",
    "grid",
    "by.class",
    "by.group",
    "by.right",
    "by.pair",
    "right",
    "wrong",
    "unknown",
    "both_right",
    "both_wrong",
    "only",
    "zoom_in",
    "zoom_out",
    "whole",
    "keys",
    "near",
    "near.none",
    "close",
    "label",
    "predicts",
    "image",
    "choose",
    "no_label",
    "no_thumbnail",
];

#[derive(Debug, Serialize)]
struct AtlasView {
    /// A row for each selected layer, a cell for each network.
    rows: Vec<RowView>,
    legend: Vec<LegendEntryView>,
    /// What the colours of the drawings mean.
    coloured: String,
    /// What is left out, in sentences.
    left_out: Vec<String>,
    /// The thumbnails as one JPEG, and its columns and rows.
    sprite: Option<(String, usize, usize)>,
    /// What the script draws.
    data: Value,
}

#[derive(Debug, Serialize)]
struct RowView {
    maps: Vec<MapView>,
}

/// A colour of the legend.
#[derive(Debug, Serialize)]
struct LegendEntryView {
    kind: usize,
    name: String,
    count: String,
}

/// The map of one network's codes.
#[derive(Debug, Serialize)]
struct MapView {
    net: NetView,
    layer: String,
    alt: String,
    side: u32,
    overview: OverviewView,
    /// Sentences below the map.
    said: Vec<String>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    let maps = maps(input);
    let Some(first) = maps.first() else {
        return Ok(None);
    };
    let data = PageData::new(input, &maps)?;
    let rows = maps.iter().map(|map| map.row).max().unwrap_or(0) + 1;
    let mut rows: Vec<RowView> = (0..rows).map(|_| RowView { maps: Vec::new() }).collect();
    for map in &maps {
        let gaps: [(&str, &str); 3] = [
            ("network", &map.net.id),
            ("layer", map.layer),
            ("images", &map.points.len().to_string()),
        ];
        rows[map.row].maps.push(MapView {
            net: map.net.clone(),
            layer: map.layer.to_owned(),
            alt: input.words.text("alt.atlas", &gaps),
            side: SIDE,
            overview: OverviewView::new(map, &data)?,
            said: said(map.atlas, input.words),
        });
    }
    let view = AtlasView {
        rows,
        legend: legend(first.atlas, &data, input.words),
        coloured: input.words.text(coloured(first.atlas), &[]),
        left_out: data.left_out(input.words),
        sprite: data
            .sprite
            .as_ref()
            .map(|sprite| (sprite.uri.clone(), sprite.columns, sprite.rows)),
        data: to_value(&data.script(&maps, texts(input.words))),
    };
    Ok(Some(to_value(&view)))
}

/// The maps that can be drawn: those of the images of the first one, if their tensors are there.
fn maps<'a>(input: &'a ReportInput) -> Vec<Map<'a>> {
    let mut next_row = vec![0; input.nets.len()];
    let mut maps: Vec<Map> = Vec::new();
    let indices = |atlas: &Atlas| -> Option<Vec<f32>> {
        let (values, [_, 2]) = input.tensors.get(&atlas.images)?.shaped::<2>()? else {
            return None;
        };
        Some(values.iter().step_by(2).copied().collect())
    };
    for figure in &input.figures {
        let Some((index, net, atlas)) = atlas_of(figure, input) else {
            continue;
        };
        let pairs = |key: &str| -> Option<&[[f32; 2]]> {
            let floats = input.tensors.get(key).and_then(|array| array.floats())?;
            Some(floats.as_chunks::<2>().0)
        };
        let (Some(points), Some(grid)) = (pairs(&atlas.map), pairs(&atlas.grid)) else {
            continue;
        };
        let own = indices(atlas);
        let same = maps.first().is_none_or(|map| indices(map.atlas) == own);
        let fits = |own: Vec<f32>| own.len() == points.len() && own.len() == grid.len();
        if points.is_empty() || !same || !own.is_some_and(fits) {
            continue;
        }
        maps.push(Map {
            net,
            layer: figure.layer.as_deref().unwrap_or_default(),
            atlas,
            points,
            grid,
            row: next_row[index],
        });
        next_row[index] += 1;
    }
    maps
}

fn atlas_of<'a>(
    figure: &'a Figure,
    input: &'a ReportInput,
) -> Option<(usize, &'a NetView, &'a Atlas)> {
    let Content::Atlas(atlas) = &figure.content else {
        return None;
    };
    let (index, net) = input.net(&figure.model)?;
    Some((index, net, atlas))
}

/// The key of the sentence that says what the colours mean.
fn coloured(atlas: &Atlas) -> &'static str {
    match &atlas.groups {
        Some(groups) if groups.by == GroupedBy::Class => "codes.classes",
        Some(_) => "atlas.groups",
        None if !atlas.classes.is_empty() => "codes.hues",
        None => "codes.plain",
    }
}

/// The groups that occur.
fn legend(atlas: &Atlas, data: &PageData, words: &Words) -> Vec<LegendEntryView> {
    let names = group_names(atlas, words);
    let counted = names.into_iter().enumerate().map(|(kind, name)| {
        let of_kind = data.kinds.iter().filter(|own| **own == Some(kind));
        (kind, name, of_kind.count())
    });
    counted
        .filter(|(_, _, count)| *count > 0)
        .map(|(kind, name, count)| LegendEntryView {
            kind,
            name,
            count: words.integer(count as u64),
        })
        .collect()
}

/// The texts of the script, which fills the gaps.
fn texts(words: &Words) -> std::collections::BTreeMap<&'static str, String> {
    let gaps = [
        ("network", "{network}"),
        ("one", "{one}"),
        ("other", "{other}"),
    ];
    SCRIPT_TEXTS
        .into_iter()
        .map(|key| (key, words.text(&format!("atlas.{key}"), &gaps)))
        .collect()
}

/// How the map was made and how good it is, in sentences.
fn said(atlas: &Atlas, words: &Words) -> Vec<String> {
    let whole = |number: usize| words.integer(number as u64);
    let digits = usize::from(atlas.perplexity.fract() > 0.0);
    let made: [(&str, &str); 6] = [
        ("images", &whole(atlas.count)),
        ("dims", &whole(atlas.dims)),
        ("components", &whole(atlas.components)),
        ("share", &words.percent(atlas.explained_variance)),
        ("perplexity", &words.fixed(atlas.perplexity, digits)),
        ("epochs", &whole(atlas.epochs)),
    ];
    let trust: [(&str, &str); 2] = [
        ("value", &words.fixed(atlas.trustworthiness.value, 3)),
        ("neighbours", &whole(atlas.trustworthiness.neighbours)),
    ];
    let mut sentences = vec![
        words.text("codes.made", &made),
        words.text(
            "codes.divergence",
            &[("value", &words.number(atlas.divergence))],
        ),
        words.text("codes.trust", &trust),
    ];
    sentences.push(match &atlas.knn_accuracy {
        Some(accuracy) => {
            let key = match accuracy.by {
                GroupedBy::Class => "codes.votes.class",
                GroupedBy::Superclass => "codes.votes.group",
            };
            let gaps: [(&str, &str); 5] = [
                ("neighbours", &whole(accuracy.neighbours)),
                ("images", &whole(accuracy.images)),
                ("codes", &words.percent(accuracy.codes)),
                ("map", &words.percent(accuracy.map)),
                ("chance", &words.percent(accuracy.chance)),
            ];
            words.text(key, &gaps)
        }
        None => words.text("codes.votes.none", &[]),
    });
    if atlas.sample < atlas.count {
        sentences.push(words.text("atlas.sample", &[("images", &whole(atlas.sample))]));
    }
    sentences
}
