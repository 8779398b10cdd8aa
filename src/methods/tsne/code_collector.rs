//! Collects the codes and thumbnails of a collection's images batch by batch, and maps them after the last one.

use tch::{Kind, Tensor};

use super::image_groups::group_images;
use super::layer_map::{LayerMap, check_image_count};
use super::options::Tsne;
use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, CodedImage, Codes, Content};
use crate::image::{Interpolation, Preprocess};
use crate::methods::{
    Batch, CollectionImage, Collector, CollectorState, LoadedModel, MethodOutput, RowFile, Scratch,
    to_floats,
};
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// Side of a stored thumbnail in pixels.
pub const THUMBNAIL_SIDE: u32 = 48;

/// Collects the codes of one network.
pub(super) struct CodeCollector<'a> {
    options: &'a Tsne,
    model: &'a LoadedModel,
    layers: Vec<NodeId>,
    /// The images' indices in the collection.
    images: Vec<usize>,
    /// For each layer, the codes, a row of float32 for each image.
    codes: Vec<RowFile>,
    /// 8-bit, `[side, side, 3]` for each image.
    thumbnails: RowFile,
}

/// The key of the thumbnails in a state.
const THUMBNAILS: &str = "thumbnails";

impl<'a> CodeCollector<'a> {
    /// # Errors
    /// If the files of the codes can't be created.
    pub fn new(
        options: &'a Tsne,
        model: &'a LoadedModel,
        layers: &[NodeId],
        scratch: &Scratch,
    ) -> Result<Self> {
        let codes = layers
            .iter()
            .map(|&layer| scratch.rows(&codes_key(model, layer)));
        Ok(CodeCollector {
            options,
            model,
            layers: layers.to_vec(),
            images: Vec::new(),
            codes: codes.collect::<Result<_>>()?,
            thumbnails: scratch.rows(THUMBNAILS)?,
        })
    }
}

/// The key of a layer's codes in a state.
fn codes_key(model: &LoadedModel, layer: NodeId) -> String {
    format!("codes-{}", model.layer(layer))
}

impl Collector for CodeCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let count = batch.members.len();
        for (codes, &layer) in self.codes.iter_mut().zip(&self.layers) {
            let map = self.model.map(layer, batch.value(layer)?)?;
            codes.push_floats(count, &to_floats(&code(&map)?)?)?;
        }
        let thumbnail = thumbnail_preprocess();
        let mut pixels = Vec::new();
        for view in batch.views {
            pixels.extend_from_slice(thumbnail.view(view)?.as_raw());
        }
        self.thumbnails.push(count, &pixels)?;
        self.images.extend(batch.first..batch.first + count);
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let mut state = CollectorState::from_values(&self.images);
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
        self.images = state.parse_values()?;
        (self.codes, self.thumbnails) = rows;
        Ok(())
    }

    fn append(&mut self, mut later: CollectorState) -> Result<()> {
        let (codes, thumbnails) = self.rows_of(&mut later)?;
        for (own, later) in self.codes.iter_mut().zip(&codes) {
            own.append(later)?;
        }
        self.thumbnails.append(&thumbnails)?;
        self.images.extend(later.parse_values::<Vec<usize>>()?);
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let count = self.images.len();
        // Images that could not be read are missing here.
        check_image_count(self.options, count)?;
        let coded_image = |&index: &usize| {
            let member = member(index);
            CodedImage {
                id: member.id,
                label: member.label,
                group: None,
            }
        };
        let mut images: Vec<CodedImage> = self.images.iter().map(coded_image).collect();
        let groups = group_images(&mut images, &self.model.labels);
        // Networks with the same preprocessing have the same thumbnails: one tensor for all of them.
        let pixels = self.thumbnails.bytes(0, count)?;
        let hash = blake3::hash(&pixels).to_hex();
        let thumbnails_key = format!("_thumbnails/{}", &hash[..16]);
        let thumbnails = Array::u8(&thumbnails_shape(count), pixels);
        out.tensors.insert(thumbnails_key.clone(), thumbnails);
        for (codes, &layer) in self.codes.iter().zip(&self.layers) {
            let name = self.model.layer(layer);
            progress.step(&format!(
                "{}: t-SNE of {count} images by `{name}`",
                self.model.id
            ));
            let values = codes.floats(0, count)?;
            let layer_map = LayerMap {
                options: self.options,
                codes: PointSet::new(&values, codes.dims())?,
                images: &images,
                groups: groups.as_ref(),
                seed: self.model.seed,
            };
            let key = format!("{}/tsne/{name}", self.model.id);
            let content = Content::Codes(Box::new(Codes {
                thumbnails: thumbnails_key.clone(),
                images: images.clone(),
                groups: groups.clone(),
                ..layer_map.compute(&key, out, progress)?
            }));
            let figure = self.model.figure("tsne", Some(layer), content);
            out.figures.push(figure);
        }
        Ok(())
    }
}

impl CodeCollector<'_> {
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
}

/// The shape of `count` thumbnails.
fn thumbnails_shape(count: usize) -> [usize; 4] {
    let side = THUMBNAIL_SIDE as usize;
    [count, side, side, 3]
}

/// How a network's view of an image becomes its thumbnail.
pub(in crate::methods) fn thumbnail_preprocess() -> Preprocess {
    Preprocess {
        resize: Some(THUMBNAIL_SIDE),
        crop: Some(THUMBNAIL_SIDE),
        interpolation: Interpolation::Bilinear,
        ..Preprocess::imagenet()
    }
}

/// The codes of a batch, `[N, dims]`: `[N, C]` as it is, `[N, C, H, W]` averaged over the spatial positions.
pub(in crate::methods) fn code(values: &Tensor) -> Result<Tensor> {
    let values = values.f_detach()?;
    Ok(match values.dim() {
        0..=2 => values,
        _ => values
            .f_flatten(2, -1)?
            .f_mean_dim([2i64].as_slice(), false, Kind::Float)?,
    })
}
