//! One photo's section: what each network said, then the ways of looking as rows and the networks
//! as columns.

use serde::Serialize;

use super::cells::{Cell, message};
use super::page::{FailureView, Net};
use super::pictures::{Store, Stored};
use super::shortcuts;
use super::words::Words;
use crate::error::Result;
use crate::figures::{Figure, Tensors};
use crate::network::ClassSpec;
use crate::results::{ImageInfo, Prediction, Results, ViewInfo};

#[derive(Debug, Serialize)]
pub struct Photo {
    /// Its anchor: `photo-0`.
    pub anchor: String,
    pub id: String,
    pub source: String,
    pub width: u32,
    pub height: u32,
    pub label: Option<String>,
    /// What the first network saw: the photo's picture in overviews.
    pub thumbnail: Option<Seen>,
    pub columns: Vec<Column>,
    pub methods: Vec<MethodRows>,
    pub failures: Vec<FailureView>,
    pub stored: Vec<Stored>,
}

/// The photo as a network saw it.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    pub id: String,
    pub width: u32,
    pub height: u32,
}

#[derive(Debug, Serialize)]
pub struct Column {
    pub net: Net,
    pub top: Vec<Guess>,
    /// The true class where it is not among the first ones.
    pub label: Option<Guess>,
    pub right: Option<bool>,
}

#[derive(Debug, Serialize)]
pub struct Guess {
    pub name: String,
    pub rank: usize,
    pub percent: String,
    /// Width of its bar in per cent.
    pub bar: f64,
    pub is_label: bool,
}

#[derive(Debug, Serialize)]
pub struct MethodRows {
    pub key: String,
    pub name: String,
    pub rows: Vec<Row>,
}

#[derive(Debug, Serialize)]
pub struct Row {
    pub title: String,
    /// The layers it shows, by what was asked: its place in the depth.
    pub depth: Option<String>,
    /// Which question about a class it answers.
    pub class: Option<String>,
    pub cells: Vec<Cell>,
}

/// What the rows of one photo are drawn from.
pub(super) struct Drawing<'a> {
    pub(super) image: &'a ImageInfo,
    pub(super) nets: &'a [Net],
    pub(super) results: &'a Results,
    pub(super) tensors: &'a Tensors,
    pub(super) words: &'a Words,
    pub(super) store: Store,
    /// The stored photos, by the tensors of the image's views.
    pub(super) seen: Vec<(&'a ViewInfo, Seen)>,
}

/// What the rows of a photo are drawn from, its pictures stored.
pub(super) fn drawing<'a>(
    number: usize,
    image: &'a ImageInfo,
    nets: &'a [Net],
    results: &'a Results,
    tensors: &'a Tensors,
    words: &'a Words,
) -> Drawing<'a> {
    let mut store = Store::new(format!("i{number}"));
    let mut seen = Vec::new();
    for view in &image.views {
        if let Some(id) = tensors
            .get(&view.tensor)
            .and_then(|array| store.photo(array))
        {
            seen.push((
                view,
                Seen {
                    id,
                    width: view.width,
                    height: view.height,
                },
            ));
        }
    }
    Drawing {
        image,
        nets,
        results,
        tensors,
        words,
        store,
        seen,
    }
}

pub fn photo(
    number: usize,
    image: &ImageInfo,
    nets: &[Net],
    results: &Results,
    tensors: &Tensors,
    words: &Words,
) -> Result<Photo> {
    let mut drawing = drawing(number, image, nets, results, tensors, words);
    let columns = nets.iter().map(|net| drawing.column(net)).collect();
    let mut methods: Vec<MethodRows> = Vec::new();
    for figure in results
        .figures
        .iter()
        .filter(|f| f.image.as_ref() == Some(&image.id))
        // What has a section of its own.
        .filter(|f| f.method != shortcuts::METHOD)
    {
        if methods.iter().all(|rows| rows.key != figure.method) {
            let key = figure.method.clone();
            let name = words
                .text(&format!("method.{key}"), &[])
                .unwrap_or_else(|| key.clone());
            let rows = drawing.rows(&key)?;
            methods.push(MethodRows { key, name, rows });
        }
    }
    Ok(Photo {
        anchor: format!("photo-{number}"),
        id: image.id.clone(),
        source: image.source.clone(),
        width: image.width,
        height: image.height,
        label: image.label.as_ref().map(|label| label.name.clone()),
        thumbnail: drawing.seen.first().map(|(_, seen)| seen.clone()),
        columns,
        methods,
        failures: results
            .failures
            .iter()
            .filter(|f| f.image.as_ref() == Some(&image.id))
            .map(FailureView::new)
            .collect(),
        stored: drawing.store.stored,
    })
}

