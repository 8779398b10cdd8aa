//! Finds the image of the collection with the largest value of each objective, and after the last image runs the ascent.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::gradient_ascent::gradient_ascent;
use super::objective::{ActivationReduction, Objective};
use super::options::{Classes, Maximize};
use crate::error::Result;
use crate::figures::{Array, ClassInfo, Content, MaximisedImage, Note, TopImage};
use crate::image::thumbnail;
use crate::methods::unit_selection::{UnitSelection, max_activations};
use crate::methods::{
    Batch, CollectionImage, Collector, CollectorState, LoadedModel, MethodOutput, to_floats,
};
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// Side of the top image's thumbnail in pixels.
const THUMBNAIL_SIDE: u32 = 96;

/// Finds one network's top images.
pub(super) struct TopImageCollector<'a> {
    options: &'a Maximize,
    model: &'a LoadedModel,
    found: TopValues,
}

/// The largest values so far.
#[derive(Debug, Serialize, Deserialize)]
struct TopValues {
    layers: Vec<LayerTopValues>,
    /// For every class, the largest logit.
    logits: Vec<Option<TopValue>>,
    /// The true classes of the collection, in the order of its images, at most as many as `classes` asks for.
    true_classes: Vec<usize>,
}

impl TopValues {
    /// Adds classes that are not there yet, as long as `options` ask for more.
    fn add_true_classes(&mut self, classes: impl IntoIterator<Item = usize>, options: &Maximize) {
        let Classes::First(count) = options.classes else {
            return;
        };
        for class in classes {
            if self.true_classes.len() < count && !self.true_classes.contains(&class) {
                self.true_classes.push(class);
            }
        }
    }
}

/// The largest values of a layer's units.
#[derive(Debug, Serialize, Deserialize)]
struct LayerTopValues {
    layer: NodeId,
    selection: UnitSelection,
    /// For every unit: those of a class are selected only after the last image.
    units: Vec<Option<TopValue>>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct TopValue {
    value: f32,
    /// The image's index in the collection.
    image: usize,
}

impl<'a> TopImageCollector<'a> {
    pub fn new(options: &'a Maximize, model: &'a LoadedModel, layers: &[NodeId]) -> Result<Self> {
        let channels = |id: NodeId| model.info[id].shape[0] as usize;
        let layers = layers.iter().map(|&layer| {
            let count = channels(layer);
            Ok(LayerTopValues {
                layer,
                selection: UnitSelection::new(&options.units, model, layer, count)?,
                units: vec![None; count],
            })
        });
        let found = TopValues {
            layers: layers.collect::<Result<_>>()?,
            logits: vec![None; channels(model.network.graph().output()).max(model.labels.len())],
            true_classes: Vec::new(),
        };
        Ok(TopImageCollector {
            options,
            model,
            found,
        })
    }

    /// The classes to maximise, without repetitions, and the names that this network does not know.
    fn classes(&self) -> (Vec<usize>, Vec<String>) {
        let mut classes = self.found.true_classes.clone();
        let mut unknown = Vec::new();
        for name in self.options.classes.names() {
            match self.model.labels.resolve(&name) {
                Ok(class) if !classes.contains(&class) => classes.push(class),
                Ok(_) => {}
                Err(_) => unknown.push(name),
            }
        }
        (classes, unknown)
    }

    /// The layer's units to maximise.
    fn unit_targets(&self, layer: &LayerTopValues) -> Vec<Target> {
        let selected = layer.selection.selected().into_iter();
        selected
            .map(|(unit, correlation)| Target {
                unit,
                class: None,
                correlation,
                top: layer.units.get(unit).copied().flatten(),
            })
            .collect()
    }

    /// The classes to maximise.
    fn class_targets(&self, classes: Vec<usize>) -> Vec<Target> {
        let classes = classes.into_iter();
        classes
            .map(|class| Target {
                unit: class,
                class: Some(self.model.class(class)),
                correlation: None,
                top: self.found.logits.get(class).copied().flatten(),
            })
            .collect()
    }
}

impl Collector for TopImageCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let output = batch.value(self.model.network.graph().output())?;
        let logits = &self.model.class_logits(output)?;
        update(&mut self.found.logits, logits, batch.first)?;
        for layer in &mut self.found.layers {
            let activations = &self.model.map(layer.layer, batch.value(layer.layer)?)?;
            let maxima = max_activations(activations)?;
            layer.selection.observe(batch.first, &maxima, logits)?;
            let values = match (self.options.at, activations.dim()) {
                (ActivationReduction::Channel, 4) => {
                    activations.f_mean_dim([2i64, 3].as_slice(), false, Kind::Float)?
                }
                _ => maxima,
            };
            update(&mut layer.units, &values, batch.first)?;
        }
        let labels = batch.members.iter().filter_map(|m| m.label.as_ref());
        let classes = labels.map(|label| label.index);
        self.found.add_true_classes(classes, self.options);
        Ok(())
    }

    fn state(&self) -> CollectorState {
        CollectorState::from_values(&self.found)
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        self.found = state.parse_values()?;
        Ok(())
    }

    fn append(&mut self, later: CollectorState) -> Result<()> {
        let later: TopValues = later.parse_values()?;
        append(&mut self.found.logits, later.logits);
        for (own, later) in self.found.layers.iter_mut().zip(later.layers) {
            own.selection.append(later.selection);
            append(&mut own.units, later.units);
        }
        self.found
            .add_true_classes(later.true_classes, self.options);
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let model = self.model;
        for found in &self.found.layers {
            let layer = Some(found.layer);
            let targets = self.unit_targets(found);
            let content = Content::Maximised {
                centre: self.options.at == ActivationReduction::Centre
                    && model.info[found.layer].is_spatial(),
                images: self.maximise(layer, &targets, member, out, progress)?,
            };
            out.figures.push(model.figure("maximize", layer, content));
        }
        let (classes, unknown) = self.classes();
        let images = self.maximise(None, &self.class_targets(classes), member, out, progress)?;
        let content = if !images.is_empty() {
            Content::Maximised {
                centre: false,
                images,
            }
        } else if unknown.is_empty() && !self.found.layers.is_empty() {
            // A collection without true classes: the figures of the layers are all there is.
            return Ok(());
        } else {
            Content::Absent {
                reason: Note::new("note.no_class"),
            }
        };
        let mut figure = model.figure("maximize", None, content);
        for class in unknown {
            let note = Note::new("note.unknown_class").with("class", class);
            figure.notes.push(note);
        }
        out.figures.push(figure);
        Ok(())
    }
}

