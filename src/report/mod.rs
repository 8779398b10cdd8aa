//! The report: results in, one self-contained HTML page out.
//!
//! ```text
//! Results, Tensors ─► page (view structs, charts, pictures) ─► templates (with words) ─► HTML
//! ```
//!
//! The page asks nothing of the network, holds every photo and every map once, and reads in full
//! without JavaScript. A map is stored as grey levels at its own size; an SVG filter colours it in
//! the page, so that enlarging interpolates numbers and not colours.

mod cells;
mod charts;
mod check_note;
mod codes;
mod comparison;
mod depth;
mod exemplars;
mod figure;
mod filters;
pub mod inline;
mod maximize;
mod norms;
mod page;
mod papers;
mod photos;
mod pictures;
mod projections;
mod shortcuts;
mod summary;
mod trust;
mod words;

use std::collections::BTreeMap;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use minijinja::value::{Kwargs, Serde, Value};
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use sha2::{Digest, Sha256};

use crate::error::{Error, ErrorKind, Result};
use crate::figures::Tensors;
use crate::results::Results;

pub use figure::{figure, keys};
pub use papers::papers;
pub use words::Words;

/// How to draw, as opposed to what.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// A folder whose files stand in for the built-in templates of the same name.
    pub templates: Option<PathBuf>,
}

macro_rules! templates {
    ($($name:literal),* $(,)?) => {
        /// Every built-in template: its name, which a file of `--templates` replaces, and its text.
        pub const TEMPLATES: &[(&str, &str)] =
            &[$(($name, include_str!(concat!("../../templates/", $name)))),*];
    };
}

templates!(
    "page.html",
    "opening.html",
    "predictions.html",
    "photo.html",
    "shortcuts.html",
    "filters.html",
    "exemplars.html",
    "maximize.html",
    "codes.html",
    "comparison.html",
    "trust.html",
    "reproduce.html",
    "references.html",
    "figure.html",
    "projections.html",
    "colours.html",
    "alone.html",
    "inline-chart.html",
    "inline-figures.html",
    "inline-frame.html",
    "inline-photo.html",
    "inline-predictions.html",
    "inline-table.html",
    "inline-text.html",
    "style.css",
    "view.html",
    "report.js",
    "script/address.js",
    "script/contents.js",
    "script/overlay.js",
    "script/colour.js",
    "script/choice.js",
    "script/depth.js",
    "script/probe.js",
    "script/save.js",
    "script/enlarge.js",
);

/// The words that the script puts into the page.
const SAID: [(&str, &str); 7] = [
    ("strength", "view.strength"),
    ("row", "view.scale.row.words"),
    ("depth", "view.depth"),
    ("all", "view.depth.all"),
    ("channel", "view.channel"),
    ("csv", "view.csv"),
    ("enlarge", "view.enlarge"),
];

/// The report as one HTML file; the same bytes for the same input.
///
/// # Errors
/// Where a template of `options.templates` can't be read or is wrong.
pub fn render(results: &Results, tensors: &Tensors, options: &Options) -> Result<String> {
    let words = Words::of(results.experiment.lang);
    let page = page::Page::new(results, tensors, &words)?;
    let said: BTreeMap<&str, String> = SAID
        .into_iter()
        .map(|(name, key)| (name, words.say(key, &[])))
        .collect();
    let environment = environment(words, options)?;
    let draw = |name: &str, context: Value| {
        environment
            .get_template(name)
            .and_then(|template| template.render(context))
            .map_err(|error| broken(error, options))
    };
    let script = draw(
        "report.js",
        context! { words => said, palettes => Value::from(Serde(&pictures::palettes())) },
    )?;
    // The one script of the page is let in by its hash, so that no other can run.
    let policy = format!(
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; \
         script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(script.as_bytes()))
    );
    draw(
        "page.html",
        context! { page => Value::from(Serde(&page)), script, policy },
    )
}

/// What came out, in sentences.
pub fn summary(results: &Results) -> Vec<String> {
    summary::sentences(results, &Words::of(results.experiment.lang))
}

/// What a chart of the report's opening measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Measure {
    /// What training would change, a bar for each network.
    Parameters,
    /// Multiply-adds for one picture, a bar for each network.
    MultiplyAdds,
    /// The side of the layers that figures speak of, over the depth.
    Resolution,
    /// Their channels.
    Channels,
    /// The probability of the true class, for each labelled picture.
    Truth,
}

/// A chart of the report's opening as a picture by itself, with its title; `None` where there is nothing
/// to draw.
///
/// # Errors
/// If it can't be drawn.
pub fn chart(results: &Results, measure: Measure) -> Result<Option<(String, String)>> {
    let words = Words::of(results.experiment.lang);
    let models = &results.models;
    let (title, svg) = match measure {
        Measure::Parameters => (
            "glance.parameters",
            Some(charts::parameters(models, &words)?),
        ),
        Measure::MultiplyAdds => {
            let svg = charts::multiply_adds(models, &words)?;
            ("glance.multiply_adds", Some(svg))
        }
        Measure::Resolution => ("chart.resolution", charts::resolution(models, &words)?),
        Measure::Channels => ("chart.channels", charts::channels(models, &words)?),
        Measure::Truth => ("chart.truth", charts::truth(results, &words)?),
    };
    Ok(svg.map(|svg| (words.say(title, &[]), inline::standalone(&svg))))
}

fn environment(words: Words, options: &Options) -> Result<Environment<'static>> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|name| {
        if name.ends_with(".html") {
            AutoEscape::Html
        } else {
            AutoEscape::None
        }
    });
    environment.add_function(
        "t",
        move |key: &str, gaps: Kwargs| -> Result<String, minijinja::Error> {
            let names: Vec<String> = gaps.args().map(str::to_owned).collect();
            let mut filled = Vec::with_capacity(names.len());
            for name in &names {
                filled.push((name.as_str(), gaps.get::<Value>(name)?.to_string()));
            }
            let pairs: Vec<(&str, &str)> = filled.iter().map(|(n, v)| (*n, v.as_str())).collect();
            words.text(key, &pairs).ok_or_else(|| {
                minijinja::Error::new(
                    minijinja::ErrorKind::InvalidOperation,
                    format!("the word list has no `{key}`, or it leaves a gap unfilled"),
                )
            })
        },
    );
    for (name, text) in TEMPLATES {
        let text = match options.templates.as_deref().map(|folder| folder.join(name)) {
            Some(path) if path.is_file() => {
                std::fs::read_to_string(&path).map_err(|error| Error::io("read", &path, error))?
            }
            _ => (*text).to_owned(),
        };
        environment
            .add_template_owned(*name, text)
            .map_err(|error| broken(error, options))?;
    }
    Ok(environment)
}

/// A template's error, with the file and line where it began: an include reports its own place last.
fn broken(error: minijinja::Error, options: &Options) -> Error {
    let mut root = &error;
    while let Some(below) = std::error::Error::source(root).and_then(|e| e.downcast_ref()) {
        root = below;
    }
    let place = match (root.name(), root.line()) {
        (Some(name), Some(line)) => format!("{name}, line {line}"),
        (Some(name), None) => name.to_owned(),
        _ => "of the report".to_owned(),
    };
    let detail = root
        .detail()
        .map_or_else(|| root.kind().to_string(), str::to_owned);
    let message = format!("the template {place} doesn't work: {detail}");
    let error = Error::new(ErrorKind::Report, message);
    match &options.templates {
        Some(folder) => error.help(format!(
            "mend it in {}, or take the file away for the built-in one",
            folder.display()
        )),
        None => error,
    }
}