impl Drawing<'_> {
    pub(super) fn prediction(&self, model: &str) -> Option<&Prediction> {
        let of = |p: &&Prediction| p.model == model && p.image == self.image.id;
        self.results.predictions.iter().find(of)
    }

    pub(super) fn column(&self, net: &Net) -> Column {
        let prediction = self.prediction(&net.id);
        let label = prediction.and_then(|p| p.label.as_ref());
        let guess = |scored: &crate::results::ClassScore| Guess {
            name: scored.class.name.clone(),
            rank: scored.rank,
            percent: self.words.percent(f64::from(scored.probability)),
            bar: (f64::from(scored.probability) * 1000.0).round() / 10.0,
            is_label: label.is_some_and(|l| l.class.index == scored.class.index),
        };
        let top: Vec<Guess> = prediction
            .map_or(&[][..], |p| &p.top)
            .iter()
            .take(5)
            .map(guess)
            .collect();
        Column {
            net: net.clone(),
            right: label.map(|l| l.rank == 1),
            label: label.filter(|_| top.iter().all(|g| !g.is_label)).map(guess),
            top,
        }
    }

    /// The rows of one method: for every class asked, for every layer.
    pub(super) fn rows(&mut self, method: &str) -> Result<Vec<Row>> {
        let results = self.results;
        let figures: Vec<&Figure> = results
            .figures
            .iter()
            .filter(|f| f.method == method && f.image.as_ref() == Some(&self.image.id))
            .collect();
        // Each figure belongs to the rows (role of its class, layer); the order is that of the
        // figures, roles first.
        let mut keys: Vec<(Role, Option<(String, usize)>)> = Vec::new();
        for figure in &figures {
            for role in self.roles(figure) {
                let key = (role, results.selector_of(figure));
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys.sort_by_key(|(role, _)| role.order());
        let mut rows: Vec<Row> = Vec::new();
        let mut shown: Vec<*const Figure> = Vec::new();
        for (role, selector) in &keys {
            let at: Vec<Option<&Figure>> = self
                .nets
                .iter()
                .map(|net| {
                    figures.iter().copied().find(|f| {
                        f.model == net.id
                            && self.roles(f).contains(role)
                            && results.selector_of(f) == *selector
                    })
                })
                .collect();
            // A row that only repeats what stands above says nothing.
            if at
                .iter()
                .flatten()
                .all(|f| shown.contains(&std::ptr::from_ref(*f)))
            {
                continue;
            }
            let mut cells = Vec::new();
            for (net, figure) in self.nets.to_vec().iter().zip(&at) {
                cells.push(match figure {
                    None => self.gap(net, method),
                    Some(f) if shown.contains(&std::ptr::from_ref(*f)) => {
                        message(net, self.words.say("cell.above", &[]))
                    }
                    Some(f) => self.cell(net, f)?,
                });
            }
            shown.extend(at.iter().flatten().map(|f| std::ptr::from_ref(*f)));
            let (depth, asked) = (self.depth(selector.as_ref()), self.asked(role));
            let parts = [&depth, &asked].into_iter().flatten();
            rows.push(Row {
                title: parts.cloned().collect::<Vec<_>>().join(" · "),
                class: match role {
                    // The true class is another one on another photo, and the same question.
                    Role::Label => Some(self.words.say("view.classes.label", &[])),
                    _ => asked,
                },
                depth,
                cells,
            });
        }
        Ok(rows)
    }

    /// The question that a role is, in words.
    fn asked(&self, role: &Role) -> Option<String> {
        match role {
            Role::None => None,
            Role::Predicted => Some(self.words.say("role.predicted", &[])),
            Role::Label => {
                let name = self.image.label.as_ref().map_or("", |label| &label.name);
                Some(self.words.say("role.label", &[("class", name)]))
            }
            Role::Class(_, name) => Some(self.words.say("role.class", &[("class", name)])),
        }
    }

    fn depth(&self, selector: Option<&(String, usize)>) -> Option<String> {
        selector.map(|(name, number)| match number {
            0 => name.clone(),
            _ => format!("{name} ({})", number + 1),
        })
    }

    /// Which of the questions the figure's class answers.
    fn roles(&self, figure: &Figure) -> Vec<Role> {
        let Some(class) = &figure.class else {
            return vec![Role::None];
        };
        let asked = &self.results.experiment.classes;
        let prediction = self.prediction(&figure.model);
        let mut roles = Vec::new();
        let first = prediction.and_then(|p| p.top.first());
        if asked.contains(&ClassSpec::Predicted)
            && first.is_some_and(|s| s.class.index == class.index)
        {
            roles.push(Role::Predicted);
        }
        let label = prediction.and_then(|p| p.label.as_ref());
        if asked.contains(&ClassSpec::Label) && label.is_some_and(|s| s.class.index == class.index)
        {
            roles.push(Role::Label);
        }
        let named = |spec: &ClassSpec| match spec {
            ClassSpec::Index(index) => *index == class.index,
            ClassSpec::Name(name) => name.replace('_', " ").eq_ignore_ascii_case(&class.name),
            _ => false,
        };
        if roles.is_empty() || asked.iter().any(named) {
            roles.push(Role::Class(class.index, class.name.clone()));
        }
        roles
    }
}

/// Why a class was asked about; it aligns the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    /// The figure asks about no class.
    None,
    /// The network's own first choice.
    Predicted,
    /// The picture's true class.
    Label,
    /// A class that the spec names.
    Class(usize, String),
}

impl Role {
    fn order(&self) -> usize {
        match self {
            Role::None => 0,
            Role::Predicted => 1,
            Role::Label => 2,
            Role::Class(index, _) => 3 + index,
        }
    }
}