/// A unit or a class to maximise.
struct Target {
    /// The index of the unit, or of the class.
    unit: usize,
    class: Option<ClassInfo>,
    correlation: Option<f64>,
    top: Option<TopValue>,
}

impl TopImageCollector<'_> {
    /// Runs the ascent for units of `layer`, or for classes if there is no layer.
    fn maximise(
        &self,
        layer: Option<NodeId>,
        targets: &[Target],
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<Vec<MaximisedImage>> {
        let model = self.model;
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        let objective = |target: &Target| Objective {
            node: layer.unwrap_or(model.network.graph().output()),
            unit: target.unit,
            class: target.class.is_some(),
            at: layer.map_or(ActivationReduction::Channel, |_| self.options.at),
        };
        let objectives: Vec<Objective> = targets.iter().map(objective).collect();
        let layer_name = layer.map(|layer| model.layer(layer));
        progress.step(&format!(
            "{}: maximize {}",
            model.id,
            layer_name.unwrap_or("classes")
        ));
        let options = self.options.ascent(model.network.graph(), &model.info);
        let results = gradient_ascent(model, &objectives, &options, progress)?;
        let mut images = Vec::with_capacity(results.len());
        for (result, target) in results.into_iter().zip(targets) {
            let key = match layer_name {
                Some(name) => format!("{}/maximize/{name}/{}", model.id, target.unit),
                None => format!("{}/maximize/{}", model.id, target.unit),
            };
            out.tensor(&key, &result.pixels)?;
            let top_image = match target.top {
                Some(top) => Some(self.top_image(top, member, &key, out)?),
                None => None,
            };
            images.push(MaximisedImage {
                unit: target.unit,
                class: target.class.clone(),
                correlation: target.correlation,
                tensor: key,
                initial_value: result.initial_value,
                final_value: result.final_value,
                top_image,
            });
        }
        Ok(images)
    }

    /// Reads the top image again for its thumbnail.
    fn top_image(
        &self,
        top: TopValue,
        member: &dyn Fn(usize) -> CollectionImage,
        key: &str,
        out: &mut MethodOutput,
    ) -> Result<TopImage> {
        let member = member(top.image);
        let pixels = member.decode()?.pixels;
        let view = self.model.preprocess.view(&pixels)?;
        let whole = [0, 0, view.width(), view.height()];
        let thumbnail = thumbnail(&view, whole, THUMBNAIL_SIDE);
        let (key, side) = (format!("{key}/photo"), THUMBNAIL_SIDE as usize);
        let array = Array::u8(&[side, side, 3], thumbnail.into_raw());
        out.tensors.insert(key.clone(), array);
        Ok(TopImage {
            image: member.id,
            source: member.source,
            label: member.label,
            value: top.value,
            tensor: key,
        })
    }
}

/// Updates the largest values with those of the images that follow; of equal values the earlier image stays.
fn append(top: &mut [Option<TopValue>], later: Vec<Option<TopValue>>) {
    for (top, later) in top.iter_mut().zip(later) {
        if let Some(found) = later
            && top.is_none_or(|top| found.value > top.value)
        {
            *top = Some(found);
        }
    }
}

/// Updates the largest values with those of a batch, `[N, C]`, whose first image has the index `first`; of equal values the
/// earlier image stays.
fn update(top: &mut [Option<TopValue>], values: &Tensor, first: usize) -> Result<()> {
    let values = to_floats(values)?;
    for (offset, values) in values.chunks_exact(top.len().max(1)).enumerate() {
        for (top, &value) in top.iter_mut().zip(values) {
            if value.is_finite() && top.is_none_or(|top| value > top.value) {
                let image = first + offset;
                *top = Some(TopValue { value, image });
            }
        }
    }
    Ok(())
}
