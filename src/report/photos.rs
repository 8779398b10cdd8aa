//! One photo's section: what each network said, then the ways of looking as rows and the networks
//! as columns.

use serde::Serialize;

use super::page::{FailureView, Net};
use super::pictures::{self, Shown, Store, Stored};
use super::words::Words;
use crate::error::Result;
use crate::methods::{MethodSpec, activations};
use crate::picture::{self, Scale};
use crate::results::{
    Array, ClassInfo, Content, Figure, ImageInfo, LayerInfo, Prediction, Results, Tensors, View,
};
use crate::spec::ClassSpec;

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
    pub cells: Vec<Cell>,
}

#[derive(Debug, Serialize)]
pub struct Cell {
    pub net: Net,
    /// `map`, `channels`, `message` or `empty`.
    pub kind: &'static str,
    pub message: Option<String>,
    pub photo: Option<Seen>,
    pub map: Option<MapView>,
    pub mosaic: Option<MosaicView>,
    pub layer: Option<LayerView>,
    pub class: Option<String>,
    pub percent: Option<String>,
    pub notes: Vec<String>,
}

#[derive(Debug, Serialize)]
pub struct MapView {
    pub id: String,
    pub width: usize,
    pub height: usize,
    /// Whether enlarging it must show its places as squares.
    pub small: bool,
    pub scale: ScaleView,
    /// Where it is strongest, in per cent from the left and the top.
    pub peak: Option<(String, String)>,
}

#[derive(Debug, Serialize)]
pub struct ScaleView {
    pub signed: bool,
    pub low: String,
    pub high: String,
    /// The ends as numbers, for the script.
    pub ends: (f32, f32),
    pub words: String,
}

#[derive(Debug, Serialize)]
pub struct MosaicView {
    pub id: String,
    pub width: u32,
    pub height: u32,
    pub columns: u32,
    pub tile: (u32, u32),
    pub small: bool,
    pub shown: usize,
    pub of: usize,
    /// The channels' numbers.
    pub channels: String,
    pub scale: ScaleView,
}

#[derive(Debug, Serialize)]
pub struct LayerView {
    pub name: String,
    pub op: String,
    /// `7 × 7 × 2048`
    pub shape: String,
    pub stride: i64,
    pub receptive_field: i64,
}

impl LayerView {
    fn new(layer: &LayerInfo) -> Self {
        let shape = match layer.shape[..] {
            [channels, height, width] => format!("{width} × {height} × {channels}"),
            _ => layer
                .shape
                .iter()
                .map(i64::to_string)
                .collect::<Vec<_>>()
                .join(" × "),
        };
        LayerView {
            name: layer.name.clone(),
            op: layer.op.clone(),
            shape,
            stride: layer.stride,
            receptive_field: layer.receptive_field,
        }
    }
}

/// What the rows of one photo are drawn from.
struct Drawing<'a> {
    image: &'a ImageInfo,
    nets: &'a [Net],
    results: &'a Results,
    tensors: &'a Tensors,
    words: &'a Words,
    store: Store,
    /// The stored photos, by the tensors of the image's views.
    seen: Vec<(&'a View, Seen)>,
}

