//! `exemplars`: the patches of a large set of images that excite a unit most (Girshick et al. 2014,
//! <https://arxiv.org/abs/1311.2524>).
//!
//! **What it shows.** What a unit (a channel of a layer) looks for, by what it finds: the images in
//! which it answers most, cut down to what it can see there.
//! **How it is computed.** The whole collection goes through the network once. For every unit the
//! strongest places are kept, not more than `per_image` of each image; at the end the best ones are cut
//! out of what the network saw, by the receptive field around that place. A field that reaches over
//! the border is moved inside; one larger than the picture is the picture. Layers without places see all of it.
//! Beside them stand the best patch's answer taken back to the pixels ([`deconvnet`](super::deconvnet)) and a
//! picture made for the unit by gradient ascent ([`super::maximize`]).
//! **How to read it.** What the patches of a unit have in common is what it may stand for; the values
//! say how fast its answer falls off from the best.
//! **What it can't show.** What else excites the unit less; and a patch is all that *can* matter to
//! the unit, mostly its middle does.
//! **Options.** `layers`; `units` (a number drawn with the seed, a list, or those of a class); `top`;
//! `per_image`; `maximize`, the steps of the ascent. **Cost.** One forward pass an image; then `maximize`
//! forward and backward passes a unit at 128 × 128. Memory does not grow with the collection.

use std::collections::BTreeMap;

use image::RgbImage;
use rayon::prelude::*;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::deconvnet::Projector;
use super::units::{Chooser, Units, peaks};
use super::{Batch, Collector, LoadedModel, Member, Method, MethodOutput, State, maximize, to_array, MethodInfo, CollectionMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Card, Content, Exemplar, Maximised, Note};
use crate::image::DecodedImage;
use crate::image::Window;
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::receptive_field::ReceptiveFields;
use crate::progress::Progress;

/// Side of a stored patch in pixels.
const PATCH: u32 = 96;

/// Side of a maximised picture in pixels.
const MAXIMISED: u32 = 128;

/// Which layers and units, and how many patches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Exemplars {
    /// The layers whose units are shown, by selector.
    pub layers: Vec<LayerSelector>,
    /// How many units of each layer (drawn with the seed), which ones, or those of a class.
    pub units: Units,
    /// At most so many patches a unit, the strongest first.
    #[schemars(range(min = 1, max = 100))]
    pub top: usize,
    /// At most so many of them from one image.
    #[schemars(range(min = 1, max = 100))]
    pub per_image: usize,
    /// Steps of gradient ascent for each unit's picture (see `maximize`); 0 leaves the picture out.
    #[schemars(range(max = 10000))]
    pub maximize: u32,
}

impl Default for Exemplars {
    fn default() -> Self {
        let layers = ["stage3", "stage4"];
        Exemplars {
            layers: layers.map(|name| LayerSelector(name.into())).to_vec(),
            units: Units::Drawn(4),
            top: 9,
            per_image: 1,
            maximize: 128,
        }
    }
}

super::at_layers::at_layers!(Exemplars);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "exemplars",
    title: "Exemplars",
    summary: "the patches of a large set of images that excite a unit most (Girshick et al. 2014), with the best one propagated back to the pixels and an image that maximises the unit",
    read: "For each unit, the patches of the collection with its largest activations, each cropped to the receptive field of its strongest position, the strongest first; what they have in common is what the unit may detect.",
    limit: "A unit also has weaker activations for other things, and mostly the middle of its patch counts; where the receptive field is as large as the image, the patch is the image.",
    papers: &[
        "Girshick, R., Donahue, J., Darrell, T., and Malik, J. (2014). Rich feature hierarchies for accurate object detection and semantic segmentation. CVPR. arXiv:1311.2524",
    ],
};

impl Method for Exemplars {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn spatial(&self) -> bool {
        false
    }

    fn classes(&self) -> Vec<String> {
        self.units.class().into_iter().collect()
    }

    fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        for (count, key) in [(self.top, "top"), (self.per_image, "per_image")] {
            if !(1..=100).contains(&count) {
                let message = format!("`{key}` is {count}");
                return Err(Error::new(ErrorKind::Network, message).help("it goes from 1 to 100"));
            }
        }
        if self.maximize > 10_000 {
            let message = format!("`maximize` is {}", self.maximize);
            let help = "it is a number of steps, up to 10000; 0 leaves the pictures out";
            return Err(Error::new(ErrorKind::Network, message).help(help));
        }
        self.units.check(graph, info, layers)
    }

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

impl CollectionMethod for Exemplars {
    fn collector<'a>(
        &'a self,
        subject: &'a LoadedModel,
        layers: &[NodeId],
    ) -> Result<Box<dyn Collector + 'a>> {
        let looked = layers.iter().map(|&layer| {
            let count = subject.info[layer].shape[0] as usize;
            let chooser = Chooser::new(&self.units, subject, layer, count)?;
            let kept = match self.units {
                // Which ones they are shows only at the end.
                Units::OfClass(_) => (0..count).collect(),
                _ => chooser.chosen().into_iter().map(|(unit, _)| unit).collect(),
            };
            Ok(Looked {
                layer,
                chooser,
                best: vec![Vec::new(); Vec::len(&kept)],
                kept,
            })
        });
        Ok(Box::new(Looking {
            options: self,
            subject,
            layers: looked.collect::<Result<_>>()?,
        }))
    }
}

