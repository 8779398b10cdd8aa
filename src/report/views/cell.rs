//! One figure of a photo: the photo, a network's map or channels of it, and their caption.

use serde::Serialize;

use super::check_note::map_note;
use super::image_store::ImageStore;
use super::layer::LayerView;
use super::net::NetView;
use super::photo::{PhotoImageView, PhotoView};
use super::prediction::prediction;
use super::projections::ProjectionsView;
use super::scale::{DisplayScale, ScaleView, peak};
use super::target::{target_name, target_value};
use crate::error::Result;
use crate::figures::{Content, Figure, Quantity, TargetInfo};
use crate::methods::{MethodSpec, activations};
use crate::network::Task;
use crate::report::input::ReportInput;
use crate::report::words::Words;
use crate::results::ImageInfo;

/// Maps with longer sides are smoothed when they are enlarged; smaller ones show each value as a square.
const SMALL_SIDE: usize = 28;

/// A figure of a network for a photo.
#[derive(Debug, Serialize)]
pub struct CellView {
    /// The network.
    pub net: NetView,
    /// `map`, `channels`, `projections`, `message` or `empty`.
    pub kind: &'static str,
    /// Why there is no figure.
    pub message: Option<String>,
    /// The photo as the network sees it.
    pub photo: Option<PhotoImageView>,
    /// The map, or the mean of the channels.
    pub map: Option<MapView>,
    /// The channels side by side.
    pub mosaic: Option<MosaicView>,
    /// The projections of some units.
    pub projections: Option<ProjectionsView>,
    /// The figure's layer.
    pub layer: Option<LayerView>,
    /// The class, or what else the figure explains.
    pub class: Option<String>,
    /// The class's probability in per cent, or the value that is explained.
    pub percent: Option<String>,
    /// Sentences below the figure.
    pub notes: Vec<String>,
    /// The figure's index in the results.
    #[serde(skip)]
    pub figure: Option<usize>,
}

/// A stored map.
#[derive(Debug, Serialize)]
pub struct MapView {
    /// The id of the stored image.
    pub id: String,
    /// How many values wide.
    pub width: usize,
    /// How many values high.
    pub height: usize,
    /// Whether each value is a square when the map is enlarged.
    pub small: bool,
    /// Its scale.
    pub scale: ScaleView,
    /// The position of its largest magnitude, in per cent from the left and the top.
    pub peak: Option<(String, String)>,
}

/// Channels of a layer side by side.
#[derive(Debug, Serialize)]
pub struct MosaicView {
    /// The id of the stored image.
    pub id: String,
    /// In pixels.
    pub width: u32,
    /// In pixels.
    pub height: u32,
    /// How many channels stand in a row.
    pub columns: u32,
    /// Width and height of a channel.
    pub tile: (u32, u32),
    /// Whether each value is a square when the mosaic is enlarged.
    pub small: bool,
    /// How many channels are shown.
    pub shown: usize,
    /// How many the layer has.
    pub of: usize,
    /// The indices of the channels shown.
    pub channels: String,
    /// The scale of all of them.
    pub scale: ScaleView,
}

impl MapView {
    /// The view of a map `[height, width]`, which goes into `store`.
    ///
    /// # Errors
    /// If it can't be encoded.
    pub fn new(
        values: &[f32],
        [height, width]: [usize; 2],
        signed: bool,
        store: &mut ImageStore,
        words: &Words,
    ) -> Result<MapView> {
        let display = DisplayScale::new(values, signed);
        let indices = display.scale.indices(values);
        let side = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        let percent = |part: f64| words.fixed(part * 100.0, 0);
        Ok(MapView {
            width,
            height,
            small: width.max(height) <= SMALL_SIDE,
            peak: peak(values, width).map(|(x, y)| (percent(x), percent(y))),
            scale: ScaleView::new(&display, "scale.own", words),
            id: store.grey(side(width), side(height), &indices)?,
        })
    }
}