pub fn photo(
    number: usize,
    image: &ImageInfo,
    nets: &[Net],
    results: &Results,
    tensors: &Tensors,
    words: &Words,
) -> Result<Photo> {
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
    let mut drawing = Drawing {
        image,
        nets,
        results,
        tensors,
        words,
        store,
        seen,
    };
    let columns = nets.iter().map(|net| drawing.column(net)).collect();
    let mut methods: Vec<MethodRows> = Vec::new();
    for figure in results
        .figures
        .iter()
        .filter(|f| f.image.as_ref() == Some(&image.id))
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
    fn prediction(&self, model: &str) -> Option<&Prediction> {
        let of = |p: &&Prediction| p.model == model && p.image == self.image.id;
        self.results.predictions.iter().find(of)
    }

    fn column(&self, net: &Net) -> Column {
        let prediction = self.prediction(&net.id);
        let label = prediction.and_then(|p| p.label.as_ref());
        let guess = |scored: &crate::results::Scored| Guess {
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
    fn rows(&mut self, method: &str) -> Result<Vec<Row>> {
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
                let key = (role, self.selector(figure));
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
                            && self.selector(f) == *selector
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
            rows.push(Row {
                title: self.title(role, selector.as_ref()),
                cells,
            });
        }
        Ok(rows)
    }

    fn title(&self, role: &Role, selector: Option<&(String, usize)>) -> String {
        let class = match role {
            Role::None => None,
            Role::Predicted => Some(self.words.say("role.predicted", &[])),
            Role::Label => {
                let name = self.image.label.as_ref().map_or("", |label| &label.name);
                Some(self.words.say("role.label", &[("class", name)]))
            }
            Role::Class(_, name) => Some(self.words.say("role.class", &[("class", name)])),
        };
        let layer = selector.map(|(name, number)| match number {
            0 => name.clone(),
            _ => format!("{name} ({})", number + 1),
        });
        [layer, class]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join(" · ")
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

    /// The selector that led to the figure's layer, and its place among that selector's layers, so
    /// that what one selector means stands side by side; else the layer itself.
    fn selector(&self, figure: &Figure) -> Option<(String, usize)> {
        let layer = figure.layer.as_ref()?;
        let model = self.results.models.iter().find(|m| m.id == figure.model)?;
        model
            .selected
            .iter()
            .filter(|selected| selected.method == figure.method)
            .find_map(|s| {
                let place = s.layers.iter().position(|name| name == layer)?;
                Some((s.selector.clone(), place))
            })
            .or_else(|| Some((layer.clone(), 0)))
    }

    /// A place where a network has no figure: what failed there, or that nobody asked.
    fn gap(&self, net: &Net, method: &str) -> Cell {
        let here = |f: &&crate::results::Failure| {
            f.model.as_ref().is_none_or(|m| *m == net.id)
                && f.image.as_ref().is_none_or(|i| *i == self.image.id)
                && f.method.as_ref().is_none_or(|m| m == method)
        };
        match self.results.failures.iter().find(here) {
            Some(failure) => message(
                net,
                self.words
                    .say("cell.failed", &[("message", &failure.message)]),
            ),
            None => Cell {
                kind: "empty",
                ..message(net, self.words.say("cell.none", &[]))
            },
        }
    }

    fn cell(&mut self, net: &Net, figure: &Figure) -> Result<Cell> {
        let words = self.words;
        let layer = figure.layer.as_ref().and_then(|name| {
            let model = self.results.models.iter().find(|m| m.id == figure.model)?;
            model
                .layers
                .iter()
                .find(|l| l.name == *name)
                .map(LayerView::new)
        });
        let percent = figure
            .class
            .as_ref()
            .and_then(|class| self.probability(figure, class));
        let mut cell = Cell {
            kind: "message",
            photo: self
                .seen
                .iter()
                .find(|(view, _)| view.models.contains(&net.id))
                .map(|(_, seen)| seen.clone()),
            layer,
            class: figure.class.as_ref().map(|class| class.name.clone()),
            percent: percent.map(|p| words.percent(p)),
            notes: figure.notes.iter().map(|note| words.note(note)).collect(),
            ..message(net, String::new())
        };
        let missing = |key: &str| Some(words.say("cell.missing", &[("key", key)]));
        match &figure.content {
            Content::Map { tensor, signed, .. } => {
                let Some((values, [height, width])) = floats(self.tensors.get(tensor)) else {
                    return Ok(Cell {
                        message: missing(tensor),
                        ..cell
                    });
                };
                if values.iter().all(|v| *v == 0.0) {
                    return Ok(Cell {
                        message: Some(words.say("cell.silent", &[])),
                        ..cell
                    });
                }
                let unknown = values.iter().filter(|v| !v.is_finite()).count();
                if unknown > 0 {
                    let gaps = [("count", &*unknown.to_string())];
                    cell.notes.push(words.say("cell.unknown", &gaps));
                }
                cell.map = Some(self.map(values, width, height, *signed)?);
                cell.kind = "map";
            }
            Content::Channels {
                tensor,
                channels,
                of,
                ..
            } => {
                let Some((values, [k, height, width])) = floats(self.tensors.get(tensor)) else {
                    return Ok(Cell {
                        message: missing(tensor),
                        ..cell
                    });
                };
                if values.iter().all(|v| *v == 0.0) {
                    return Ok(Cell {
                        message: Some(words.say("cell.silent", &[])),
                        ..cell
                    });
                }
                let shown = if self.listed() {
                    k
                } else {
                    k.min(pictures::channels_shown(height.max(width)))
                };
                let values = &values[..shown * height * width];
                let signed = values.iter().any(|v| *v < 0.0);
                let mean: Vec<f32> = (0..height * width)
                    .map(|at| {
                        let sum: f32 = values.iter().skip(at).step_by(height * width).sum();
                        sum / shown as f32
                    })
                    .collect();
                let scale = Shown::of(values, signed);
                let mosaic = picture::channels(values, [shown, height, width], &[scale.scale], 1)?;
                let numbers: Vec<String> =
                    channels.iter().take(shown).map(usize::to_string).collect();
                cell.mosaic = Some(MosaicView {
                    id: self
                        .store
                        .grey(mosaic.width, mosaic.height, &mosaic.indices)?,
                    width: mosaic.width,
                    height: mosaic.height,
                    columns: mosaic.grid.columns,
                    tile: (mosaic.grid.tile_width, mosaic.grid.tile_height),
                    small: height.max(width) <= 28,
                    shown,
                    of: *of,
                    channels: numbers.join(", "),
                    scale: self.scale(&scale, "scale.channels"),
                });
                cell.map = Some(self.map(&mean, width, height, signed)?);
                cell.kind = "channels";
            }
            Content::Absent { reason } => cell.message = Some(words.note(reason)),
            Content::Tiles { .. } => cell.message = Some(words.say("cell.none", &[])),
        }
        Ok(cell)
    }

    fn map(
        &mut self,
        values: &[f32],
        width: usize,
        height: usize,
        signed: bool,
    ) -> Result<MapView> {
        let shown = Shown::of(values, signed);
        let indices = picture::to_indices(values, shown.scale);
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let place = |part: f64| self.words.fixed(part * 100.0, 0);
        Ok(MapView {
            width,
            height,
            small: width.max(height) <= 28,
            peak: pictures::peak(values, width).map(|(x, y)| (place(x), place(y))),
            scale: self.scale(&shown, "scale.own"),
            id: self.store.grey(side(width), side(height), &indices)?,
        })
    }

    fn scale(&self, shown: &Shown, plain: &str) -> ScaleView {
        let Scale { low, high, signed } = shown.scale;
        let mut words = self.words.say(plain, &[]);
        if shown.clipped {
            let largest = self.words.number(f64::from(shown.largest));
            words = format!(
                "{words}; {}",
                self.words.say("scale.clipped", &[("largest", &largest)])
            );
        }
        ScaleView {
            signed,
            low: self.words.number(f64::from(low)),
            high: self.words.number(f64::from(high)),
            ends: (low, high),
            words,
        }
    }

    /// Whether the spec lists the channels to show, rather than how many.
    fn listed(&self) -> bool {
        self.results.experiment.methods.iter().any(|method| {
            matches!(method, MethodSpec::Activations(options)
                if matches!(options.channels, activations::Channels::Listed(_)))
        })
    }

    /// The softmax of the class, from the stored logits.
    fn probability(&self, figure: &Figure, class: &ClassInfo) -> Option<f64> {
        let prediction = self.prediction(&figure.model)?;
        let known = prediction.top.iter().chain(&prediction.label);
        if let Some(scored) = known.into_iter().find(|s| s.class.index == class.index) {
            return Some(f64::from(scored.probability));
        }
        let logits = self.tensors.get(&prediction.tensor)?.floats()?;
        let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        let sum: f64 = logits.iter().map(|l| (f64::from(*l) - most).exp()).sum();
        Some((f64::from(*logits.get(class.index)?) - most).exp() / sum)
    }
}

/// The numbers of an array with `N` sides, none of them 0.
fn floats<const N: usize>(array: Option<&Array>) -> Option<(&[f32], [usize; N])> {
    let array = array?;
    let shape = <[usize; N]>::try_from(&array.shape[..]).ok()?;
    (!array.floats()?.is_empty()).then_some((array.floats()?, shape))
}

fn message(net: &Net, message: String) -> Cell {
    Cell {
        net: net.clone(),
        kind: "message",
        message: Some(message),
        photo: None,
        map: None,
        mosaic: None,
        layer: None,
        class: None,
        percent: None,
        notes: Vec::new(),
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
