//! Residual blocks: what branch and shortcut do over the depth, all networks together, and for each photo the two maps of
//! every block with its values.

mod ablations;
mod block_table;
mod depth_charts;
mod sentences;

use minijinja::Value;
use serde::Serialize;

use crate::error::Result;
use crate::figures::Content;
use crate::report::input::ReportInput;
use crate::report::section::{ContentsEntry, Section, to_value};
use crate::report::views::image_store::StoredImageView;
use crate::report::views::net::NetView;
use crate::report::views::photo::PhotoView;
use ablations::{METHOD, NetworkCuts};
use block_table::{BlockTableView, BlockTables};
use depth_charts::{ChartGroupView, chart_groups};

/// The section.
pub const SECTION: Section = Section {
    key: "shortcuts",
    template: "skip_connections.html",
    entry: ContentsEntry::Titled("nav.shortcuts"),
    shows_figures: true,
    view,
};

#[derive(Debug, Serialize)]
struct ResidualBlocksView<'a> {
    /// The networks with residual blocks.
    nets: Vec<&'a NetView>,
    /// The networks without, each with the reason.
    absent: Vec<(&'a NetView, String)>,
    /// What came out.
    sentences: Vec<String>,
    groups: Vec<ChartGroupView>,
    photos: Vec<PhotoBlocksView<'a>>,
    stored: Vec<StoredImageView>,
}

/// The blocks of all networks for one photo.
#[derive(Debug, Serialize)]
struct PhotoBlocksView<'a> {
    photo: &'a PhotoView,
    tables: Vec<BlockTableView>,
}

fn view(input: &ReportInput) -> Result<Option<Value>> {
    if input.figures_of(METHOD).next().is_none() {
        return Ok(None);
    }
    let mut networks = Vec::new();
    let mut absent = Vec::new();
    for (index, net) in input.nets.iter().enumerate() {
        let cuts = NetworkCuts::new(input, index, net);
        let mut own = input
            .figures_of(METHOD)
            .filter(|figure| figure.model == net.id);
        let reason = own.find_map(|figure| match &figure.content {
            Content::Absent { reason } => Some(input.words.note(reason)),
            _ => None,
        });
        match reason {
            Some(reason) if cuts.is_empty() => absent.push((net, reason)),
            _ => networks.push(cuts),
        }
    }
    let mut tables = BlockTables::new(input);
    let mut photos = Vec::new();
    if !networks.is_empty() {
        for photo in &input.photos {
            photos.push(PhotoBlocksView {
                photo,
                tables: tables.photo(&networks, &photo.id)?,
            });
        }
    }
    let groups = if networks.iter().any(|network| !network.is_empty()) {
        chart_groups(&networks, input.words)?
    } else {
        Vec::new()
    };
    let sentences = networks.iter();
    Ok(Some(to_value(&ResidualBlocksView {
        sentences: sentences
            .flat_map(|network| sentences::sentences(network, input.words))
            .collect(),
        groups,
        photos,
        nets: networks.iter().map(|network| network.net).collect(),
        absent,
        stored: tables.into_stored(),
    })))
}
