//! Collects the largest activations of one network's units, and after the last image cuts out the patches.

use std::collections::BTreeMap;

use rayon::prelude::*;
use tch::Tensor;

use super::options::Exemplars;
use super::top_activations::{Activation, TopActivations};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, AscentImage, Content, Exemplar, Note, UnitExemplars};
use crate::image::{View, Window, thumbnail};
use crate::methods::deconvnet::Projector;
use crate::methods::maximize::{
    ActivationReduction, AscentOptions, DEFAULT_SIDE, Objective, Parametrisation, ascent_side,
    gradient_ascent,
};
use crate::methods::unit_selection::max_activations;
use crate::methods::{
    Batch, CollectionImage, Collector, CollectorState, LoadedModel, MethodOutput, to_floats,
};
use crate::network::graph::NodeId;
use crate::network::receptive_field::ReceptiveFields;
use crate::progress::Progress;

/// Side of a stored patch in pixels.
const PATCH_SIDE: u32 = 96;

/// The members and views of some images of the collection, by index.
type Views = BTreeMap<usize, (CollectionImage, View)>;

/// Collects the largest activations of one network's units.
pub(super) struct ExemplarCollector<'a> {
    options: &'a Exemplars,
    model: &'a LoadedModel,
    layers: Vec<TopActivations>,
}

impl<'a> ExemplarCollector<'a> {
    pub fn new(options: &'a Exemplars, model: &'a LoadedModel, layers: &[NodeId]) -> Result<Self> {
        let layers = layers
            .iter()
            .map(|&layer| TopActivations::new(options, model, layer));
        Ok(ExemplarCollector {
            options,
            model,
            layers: layers.collect::<Result<_>>()?,
        })
    }
}

impl Collector for ExemplarCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let output = batch.value(self.model.network.graph().output())?;
        let logits = &self.model.class_logits(output)?;
        for top in &mut self.layers {
            let activations = &self.model.map(top.layer, batch.value(top.layer)?)?;
            let maxima = max_activations(activations)?;
            top.selection.observe(batch.first, &maxima, logits)?;
            top.update(activations, batch.first, self.options)?;
        }
        Ok(())
    }

    fn state(&self) -> CollectorState {
        CollectorState::from_values(&self.layers)
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        self.layers = state.parse_values()?;
        Ok(())
    }

    fn append(&mut self, later: CollectorState) -> Result<()> {
        let later: Vec<TopActivations> = later.parse_values()?;
        for (own, later) in self.layers.iter_mut().zip(later) {
            own.append(later, self.options.top);
        }
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let model = self.model;
        for top in &self.layers {
            let name = model.layer(top.layer);
            progress.step(&format!("{}: exemplars of {name}", model.id));
            let selected = top.selection.selected();
            let views = self.views(top, &selected, member)?;
            let mut units = Vec::with_capacity(selected.len());
            for (unit, correlation) in selected {
                let exemplars = self.unit_exemplars(top, unit, &views, out)?;
                units.push(UnitExemplars {
                    correlation,
                    ..exemplars
                });
            }
            if self.options.maximize > 0 {
                self.maximise(top.layer, &mut units, out, progress)?;
            }
            let content = Content::Exemplars { units };
            let figure = model.figure("exemplars", Some(top.layer), content);
            out.figures.push(figure);
        }
        Ok(())
    }
}

