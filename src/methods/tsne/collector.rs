//! `tsne`'s pass: codes and thumbnails are gathered image by image; maps and what they are worth follow
//! at the end.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::groups::GroupKey;
use super::{Affinities, Tsne, components, descend, divergence, grid, layout};
use crate::compare::{PointSet, trustworthiness, vote};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Coded, Codes, Content, Kinds, KindsBy, Trust, Votes};
use crate::image::{Interpolation, Preprocess};
use crate::methods::{
    Batch, Collector, LoadedModel, CollectionMethod, Member, MethodOutput, State, to_array,
};
use crate::network::graph::NodeId;
use crate::network::labels::Labels;
use crate::progress::Progress;

/// Side of a stored thumbnail in pixels.
pub const THUMBNAIL: u32 = 48;

/// How many principal components t-SNE is given.
const COMPONENTS: usize = 50;
/// How many neighbours trustworthiness is about (van der Maaten 2009), where there are images enough.
const TRUSTED: usize = 12;
/// So many classes have colours that everyone can tell apart.
const CLASSES: usize = 8;
/// The grid of more images than this would take longer than the map: the assignment's cost is cubic.
const GRID: usize = 1600;

/// What is kept while the images pass by.
pub struct Looking<'a> {
    options: &'a Tsne,
    subject: &'a LoadedModel,
    layers: Vec<NodeId>,
    kept: NodeValues,
    /// Of each layer, row by row.
    codes: Vec<Vec<f32>>,
    /// 8-bit, one after the other.
    thumbnails: Vec<u8>,
}

/// What of it is no tensor.
#[derive(Debug, Default, Serialize, Deserialize)]
struct NodeValues {
    /// The images' places in the collection.
    images: Vec<usize>,
    /// How many numbers a code of each layer has.
    dims: Vec<usize>,
}

impl<'a> Looking<'a> {
    pub fn new(options: &'a Tsne, subject: &'a LoadedModel, layers: &[NodeId]) -> Self {
        Looking {
            options,
            subject,
            layers: layers.to_vec(),
            kept: NodeValues {
                images: Vec::new(),
                dims: vec![0; layers.len()],
            },
            codes: vec![Vec::new(); layers.len()],
            thumbnails: Vec::new(),
        }
    }
}