impl CellView {
    /// A cell without a figure.
    pub fn without_figure(net: &NetView, kind: &'static str, message: String) -> CellView {
        CellView {
            net: net.clone(),
            kind,
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
}

/// Makes the cells of one photo, and stores their images.
#[derive(Debug)]
pub struct CellRenderer<'a> {
    /// What the report shows.
    pub input: &'a ReportInput<'a>,
    /// The photo in the results.
    pub image: &'a ImageInfo,
    photo: &'a PhotoView,
    store: ImageStore,
}

impl<'a> CellRenderer<'a> {
    /// For the photo at `index` in the experiment; the images go into `store`.
    pub fn new(input: &'a ReportInput<'a>, index: usize, store: ImageStore) -> CellRenderer<'a> {
        CellRenderer {
            input,
            image: &input.results.images[index],
            photo: &input.photos[index],
            store,
        }
    }

    /// The stored images.
    pub fn into_store(self) -> ImageStore {
        self.store
    }

    /// The cell of a network without a figure of `method`.
    pub fn missing_cell(&self, net: &NetView, method: &str) -> CellView {
        let results = self.input.results;
        let failure = results.failure(&net.id, Some(&self.image.id), method);
        let kind = if failure.is_some() {
            "message"
        } else {
            "empty"
        };
        CellView::without_figure(net, kind, self.input.words.missing_figure(failure))
    }

    /// The cell of a figure.
    ///
    /// # Errors
    /// If an image can't be encoded.
    pub fn cell(&mut self, net: &NetView, figure: &Figure) -> Result<CellView> {
        let (results, words) = (self.input.results, self.input.words);
        let target = figure.target.as_ref();
        let mut cell = CellView {
            photo: self.photo.image_for(&net.id).cloned(),
            layer: LayerView::for_figure(results, figure),
            class: target.map(|target| target_name(target, words)),
            percent: target.and_then(|target| self.explained_value(figure, target)),
            notes: figure.notes.iter().map(|note| words.note(note)).collect(),
            figure: results.figures.iter().position(|f| std::ptr::eq(f, figure)),
            ..CellView::without_figure(net, "message", String::new())
        };
        match &figure.content {
            Content::Map { tensor, signed, .. } => {
                self.add_map(&mut cell, figure, tensor, *signed)?;
            }
            Content::Channels {
                tensor,
                channels,
                total,
                ..
            } => self.add_channels(&mut cell, tensor, channels, *total)?,
            Content::Projections { units, total } => {
                let tensors = self.input.tensors;
                let drawing = self.image.drawing.as_ref();
                let store = &mut self.store;
                let view = ProjectionsView::new(units, *total, tensors, drawing, store, words)?;
                cell.projections = Some(view);
                cell.kind = "projections";
            }
            Content::Absent { reason } => cell.message = Some(words.note(reason)),
            _ => cell.message = Some(words.text("cell.none", &[])),
        }
        Ok(cell)
    }

    fn add_map(
        &mut self,
        cell: &mut CellView,
        figure: &Figure,
        tensor: &str,
        signed: bool,
    ) -> Result<()> {
        let words = self.input.words;
        let array = self.input.tensors.get(tensor);
        let Some((values, [height, width])) = array.and_then(|array| array.shaped()) else {
            cell.message = Some(self.input.missing_tensor(tensor));
            return Ok(());
        };
        if values.iter().all(|v| *v == 0.0) {
            cell.message = Some(words.text("cell.silent", &[]));
            return Ok(());
        }
        let unknown = values.iter().filter(|v| !v.is_finite()).count();
        if unknown > 0 {
            let gaps = [("count", &*unknown.to_string())];
            cell.notes.push(words.text("cell.unknown", &gaps));
        }
        cell.notes
            .extend(map_note(self.input.results, figure, words)?);
        cell.map = Some(MapView::new(
            values,
            [height, width],
            signed,
            &mut self.store,
            words,
        )?);
        cell.kind = "map";
        Ok(())
    }

