//! The figures of one method for one photo in rows: a row for each class and layer, a column for each network.

use serde::Serialize;

use super::cell::{CellRenderer, CellView};
use super::layer::selector_title;
use super::prediction::prediction;
use super::target::target_name;
use crate::error::Result;
use crate::figures::{ClassInfo, Figure, TargetInfo};
use crate::network::ClassSpec;
use crate::results::Prediction;

/// Methods with figures of photos that a section of their own shows, and not the rows of the photo.
pub const METHODS_WITH_SECTION: &[&str] = &["skip_connections"];

/// The figures of all networks for one class and one selector.
#[derive(Debug, Serialize)]
pub struct FigureRowView {
    /// The selector and the class.
    pub title: String,
    /// The selector.
    pub depth: Option<String>,
    /// The class, as the experiment names it.
    pub class: Option<String>,
    /// A figure of each network.
    pub cells: Vec<CellView>,
}

/// Why a figure explains its class; it aligns the columns.
#[derive(Debug, Clone, PartialEq, Eq)]
enum ClassRole {
    /// The figure explains no class.
    None,
    /// The network's first choice.
    Predicted,
    /// The photo's true class.
    Label,
    /// A class that the experiment names: its index and name.
    Named(usize, String),
    /// No class alone: the position in the experiment's `classes`, and the title.
    Other(usize, String),
}

impl ClassRole {
    fn order(&self) -> usize {
        match self {
            ClassRole::None => 0,
            ClassRole::Predicted => 1,
            ClassRole::Label => 2,
            ClassRole::Named(index, _) => 3 + index,
            ClassRole::Other(position, _) => usize::MAX / 2 + position,
        }
    }
}