impl Collector for Looking<'_> {
    fn see(&mut self, batch: &Batch) -> Result<()> {
        for (number, &layer) in self.layers.iter().enumerate() {
            let codes = to_array(&code(batch.value(layer)?)?)?;
            let floats = codes.floats().unwrap_or_default();
            self.kept.dims[number] = floats.len() / batch.members.len().max(1);
            self.codes[number].extend_from_slice(floats);
        }
        let small = Preprocess {
            resize: Some(THUMBNAIL),
            crop: Some(THUMBNAIL),
            interpolation: Interpolation::Bilinear,
            ..Preprocess::imagenet()
        };
        for view in batch.views {
            self.thumbnails.extend(small.view(view)?.as_raw());
        }
        let places = batch.first..batch.first + batch.members.len();
        self.kept.images.extend(places);
        Ok(())
    }

    fn state(&self) -> State {
        let count = self.kept.images.len();
        let layers = self.layers.iter().zip(&self.kept.dims).zip(&self.codes);
        let mut state = State {
            numbers: serde_json::to_value(&self.kept).unwrap_or_default(),
            tensors: layers
                .map(|((&layer, &dims), codes)| {
                    let key = format!("codes/{}", self.subject.layer(layer));
                    (key, Array::f32(&[count, dims], codes.clone()))
                })
                .collect(),
        };
        let pixels = Array::u8(&thumbnails(count), self.thumbnails.clone());
        state.tensors.insert("thumbnails".into(), pixels);
        state
    }

    fn go_on(&mut self, mut state: State) -> Result<()> {
        let foreign = || Error::new(ErrorKind::Io, "these are no codes of this network's layers");
        let kept: NodeValues = serde_json::from_value(state.numbers).map_err(|_| foreign())?;
        let count = kept.images.len();
        if kept.dims.len() != self.layers.len() {
            return Err(foreign());
        }
        let mut codes = Vec::with_capacity(self.layers.len());
        for (&layer, &dims) in self.layers.iter().zip(&kept.dims) {
            let key = format!("codes/{}", self.subject.layer(layer));
            let array = state.tensors.remove(&key).ok_or_else(foreign)?;
            match array.floats() {
                Some(floats) if array.shape == [count, dims] => codes.push(floats.to_vec()),
                _ => return Err(foreign()),
            }
        }
        let pixels = state.tensors.remove("thumbnails").ok_or_else(foreign)?;
        self.thumbnails = match pixels.bytes() {
            Some(bytes) if pixels.shape == thumbnails(count) => bytes.to_vec(),
            _ => return Err(foreign()),
        };
        (self.kept, self.codes) = (kept, codes);
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> Member,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let count = self.kept.images.len();
        // Images that could not be read are not among them.
        self.options.check_collection(count)?;
        let coded = |&place: &usize| {
            let member = member(place);
            Coded {
                id: member.id,
                label: member.label,
                kind: None,
            }
        };
        let images = self.kept.images.iter().map(coded).collect();
        let (images, kinds) = kinds(images, &self.subject.labels);
        // Networks that see alike have the same thumbnails: one tensor for all of them.
        let sum = blake3::hash(&self.thumbnails).to_hex();
        let pixels = format!("_thumbnails/{}", &sum[..16]);
        let array = Array::u8(&thumbnails(count), self.thumbnails.clone());
        out.tensors.insert(pixels.clone(), array);
        for (number, &layer) in self.layers.iter().enumerate() {
            let name = self.subject.layer(layer);
            let codes = PointSet::new(&self.codes[number], self.kept.dims[number])?;
            progress.step(&format!(
                "{}: a map of {count} images by `{name}`",
                self.subject.id
            ));
            let key = format!("{}/tsne/{name}", self.subject.id);
            let found = self.map(&key, codes, &images, &kinds, out, progress)?;
            let content = Content::Codes(Box::new(Codes {
                thumbnails: pixels.clone(),
                images: images.clone(),
                kinds: kinds.clone(),
                ..found
            }));
            let figure = self.subject.figure("tsne", Some(layer), content);
            out.figures.push(figure);
        }
        Ok(())
    }
}

