//! Collects the codes of a collection's images batch by batch, with thumbnails of some, and maps them after the last one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::code_chunks::CodeChunks;
use super::layer_atlas::LayerAtlas;
use super::options::Atlas as Options;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Atlas, ClassInfo, Content};
use crate::methods::image_sample::ImageSample;
use crate::methods::tsne::{
    ClassGroups, THUMBNAIL_SIDE, check_perplexity, class_groups, code, thumbnail_preprocess,
};
use crate::methods::{
    Batch, CollectionImage, Collector, CollectorState, LoadedModel, MethodOutput, RowFile, Scratch,
    to_floats,
};
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// The most images with a thumbnail.
const MAX_THUMBNAILS: usize = 5000;
/// The key of the thumbnails in a state.
const THUMBNAILS: &str = "thumbnails";

/// Collects the codes of one network.
pub(super) struct AtlasCollector<'a> {
    options: &'a Options,
    model: &'a LoadedModel,
    layers: Vec<NodeId>,
    index: AtlasIndex,
    /// For each layer, the codes, a row of float32 for each image.
    codes: Vec<RowFile>,
    /// Which images have a thumbnail as far as is known.
    sample: ImageSample,
    /// 8-bit, `[side, side, 3]`: more than are kept in the end.
    thumbnails: RowFile,
}

/// The images' indices in the collection.
#[derive(Debug, Default, Serialize, Deserialize)]
struct AtlasIndex {
    /// Those that have been collected.
    images: Vec<usize>,
    /// Those of the thumbnails.
    thumbnails: Vec<usize>,
}

impl<'a> AtlasCollector<'a> {
    /// # Errors
    /// If the files of the codes can't be created.
    pub fn new(
        options: &'a Options,
        model: &'a LoadedModel,
        layers: &[NodeId],
        scratch: &Scratch,
    ) -> Result<Self> {
        let codes = layers
            .iter()
            .map(|&layer| scratch.rows(&codes_key(model, layer)));
        Ok(AtlasCollector {
            options,
            model,
            layers: layers.to_vec(),
            index: AtlasIndex::default(),
            codes: codes.collect::<Result<_>>()?,
            sample: ImageSample::new(MAX_THUMBNAILS, model.seed),
            thumbnails: scratch.rows(THUMBNAILS)?,
        })
    }

    /// The codes and thumbnails of a state.
    fn rows_of(&self, state: &mut CollectorState) -> Result<(Vec<RowFile>, RowFile)> {
        let mut take = |key: &str| {
            let found = state.rows.remove(key);
            found.ok_or_else(|| Error::new(ErrorKind::Io, format!("the state has no `{key}`")))
        };
        let codes = self
            .layers
            .iter()
            .map(|&layer| take(&codes_key(self.model, layer)));
        let codes = codes.collect::<Result<_>>()?;
        Ok((codes, take(THUMBNAILS)?))
    }

    /// Stores what all layers share: the images with their ids and classes, the thumbnails.
    fn shared(
        &self,
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
    ) -> Result<Shared> {
        let mut classes = BTreeMap::new();
        let (mut ids, mut images, mut labels) = (Vec::new(), Vec::new(), Vec::new());
        for &index in &self.index.images {
            let member = member(index);
            let class = member.label.as_ref().map(|label| label.index);
            if let Some(label) = member.label {
                classes.insert(label.index, label.name);
            }
            ids.extend(member.id.replace('\n', " ").into_bytes());
            ids.push(b'\n');
            images.extend([index as f32, class.map_or(-1.0, |class| class as f32)]);
            labels.push(class);
        }
        let groups = class_groups(&classes, &self.model.labels);
        let [thumbnails, with_thumbnail] = self.thumbnails()?;
        let mut store = |name: &str, array: Array| {
            // Networks that store the same share one tensor.
            let key = format!("_atlas/{name}-{}", array_hash(&array));
            out.tensors.insert(key.clone(), array);
            key
        };
        let atlas = Atlas {
            images: store("images", Array::f32(&[labels.len(), 2], images)),
            ids: store("ids", Array::u8(&[ids.len()], ids)),
            thumbnails: store("thumbnails", thumbnails),
            with_thumbnail: store("with_thumbnail", with_thumbnail),
            group_of_class: groups
                .iter()
                .flat_map(|found| found.of_class.values().copied())
                .collect(),
            groups: groups.as_ref().map(|found| found.groups.clone()),
            classes: classes
                .into_iter()
                .map(|(index, name)| ClassInfo { index, name })
                .collect(),
            ..Atlas::default()
        };
        Ok(Shared {
            atlas,
            labels,
            groups,
        })
    }