impl ExemplarCollector<'_> {
    /// Reads the images of the selected units' exemplars again.
    fn views(
        &self,
        top: &TopActivations,
        selected: &[(usize, Option<f64>)],
        member: &dyn Fn(usize) -> CollectionImage,
    ) -> Result<Views> {
        let activations = selected.iter().flat_map(|(unit, _)| top.for_unit(*unit));
        let mut images: Vec<usize> = activations.map(|activation| activation.image).collect();
        images.sort_unstable();
        images.dedup();
        let members: Vec<(usize, CollectionImage)> = images
            .into_iter()
            .map(|index| (index, member(index)))
            .collect();
        let (preprocess, channels) = (&self.model.preprocess, self.model.channels());
        let views = members.into_par_iter().map(|(index, member)| {
            let image = member.decode()?;
            let view = preprocess.view_of(&image, channels)?;
            Ok((index, (member, view)))
        });
        views.collect()
    }

    /// Cuts out the patches of one unit, and projects its largest activation.
    fn unit_exemplars(
        &self,
        top: &TopActivations,
        unit: usize,
        views: &Views,
        out: &mut MethodOutput,
    ) -> Result<UnitExemplars> {
        let mut patches: Vec<u8> = Vec::new();
        let mut exemplars = Vec::new();
        for activation in top.for_unit(unit) {
            let Some((member, view)) = views.get(&activation.image) else {
                continue;
            };
            let window = self.receptive_field(top.layer, activation, view)?;
            let part = [window.left, window.top, window.width, window.height];
            let patch = thumbnail(&view.pixels, part.map(|pixels| pixels as u32), PATCH_SIDE);
            patches.extend_from_slice(patch.as_raw());
            exemplars.push(Exemplar {
                image: member.id.clone(),
                source: member.source.clone(),
                label: member.label.clone(),
                value: activation.value,
                position: [activation.y, activation.x],
                window,
            });
        }
        let layer_name = self.model.layer(top.layer);
        let key = format!("{}/exemplars/{layer_name}/{unit}", self.model.id);
        let side = PATCH_SIDE as usize;
        let array = Array::u8(&[exemplars.len(), side, side, 3], patches);
        out.tensors.insert(key.clone(), array);
        let largest = top.for_unit(unit).first();
        let largest = largest.and_then(|largest| Some((largest, views.get(&largest.image)?)));
        let projection = match largest {
            Some((largest, (_, view))) => {
                self.projection(top.layer, unit, largest, view, &key, out)?
            }
            None => None,
        };
        let silent = exemplars.iter().all(|exemplar| exemplar.value == 0.0);
        Ok(UnitExemplars {
            unit,
            correlation: None,
            patches: key,
            exemplars,
            projection,
            maximised: None,
            notes: silent
                .then(|| Note::new("note.silent_unit"))
                .into_iter()
                .collect(),
        })
    }

    /// The receptive field of an activation in `view`; all of it if the layer has no spatial positions.
    fn receptive_field(
        &self,
        layer: NodeId,
        activation: &Activation,
        view: &View,
    ) -> Result<Window> {
        let (width, height) = view.pixels.dimensions();
        if self.model.info[layer].is_spatial() {
            let graph = self.model.network.graph();
            let fields = ReceptiveFields::new(graph, layer, height.into(), width.into())?;
            Ok(fields.window([activation.y, activation.x]))
        } else {
            Ok(Window {
                left: 0,
                top: 0,
                width: width as usize,
                height: height as usize,
            })
        }
    }

    /// Makes an image for each unit by gradient ascent.
    fn maximise(
        &self,
        layer: NodeId,
        units: &mut [UnitExemplars],
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let model = self.model;
        let objective = |exemplars: &UnitExemplars| Objective {
            node: layer,
            unit: exemplars.unit,
            class: false,
            at: ActivationReduction::Channel,
        };
        let objectives: Vec<_> = units.iter().map(objective).collect();
        let options = AscentOptions {
            by: Parametrisation::Fourier,
            size: ascent_side(model.network.graph(), &model.info, DEFAULT_SIDE),
            steps: self.options.maximize,
            l2: 0.0,
        };
        progress.step(&format!(
            "{}: maximize {} units of {}",
            model.id,
            units.len(),
            model.layer(layer)
        ));
        let results = tch::with_grad(|| gradient_ascent(model, &objectives, &options, progress))?;
        for (exemplars, result) in units.iter_mut().zip(results) {
            let key = format!("{}/maximize", exemplars.patches);
            out.tensor(&key, &result.pixels)?;
            exemplars.maximised = Some(AscentImage {
                tensor: key,
                value: self.max_activation(layer, exemplars.unit, &result.pixels)?,
            });
        }
        Ok(())
    }

    /// The largest activation of a unit for an image `[C, side, side]` in 0…1: the measure of the patches.
    fn max_activation(&self, layer: NodeId, unit: usize, pixels: &Tensor) -> Result<f32> {
        let model = self.model;
        let per_channel = |values: &[f64]| {
            let values = Tensor::from_slice(values).view([-1, 1, 1]);
            values.to_device(model.device)
        };
        let input = pixels
            .f_to_device(model.device)?
            .f_sub(&per_channel(&model.preprocess.mean))?
            .f_div(&per_channel(&model.preprocess.std))?
            .f_to_kind(tch::Kind::Float)?
            .f_unsqueeze(0)?;
        let values = model.network.forward(&input, &[layer])?;
        let maxima = to_floats(&max_activations(&model.map(layer, values.value(layer)?)?)?)?;
        maxima.get(unit).copied().ok_or_else(|| {
            let message = format!("`{}` has no unit {unit}", model.layer(layer));
            Error::new(ErrorKind::Network, message)
        })
    }

    /// Projects a unit's activation to the pixels of its patch by the deconvnet. `None` if the network has no ReLU or the
    /// layer has no spatial positions.
    fn projection(
        &self,
        layer: NodeId,
        unit: usize,
        activation: &Activation,
        view: &View,
        key: &str,
        out: &mut MethodOutput,
    ) -> Result<Option<String>> {
        let model = self.model;
        if !model.network.has_relu() || !model.info[layer].is_spatial() {
            return Ok(None);
        }
        let input = model.input_of_views(&[view])?;
        let projector = Projector::new(model, &input, &[layer])?;
        let projection = projector.project(layer, unit, [activation.y, activation.x])?;
        let key = format!("{key}/deconvnet");
        out.tensor(&key, &projection.pixels)?;
        Ok(Some(key))
    }
}