impl Looking<'_> {
    /// The map of one layer's codes, its tensors stored under `key`.
    fn map(
        &self,
        key: &str,
        codes: PointSet,
        images: &[Coded],
        kinds: &Option<Kinds>,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<Codes> {
        let count = codes.len();
        let reduced = components(&codes, COMPONENTS)?;
        let perplexity = self.options.perplexity.of(count);
        let p = Affinities::new(&PointSet::new(&reduced.values, reduced.dims)?, perplexity)?;
        let start = layout(&reduced, self.subject.seed)?;
        let values = descend(&p, &start, self.options.epochs, progress)?;
        let map = PointSet::new(&values, 2)?;
        let every = count.div_ceil(GRID);
        let some: Vec<f32> = (0..count)
            .step_by(every)
            .flat_map(|at| map.row(at))
            .copied()
            .collect();
        let cells = grid(&PointSet::new(&some, 2)?)?;
        let trusted = TRUSTED.min((count - 1) / 2);
        let trust = Trust {
            neighbours: trusted,
            value: trustworthiness(&codes, &map, trusted)?,
        };
        let store = |out: &mut MethodOutput, name: &str, dims: usize, values: Vec<f32>| {
            let key = format!("{key}/{name}");
            let array = Array::f32(&[values.len() / dims, dims], values);
            out.tensors.insert(key.clone(), array);
            key
        };
        let cells = cells.into_iter().flat_map(|(x, y)| [x as f32, y as f32]);
        Ok(Codes {
            dims: codes.dims(),
            components: reduced.dims,
            share: reduced.share,
            perplexity,
            epochs: self.options.epochs,
            divergence: divergence(&p, &map)?,
            trust,
            votes: self.votes(codes, map, images, kinds)?,
            every,
            codes: store(out, "codes", codes.dims(), codes.values().to_vec()),
            grid: store(out, "grid", 2, cells.collect()),
            map: store(out, "map", 2, values.clone()),
            ..Codes::default()
        })
    }

    /// How well neighbours agree, by what the map is coloured by; where that is nothing, by class.
    fn votes(
        &self,
        codes: PointSet,
        map: PointSet,
        images: &[Coded],
        kinds: &Option<Kinds>,
    ) -> Result<Option<Votes>> {
        let by = kinds.as_ref().map_or(KindsBy::Class, |kinds| kinds.by);
        let of = |image: &Coded| match kinds {
            Some(_) => image.kind,
            None => image.label.as_ref().map(|label| label.index),
        };
        let known: Vec<(usize, usize)> = (0..)
            .zip(images)
            .filter_map(|(at, i)| Some((at, of(i)?)))
            .collect();
        let mut sizes = BTreeMap::new();
        for (_, kind) in &known {
            *sizes.entry(*kind).or_insert(0_usize) += 1;
        }
        // A single kind, or none twice: the vote can only come out one way.
        let votable = sizes.len() > 1 && sizes.values().any(|size| *size > 1);
        if !votable || known.len() <= self.options.neighbours {
            return Ok(None);
        }
        let classes: Vec<usize> = known.iter().map(|(_, kind)| *kind).collect();
        let among = |points: PointSet| {
            let rows = known.iter().flat_map(|(at, _)| points.row(*at)).copied();
            let rows: Vec<f32> = rows.collect();
            vote(
                &PointSet::new(&rows, points.dims())?,
                &classes,
                self.options.neighbours,
            )
        };
        let (codes, map) = (among(codes)?, among(map)?);
        Ok(Some(Votes {
            by,
            neighbours: self.options.neighbours,
            images: known.len(),
            codes: codes.accuracy,
            map: map.accuracy,
            chance: codes.chance,
        }))
    }
}

/// The shape of `count` thumbnails.
fn thumbnails(count: usize) -> [usize; 4] {
    let side = THUMBNAIL as usize;
    [count, side, side, 3]
}

/// `[N, d]` as it is, `[N, C, h, w]` averaged over the places.
fn code(values: &Tensor) -> Result<Tensor> {
    let values = values.f_detach()?;
    Ok(match values.dim() {
        0..=2 => values,
        _ => values
            .f_flatten(2, -1)?
            .f_mean_dim([2i64].as_slice(), false, Kind::Float)?,
    })
}

/// What the images are told apart by: their classes where these are few, ImageNet's by groups, else
/// nothing.
fn kinds(mut images: Vec<Coded>, labels: &Labels) -> (Vec<Coded>, Option<Kinds>) {
    let mut classes = BTreeMap::new();
    for label in images.iter().filter_map(|image| image.label.as_ref()) {
        classes.insert(label.index, label.name.clone());
    }
    if classes.is_empty() {
        return (images, None);
    }
    if classes.len() <= CLASSES {
        let order: Vec<usize> = classes.keys().copied().collect();
        for image in &mut images {
            let label = image.label.as_ref();
            image.kind = label.and_then(|label| order.binary_search(&label.index).ok());
        }
        let names = classes.into_values().collect();
        let by = KindsBy::Class;
        return (images, Some(Kinds { by, names }));
    }
    if *labels != Labels::imagenet() {
        return (images, None);
    }
    for image in &mut images {
        let label = image.label.as_ref();
        image.kind = label.map(|label| GroupKey::of(label.index) as usize);
    }
    let names = GroupKey::ALL.map(|group| group.word().to_owned()).to_vec();
    let by = KindsBy::Group;
    (images, Some(Kinds { by, names }))
}