    fn add_channels(
        &mut self,
        cell: &mut CellView,
        tensor: &str,
        channels: &[usize],
        of: usize,
    ) -> Result<()> {
        let words = self.input.words;
        let array = self.input.tensors.get(tensor);
        let Some((values, [count, height, width])) = array.and_then(|array| array.shaped()) else {
            cell.message = Some(self.input.missing_tensor(tensor));
            return Ok(());
        };
        if values.iter().all(|v| *v == 0.0) {
            cell.message = Some(words.text("cell.silent", &[]));
            return Ok(());
        }
        let shown = if self.channels_are_listed() {
            count
        } else {
            count.min(default_channels(height.max(width)))
        };
        let plane = height * width;
        let values = &values[..shown * plane];
        let signed = values.iter().any(|v| *v < 0.0);
        let mean: Vec<f32> = (0..plane)
            .map(|index| {
                let sum: f32 = values.iter().skip(index).step_by(plane).sum();
                sum / shown as f32
            })
            .collect();
        let display = DisplayScale::new(values, signed);
        let shape = [shown, height, width];
        let mosaic = crate::image::channel_mosaic(values, shape, &[display.scale], 1)?;
        let indices: Vec<String> = channels.iter().take(shown).map(usize::to_string).collect();
        cell.mosaic = Some(MosaicView {
            id: self
                .store
                .grey(mosaic.width, mosaic.height, &mosaic.indices)?,
            width: mosaic.width,
            height: mosaic.height,
            columns: mosaic.grid.columns,
            tile: (mosaic.grid.tile_width, mosaic.grid.tile_height),
            small: height.max(width) <= SMALL_SIDE,
            shown,
            of,
            channels: indices.join(", "),
            scale: ScaleView::new(&display, "scale.channels", words),
        });
        cell.map = Some(MapView::new(
            &mean,
            [height, width],
            signed,
            &mut self.store,
            words,
        )?);
        cell.kind = "channels";
        Ok(())
    }

    /// Whether the experiment lists the channels to show, rather than how many.
    fn channels_are_listed(&self) -> bool {
        let methods = &self.input.results.experiment.methods;
        methods.iter().any(|method| {
            matches!(method, MethodSpec::Activations(options)
                if matches!(options.channels, activations::Channels::Listed(_)))
        })
    }

    /// The class's probability, or the value that is explained.
    fn explained_value(&self, figure: &Figure, target: &TargetInfo) -> Option<String> {
        let (results, words) = (self.input.results, self.input.words);
        let mut explained = results.targets.iter();
        let explained = explained.find(|found| {
            found.model == figure.model && found.image == self.image.id && found.target == *target
        });
        if let Some(found) = explained {
            let value = target_value(f64::from(found.value), found.quantity, words);
            let name = words.text(&format!("quantity.{}", found.quantity.key()), &[]);
            return Some(match found.quantity {
                Quantity::Probability => value,
                _ => format!("{name} {value}"),
            });
        }
        let class = target.class()?;
        let prediction = prediction(results, &figure.model, &self.image.id)?;
        let known = prediction.top.iter().chain(&prediction.label);
        if let Some(scored) = known.into_iter().find(|s| s.class.index == class.index) {
            return Some(words.percent(f64::from(scored.probability?)));
        }
        let logits = self.input.tensors.get(&prediction.tensor)?.floats()?;
        let probability = probability(results.task(&figure.model), logits, class.index)?;
        Some(words.percent(probability))
    }
}

/// The probability of a class from the logits of all.
fn probability(task: Task, logits: &[f32], class: usize) -> Option<f64> {
    let logit = f64::from(*logits.get(class)?);
    match task {
        Task::Classes => {
            let most = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
            let sum: f64 = logits.iter().map(|l| (f64::from(*l) - most).exp()).sum();
            Some((logit - most).exp() / sum)
        }
        Task::MultiLabel => Some(1.0 / (1.0 + (-logit).exp())),
        Task::Regression | Task::Codes => None,
    }
}

/// How many channels of a layer with sides of `side` are shown, where the experiment doesn't list them: an early map is
/// large on the page, a late one small.
fn default_channels(side: usize) -> usize {
    match side {
        80.. => 4,
        40.. => 9,
        20.. => 16,
        _ => 64,
    }
}
