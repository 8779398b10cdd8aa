//! The page: its sections, its contents and its script.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::context;
use minijinja::value::Value;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::input::ReportInput;
use super::section::{ContentsEntry, Section, to_value};
use super::sections::SECTIONS;
use super::templates::{RenderOptions, Templates};
use super::views::net::NetView;
use super::views::palette::{PaletteView, palettes};
use super::words::Words;
use crate::error::Result;
use crate::figures::Tensors;
use crate::results::Results;

/// The texts that the script puts into the page: their names in the script, and their keys.
const SCRIPT_TEXTS: [(&str, &str); 7] = [
    ("strength", "view.strength"),
    ("row", "view.scale.row.words"),
    ("depth", "view.depth"),
    ("all", "view.depth.all"),
    ("channel", "view.channel"),
    ("csv", "view.csv"),
    ("enlarge", "view.enlarge"),
];

/// What every template is given as `page`.
#[derive(Debug, Serialize)]
pub struct PageView<'a> {
    lang: &'a str,
    title: &'a str,
    /// The version of convscope.
    convscope: &'a str,
    nets: &'a [NetView],
    palettes: Vec<PaletteView>,
    /// The contents.
    links: Vec<LinkView>,
}

/// A link of the contents.
#[derive(Debug, Serialize)]
struct LinkView {
    anchor: String,
    text: String,
    /// Whether it leads to a photo.
    photo: bool,
}

/// A section with its template and what that is given.
#[derive(Debug, Serialize)]
pub struct SectionView {
    key: &'static str,
    template: &'static str,
    view: Value,
}

/// The report as one HTML file; the same bytes for the same input.
///
/// # Errors
/// If an image can't be encoded, or a template of `options.templates` can't be read or is wrong.
pub fn render(results: &Results, tensors: &Tensors, options: &RenderOptions) -> Result<String> {
    let words = Words::new(results.experiment.lang);
    let input = ReportInput::new(results, tensors, &words);
    let (sections, page) = sections(&input, |_| true)?;
    let templates = Templates::new(words.clone(), options)?;
    let texts: BTreeMap<&str, String> = SCRIPT_TEXTS
        .into_iter()
        .map(|(name, key)| (name, words.text(key, &[])))
        .collect();
    let script = templates.render(
        "report.js",
        context! { words => to_value(&texts), palettes => to_value(&page.palettes) },
    )?;
    // The browser runs the one script with this hash and no other.
    let policy = format!(
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; \
         script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(script.as_bytes()))
    );
    templates.render(
        "page.html",
        context! { page => to_value(&page), sections => to_value(&sections), script, policy },
    )
}

/// The views of the sections that `wanted` chooses and that have something to show, and that of the page around them.
///
/// # Errors
/// If an image can't be encoded.
pub fn sections<'a>(
    input: &'a ReportInput,
    wanted: impl Fn(&Section) -> bool,
) -> Result<(Vec<SectionView>, PageView<'a>)> {
    let mut sections = Vec::new();
    let mut links = Vec::new();
    for section in SECTIONS.iter().filter(|section| wanted(section)) {
        let Some(view) = (section.view)(input)? else {
            continue;
        };
        match section.entry {
            ContentsEntry::Absent => {}
            ContentsEntry::Titled(key) => links.push(LinkView {
                anchor: section.key.to_owned(),
                text: input.words.text(key, &[]),
                photo: false,
            }),
            ContentsEntry::Photos => links.extend(input.photos.iter().map(|photo| LinkView {
                anchor: photo.anchor.clone(),
                text: photo.name.clone(),
                photo: true,
            })),
        }
        sections.push(SectionView {
            key: section.key,
            template: section.template,
            view,
        });
    }
    let results = input.results;
    let page = PageView {
        lang: input.words.tag(),
        title: &results.experiment.title,
        convscope: &results.environment.convscope,
        nets: &input.nets,
        palettes: palettes(),
        links,
    };
    Ok((sections, page))
}