/// One place where a unit answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Place {
    value: f32,
    /// The image's place in the collection.
    image: usize,
    y: usize,
    x: usize,
}

/// What is kept of one layer.
#[derive(Debug, Serialize, Deserialize)]
struct Looked {
    layer: NodeId,
    chooser: Chooser,
    /// The units that are watched.
    kept: Vec<usize>,
    /// Their strongest places, the strongest first, at most `top`.
    best: Vec<Vec<Place>>,
}

struct Looking<'a> {
    options: &'a Exemplars,
    subject: &'a LoadedModel,
    layers: Vec<Looked>,
}

impl Collector for Looking<'_> {
    fn see(&mut self, batch: &Batch) -> Result<()> {
        let output = self.subject.network.graph().output();
        let logits = batch.value(output)?;
        for looked in &mut self.layers {
            let values = batch.value(looked.layer)?;
            looked.chooser.see(&peaks(values)?, logits)?;
            looked.look(values, batch.first, self.options)?;
        }
        Ok(())
    }

    fn state(&self) -> State {
        State::of(&self.layers)
    }

    fn go_on(&mut self, state: State) -> Result<()> {
        self.layers = state.kept()?;
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> Member,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        for looked in &self.layers {
            let subject = self.subject;
            let name = subject.layer(looked.layer);
            progress.step(&format!("{}: exemplars of {name}", subject.id));
            let units = looked.chooser.chosen();
            let views = self.views(looked, &units, member)?;
            let mut cards = Vec::new();
            for (unit, correlation) in &units {
                cards.push(self.card(looked, *unit, *correlation, &views, out)?);
            }
            self.maximise(looked.layer, &mut cards, out, progress)?;
            let content = Content::Cards { cards };
            out.figures
                .push(subject.figure("exemplars", Some(looked.layer), content));
        }
        Ok(())
    }
}

impl Looked {
    /// Takes up the strongest places of a batch `[N, C, h, w]` or `[N, C]`.
    fn look(&mut self, values: &Tensor, first: usize, options: &Exemplars) -> Result<()> {
        let [images, _, rest @ ..] = &values.size()[..] else {
            return Ok(());
        };
        let (images, width) = (*images, rest.last().copied().unwrap_or(1));
        let index: Vec<i64> = self.kept.iter().map(|&unit| unit as i64).collect();
        let values = values
            .f_index_select(1, &Tensor::from_slice(&index).to(values.device()))?
            .f_reshape([images, index.len() as i64, -1])?;
        let several = (options.per_image as i64).min(values.size()[2]);
        let (tops, places) = match several {
            1 => values.f_max_dim(2, true)?,
            _ => values.f_topk(several, 2, true, true)?,
        };
        let tops = Vec::<f32>::try_from(tops.f_flatten(0, -1)?.f_to_kind(Kind::Float)?)?;
        let places = Vec::<i64>::try_from(places.f_flatten(0, -1)?)?;
        let all = tops.iter().zip(&places).enumerate();
        for (at, (&value, &place)) in all {
            let unit = at / several as usize % self.kept.len();
            let place = Place {
                value,
                image: first + at / several as usize / self.kept.len(),
                y: (place / width) as usize,
                x: (place % width) as usize,
            };
            take(&mut self.best[unit], place, options.top);
        }
        Ok(())
    }
}

/// Puts `place` among the `best`, if it is one of the `most` strongest; of equals the earlier stays first.
fn take(best: &mut Vec<Place>, place: Place, most: usize) {
    let full = best.len() == most;
    if !place.value.is_finite() || (full && best.last().is_none_or(|l| l.value >= place.value)) {
        return;
    }
    let at = best.partition_point(|other| other.value >= place.value);
    best.insert(at, place);
    best.truncate(most);
}