/// The rows of `method` for the photo of `renderer`.
///
/// # Errors
/// If an image can't be encoded.
pub fn method_rows(renderer: &mut CellRenderer, method: &str) -> Result<Vec<FigureRowView>> {
    let input = renderer.input;
    let figures: Vec<&Figure> = input
        .figures_of(method)
        .filter(|figure| figure.image.as_ref() == Some(&renderer.image.id))
        .collect();
    // Each figure belongs to the rows (role of its class, selector); the rows have the order of the figures, roles first.
    let mut keys: Vec<(ClassRole, Option<(String, usize)>)> = Vec::new();
    for figure in &figures {
        for role in roles(renderer, figure) {
            let key = (role, input.results.selector_of(figure));
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
    }
    keys.sort_by_key(|(role, _)| role.order());
    let mut rows: Vec<FigureRowView> = Vec::new();
    let mut shown: Vec<*const Figure> = Vec::new();
    for (role, selector) in &keys {
        let row: Vec<Option<&Figure>> = input
            .nets
            .iter()
            .map(|net| {
                figures.iter().copied().find(|figure| {
                    figure.model == net.id
                        && roles(renderer, figure).contains(role)
                        && input.results.selector_of(figure) == *selector
                })
            })
            .collect();
        // A row of figures that are all shown above is left out.
        let is_shown = |figure: &Figure| shown.contains(&std::ptr::from_ref(figure));
        if row.iter().flatten().all(|figure| is_shown(figure)) {
            continue;
        }
        let mut cells = Vec::new();
        for (net, figure) in input.nets.iter().zip(&row) {
            cells.push(match figure {
                None => renderer.missing_cell(net, method),
                Some(figure) if is_shown(figure) => {
                    let message = input.words.text("cell.above", &[]);
                    CellView::without_figure(net, "message", message)
                }
                Some(figure) => renderer.cell(net, figure)?,
            });
        }
        shown.extend(row.iter().flatten().map(|f| std::ptr::from_ref(*f)));
        let depth = selector.as_ref().map(selector_title);
        let class = role_title(renderer, role);
        let parts = [&depth, &class].into_iter().flatten();
        rows.push(FigureRowView {
            title: parts.cloned().collect::<Vec<_>>().join(" · "),
            class: match role {
                // One entry for the true classes of all photos.
                ClassRole::Label => Some(input.words.text("view.classes.label", &[])),
                _ => class,
            },
            depth,
            cells,
        });
    }
    Ok(rows)
}

fn role_title(renderer: &CellRenderer, role: &ClassRole) -> Option<String> {
    let words = renderer.input.words;
    match role {
        ClassRole::None => None,
        ClassRole::Predicted => Some(words.text("role.predicted", &[])),
        ClassRole::Label => {
            let label = renderer.image.label.as_ref();
            let name = label.map_or("", |label| &label.name);
            Some(words.text("role.label", &[("class", name)]))
        }
        ClassRole::Named(_, name) => Some(words.text("role.class", &[("class", name)])),
        ClassRole::Other(_, title) => Some(title.clone()),
    }
}

/// All roles that the figure's class has for its network and photo.
fn roles(renderer: &CellRenderer, figure: &Figure) -> Vec<ClassRole> {
    let results = renderer.input.results;
    let prediction = prediction(results, &figure.model, &renderer.image.id);
    let class = match &figure.target {
        None => return vec![ClassRole::None],
        Some(TargetInfo::Class(class)) => class,
        Some(other) => return vec![other_role(renderer, prediction, other)],
    };
    let classes = &results.experiment.classes;
    let mut roles = Vec::new();
    let first = prediction.and_then(|p| p.top.first());
    let is_class = |index: usize| index == class.index;
    if classes.contains(&ClassSpec::Predicted) && first.is_some_and(|s| is_class(s.class.index)) {
        roles.push(ClassRole::Predicted);
    }
    let label = prediction.and_then(|p| p.label.as_ref());
    if classes.contains(&ClassSpec::Label) && label.is_some_and(|s| is_class(s.class.index)) {
        roles.push(ClassRole::Label);
    }
    let named = |spec: &ClassSpec| names(spec, class);
    if roles.is_empty() || classes.iter().any(named) {
        roles.push(ClassRole::Named(class.index, class.name.clone()));
    }
    roles
}

/// Whether the spec is the index or the name of a class.
fn names(spec: &ClassSpec, class: &ClassInfo) -> bool {
    match spec {
        ClassSpec::Index(index) => *index == class.index,
        ClassSpec::Name(name) => name.replace('_', " ").eq_ignore_ascii_case(&class.name),
        _ => false,
    }
}

/// The role of a contrast or a likeness: figures of the same entry of `classes` share a row.
fn other_role(
    renderer: &CellRenderer,
    prediction: Option<&Prediction>,
    target: &TargetInfo,
) -> ClassRole {
    let words = renderer.input.words;
    let is = |spec: &ClassSpec, class: &ClassInfo| match spec {
        ClassSpec::Predicted => {
            let first = prediction.and_then(|p| p.top.first());
            first.is_some_and(|score| score.class == *class)
        }
        ClassSpec::Label => {
            let label = prediction.and_then(|p| p.label.as_ref().or(p.labels.first()));
            label.is_some_and(|score| score.class == *class)
        }
        named => names(named, class),
    };
    let classes = &renderer.input.results.experiment.classes;
    let position = classes.iter().position(|spec| match (spec, target) {
        (ClassSpec::Contrast { a, instead_of }, TargetInfo::Contrast(found)) => {
            is(a, &found.class) && is(instead_of, &found.instead_of)
        }
        _ => false,
    });
    let side = |spec: &ClassSpec, class: &ClassInfo| match spec {
        ClassSpec::Predicted => words.text("target.predicted", &[]),
        ClassSpec::Label => words.text("target.label", &[]),
        _ => class.name.clone(),
    };
    let title = match (position.and_then(|position| classes.get(position)), target) {
        (Some(ClassSpec::Contrast { a, instead_of }), TargetInfo::Contrast(found)) => {
            let (class, other) = (side(a, &found.class), side(instead_of, &found.instead_of));
            words.text("target.contrast", &[("class", &class), ("other", &other)])
        }
        _ => target_name(target, words),
    };
    ClassRole::Other(position.unwrap_or(classes.len()), title)
}