    /// The thumbnails, and the rows of their images.
    fn thumbnails(&self) -> Result<[Array; 2]> {
        let images = self.index.images.iter().copied();
        let sample = ImageSample::of(MAX_THUMBNAILS, self.model.seed, images);
        let mut pixels = Vec::new();
        let mut rows = Vec::new();
        for (row, image) in self.index.thumbnails.iter().enumerate() {
            let at = self.index.images.binary_search(image);
            if let (Ok(_), Ok(at)) = (sample.images().binary_search(image), at) {
                pixels.extend(self.thumbnails.bytes(row, 1)?);
                rows.push(at as f32);
            }
        }
        let side = THUMBNAIL_SIDE as usize;
        Ok([
            Array::u8(&[rows.len(), side, side, 3], pixels),
            Array::f32(&[rows.len()], rows),
        ])
    }
}

/// The key of a layer's codes in a state.
fn codes_key(model: &LoadedModel, layer: NodeId) -> String {
    format!("codes-{}", model.layer(layer))
}

/// The first digits of a hash of an array's values.
fn array_hash(array: &Array) -> String {
    let mut hasher = blake3::Hasher::new();
    for value in array.floats().unwrap_or_default() {
        hasher.update(&value.to_le_bytes());
    }
    hasher.update(array.bytes().unwrap_or_default());
    hasher.finalize().to_hex()[..16].to_owned()
}

/// What all layers of a network share.
struct Shared {
    /// The fields of the images alone.
    atlas: Atlas,
    /// The true class of each image.
    labels: Vec<Option<usize>>,
    groups: Option<ClassGroups>,
}

impl Collector for AtlasCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let count = batch.members.len();
        for (codes, &layer) in self.codes.iter_mut().zip(&self.layers) {
            let map = self.model.map(layer, batch.value(layer)?)?;
            codes.push_floats(count, &to_floats(&code(&map)?)?)?;
        }
        let thumbnail = thumbnail_preprocess();
        for (view, index) in batch.views.iter().zip(batch.first..) {
            if self.sample.add(index) {
                self.thumbnails.push(1, thumbnail.view(view)?.as_raw())?;
                self.index.thumbnails.push(index);
            }
            self.index.images.push(index);
        }
        self.sample.thin();
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let mut state = CollectorState::from_values(&self.index);
        for (codes, &layer) in self.codes.iter().zip(&self.layers) {
            let key = codes_key(self.model, layer);
            state.rows.insert(key, codes.clone());
        }
        let thumbnails = self.thumbnails.clone();
        state.rows.insert(THUMBNAILS.to_owned(), thumbnails);
        state
    }

    fn resume(&mut self, mut state: CollectorState) -> Result<()> {
        let rows = self.rows_of(&mut state)?;
        self.index = state.parse_values()?;
        (self.codes, self.thumbnails) = rows;
        let images = self.index.images.iter().copied();
        self.sample = ImageSample::of(MAX_THUMBNAILS, self.model.seed, images);
        Ok(())
    }

    fn append(&mut self, mut later: CollectorState) -> Result<()> {
        let (codes, thumbnails) = self.rows_of(&mut later)?;
        let index: AtlasIndex = later.parse_values()?;
        for (own, later) in self.codes.iter_mut().zip(&codes) {
            own.append(later)?;
        }
        self.thumbnails.append(&thumbnails)?;
        // The thumbnails of those that leave the sample stay, until the end.
        for &image in &index.images {
            self.sample.add(image);
        }
        self.sample.thin();
        self.index.images.extend(index.images);
        self.index.thumbnails.extend(index.thumbnails);
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        // Images that could not be read are missing here.
        let count = self.index.images.len();
        check_perplexity(self.options.perplexity, count)?;
        let shared = self.shared(member, out)?;
        for (codes, &layer) in self.codes.iter().zip(&self.layers) {
            let name = self.model.layer(layer);
            progress.step(&format!(
                "{}: atlas of {count} images by `{name}`",
                self.model.id
            ));
            let layer_atlas = LayerAtlas {
                options: self.options,
                codes: &CodeChunks(codes),
                labels: &shared.labels,
                groups: shared.groups.as_ref(),
                seed: self.model.seed,
            };
            let key = format!("{}/atlas/{name}", self.model.id);
            let own = layer_atlas.compute(&key, out, progress)?;
            let common = shared.atlas.clone();
            let content = Content::Atlas(Box::new(Atlas {
                images: common.images,
                ids: common.ids,
                thumbnails: common.thumbnails,
                with_thumbnail: common.with_thumbnail,
                classes: common.classes,
                groups: common.groups,
                group_of_class: common.group_of_class,
                ..own
            }));
            out.figures
                .push(self.model.figure("atlas", Some(layer), content));
        }
        Ok(())
    }
}
