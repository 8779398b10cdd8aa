//! One cell of a photo's rows: the photo, a network's map or mosaic of it, and what has to be said below.

use serde::Serialize;

use super::check_note::map_note;
use super::page::Net;
use super::photos::{Drawing, Seen};
use super::pictures::{self, Shown};
use super::projections::ProjectionsView;
use crate::error::Result;
use crate::figures::{Array, ClassInfo, Content, Figure};
use crate::image::ValueScale;
use crate::methods::{MethodSpec, activations};
use crate::results::LayerInfo;

#[derive(Debug, Serialize)]
pub struct Cell {
    pub net: Net,
    /// `map`, `channels`, `projections`, `message` or `empty`.
    pub kind: &'static str,
    pub message: Option<String>,
    pub photo: Option<Seen>,
    pub map: Option<MapView>,
    pub mosaic: Option<MosaicView>,
    pub projections: Option<ProjectionsView>,
    pub layer: Option<LayerView>,
    pub class: Option<String>,
    pub percent: Option<String>,
    pub notes: Vec<String>,
    /// The place of its figure in the results, where it has one.
    #[serde(skip)]
    pub figure: Option<usize>,
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
    /// Whether values beyond the end are shown as the end.
    pub clipped: bool,
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
    pub(super) fn new(layer: &LayerInfo) -> Self {
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

impl Drawing<'_> {
    /// A place where a network has no figure: what failed there, or that nobody asked.
    pub(super) fn gap(&self, net: &Net, method: &str) -> Cell {
        let failure = self.results.failure(&net.id, Some(&self.image.id), method);
        let mut cell = message(net, self.words.gap(failure));
        if failure.is_none() {
            cell.kind = "empty";
        }
        cell
    }

    pub(super) fn cell(&mut self, net: &Net, figure: &Figure) -> Result<Cell> {
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
            figure: self
                .results
                .figures
                .iter()
                .position(|f| std::ptr::eq(f, figure)),
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
                cell.notes.extend(map_note(self.results, figure, words)?);
                cell.map = Some(self.map(values, width, height, *signed)?);
                cell.kind = "map";
            }
            Content::Channels {
                tensor,
                channels,
                total: of,
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
                let mosaic = crate::image::channel_mosaic(
                    values,
                    [shown, height, width],
                    &[scale.scale],
                    1,
                )?;
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
            Content::Projections { units, total } => {
                cell.projections = Some(self.projections(units, *total)?);
                cell.kind = "projections";
            }
            Content::Absent { reason } => cell.message = Some(words.note(reason)),
            _ => cell.message = Some(words.say("cell.none", &[])),
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
        let indices = shown.scale.indices(values);
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
        let ValueScale { low, high, signed } = shown.scale;
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
            clipped: shown.clipped,
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
pub(super) fn floats<const N: usize>(array: Option<&Array>) -> Option<(&[f32], [usize; N])> {
    array.and_then(Array::shaped)
}

pub(super) fn message(net: &Net, message: String) -> Cell {
    Cell {
        net: net.clone(),
        kind: "message",
        message: Some(message),
        photo: None,
        map: None,
        mosaic: None,
        projections: None,
        layer: None,
        class: None,
        percent: None,
        notes: Vec::new(),
        figure: None,
    }
}