impl Looking<'_> {
    /// What the network saw of every image that a card needs, read again.
    fn views(
        &self,
        looked: &Looked,
        units: &[(usize, Option<f64>)],
        member: &dyn Fn(usize) -> Member,
    ) -> Result<BTreeMap<usize, (Member, RgbImage)>> {
        let mut wanted: Vec<usize> = units
            .iter()
            .flat_map(|(unit, _)| looked.of(*unit))
            .map(|place| place.image)
            .collect();
        wanted.sort_unstable();
        wanted.dedup();
        let members: Vec<(usize, Member)> = wanted.iter().map(|&at| (at, member(at))).collect();
        let preprocess = &self.subject.preprocess;
        let views = members.into_par_iter().map(|(at, member)| {
            let view = preprocess.view(&DecodedImage::open(&member.path)?.pixels)?;
            Ok((at, (member, view)))
        });
        views.collect()
    }

    fn card(
        &self,
        looked: &Looked,
        unit: usize,
        correlation: Option<f64>,
        views: &BTreeMap<usize, (Member, RgbImage)>,
        out: &mut MethodOutput,
    ) -> Result<Card> {
        let subject = self.subject;
        let mut patches: Vec<u8> = Vec::new();
        let mut exemplars = Vec::new();
        for place in looked.of(unit) {
            let Some((member, view)) = views.get(&place.image) else {
                continue;
            };
            let window = self.window(looked.layer, place, view)?;
            let part = [window.left, window.top, window.width, window.height].map(|at| at as u32);
            patches.extend_from_slice(crate::image::thumbnail(view, part, PATCH).as_raw());
            exemplars.push(Exemplar {
                image: member.id.clone(),
                source: member.source.clone(),
                label: member.label.clone(),
                value: place.value,
                place: [place.y, place.x],
                window,
            });
        }
        let key = format!(
            "{}/exemplars/{}/{unit}",
            subject.id,
            subject.layer(looked.layer)
        );
        let side = PATCH as usize;
        let array = Array::u8(&[exemplars.len(), side, side, 3], patches);
        out.tensors.insert(key.clone(), array);
        let best = looked
            .of(unit)
            .first()
            .and_then(|place| Some((place, views.get(&place.image)?)));
        let projection = match best {
            Some((place, (_, view))) => {
                self.projection(looked.layer, unit, place, view, &key, out)?
            }
            None => None,
        };
        let silent = exemplars.iter().all(|exemplar| exemplar.value == 0.0);
        Ok(Card {
            unit,
            correlation,
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
}

impl Looking<'_> {
    /// What a place of a layer sees of `view`: all of it, where the layer has no places any more.
    fn window(&self, layer: NodeId, place: &Place, view: &RgbImage) -> Result<Window> {
        let (width, height) = view.dimensions();
        match self.subject.info[layer].is_spatial() {
            true => {
                let graph = self.subject.network.graph();
                let fields = ReceptiveFields::new(graph, layer, height.into(), width.into())?;
                Ok(fields.window([place.y, place.x]))
            }
            false => Ok(Window {
                left: 0,
                top: 0,
                width: width as usize,
                height: height as usize,
            }),
        }
    }

    /// For every card the picture that excites its unit most, by gradient ascent.
    fn maximise(
        &self,
        layer: NodeId,
        cards: &mut [Card],
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        if self.options.maximize == 0 {
            return Ok(());
        }
        let subject = self.subject;
        let objective = |card: &Card| maximize::Objective {
            node: layer,
            unit: card.unit,
            at: maximize::At::Channel,
        };
        let objectives: Vec<_> = cards.iter().map(objective).collect();
        let options = maximize::Options {
            by: maximize::By::Fourier,
            size: MAXIMISED,
            steps: self.options.maximize,
            l2: 0.0,
        };
        progress.step(&format!(
            "{}: pictures that excite {} units of {}",
            subject.id,
            cards.len(),
            subject.layer(layer)
        ));
        let pictures =
            tch::with_grad(|| maximize::ascend(subject, &objectives, &options, progress))?;
        for (card, picture) in cards.iter_mut().zip(pictures) {
            let key = format!("{}/maximize", card.patches);
            out.tensor(&key, &picture.pixels)?;
            // The same measure as the patches': the strongest place.
            let mean = Tensor::from_slice(&subject.preprocess.mean).view([3, 1, 1]);
            let std = Tensor::from_slice(&subject.preprocess.std).view([3, 1, 1]);
            let input = picture
                .pixels
                .f_sub(&mean.to_device(subject.device))?
                .f_div(&std.to_device(subject.device))?
                .f_to_kind(Kind::Float)?
                .f_unsqueeze(0)?;
            let kept = subject.network.forward(&input, &[layer])?;
            let peaks = to_array(&peaks(kept.value(layer)?)?)?;
            let value = peaks.floats().and_then(|all| all.get(card.unit).copied());
            card.maximised = Some(Maximised {
                tensor: key,
                value: value.unwrap_or_default(),
            });
        }
        Ok(())
    }

    /// The unit's strongest answer taken back to the pixels of its patch, if the network's ReLUs and
    /// the layer's places allow it.
    fn projection(
        &self,
        layer: NodeId,
        unit: usize,
        place: &Place,
        view: &RgbImage,
        key: &str,
        out: &mut MethodOutput,
    ) -> Result<Option<String>> {
        let subject = self.subject;
        if !subject.network.has_relu() || !subject.info[layer].is_spatial() {
            return Ok(None);
        }
        let shape = [1, 3, view.height().into(), view.width().into()];
        let input = Tensor::from_slice(&subject.preprocess.normalise(view))
            .f_view(shape)?
            .f_to_device(subject.device)?;
        let projector = Projector::new(subject, &input, &[layer])?;
        let found = projector.project(layer, unit, [place.y, place.x])?;
        let key = format!("{key}/deconvnet");
        out.tensor(&key, &found.pixels)?;
        Ok(Some(key))
    }
}

impl Looked {
    /// The strongest places of a unit that was watched.
    fn of(&self, unit: usize) -> &[Place] {
        let at = self.kept.iter().position(|&kept| kept == unit);
        at.and_then(|at| self.best.get(at))
            .map_or(&[], Vec::as_slice)
    }
}
