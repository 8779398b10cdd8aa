//! Collects the codes and thumbnails of a collection's images batch by batch, and maps them after the last one.

use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::image_groups::group_images;
use super::layer_map::{LayerMap, check_image_count};
use super::options::Tsne;
use crate::compare::PointSet;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, CodedImage, Codes, Content};
use crate::image::{Interpolation, Preprocess};
use crate::methods::{
    Batch, CollectionImage, Collector, CollectorState, LoadedModel, MethodOutput, to_floats,
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
    index: CodeIndex,
    /// For each layer, the codes `[n, dims]`, row by row.
    codes: Vec<Vec<f32>>,
    /// 8-bit, `[n, side, side, 3]`.
    thumbnails: Vec<u8>,
}

/// Which images have been collected, and the size of their codes.
#[derive(Debug, Default, Serialize, Deserialize)]
struct CodeIndex {
    /// The images' indices in the collection.
    images: Vec<usize>,
    /// For each layer, the number of values of a code.
    dims: Vec<usize>,
}

impl<'a> CodeCollector<'a> {
    pub fn new(options: &'a Tsne, model: &'a LoadedModel, layers: &[NodeId]) -> Self {
        CodeCollector {
            options,
            model,
            layers: layers.to_vec(),
            index: CodeIndex {
                images: Vec::new(),
                dims: vec![0; layers.len()],
            },
            codes: vec![Vec::new(); layers.len()],
            thumbnails: Vec::new(),
        }
    }

    /// The key of a layer's codes in a checkpoint.
    fn checkpoint_key(&self, layer: NodeId) -> String {
        format!("codes/{}", self.model.layer(layer))
    }
}

impl Collector for CodeCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        for (number, &layer) in self.layers.iter().enumerate() {
            let map = self.model.map(layer, batch.value(layer)?)?;
            let codes = to_floats(&code(&map)?)?;
            self.index.dims[number] = codes.len() / batch.members.len().max(1);
            self.codes[number].extend(codes);
        }
        let thumbnail = Preprocess {
            resize: Some(THUMBNAIL_SIDE),
            crop: Some(THUMBNAIL_SIDE),
            interpolation: Interpolation::Bilinear,
            ..Preprocess::imagenet()
        };
        for view in batch.views {
            self.thumbnails.extend(thumbnail.view(view)?.as_raw());
        }
        let indices = batch.first..batch.first + batch.members.len();
        self.index.images.extend(indices);
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let count = self.index.images.len();
        let mut state = CollectorState::from_values(&self.index);
        let layers = self.layers.iter().zip(&self.index.dims).zip(&self.codes);
        for ((&layer, &dims), codes) in layers {
            let codes = Array::f32(&[count, dims], codes.clone());
            state.tensors.insert(self.checkpoint_key(layer), codes);
        }
        let thumbnails = Array::u8(&thumbnails_shape(count), self.thumbnails.clone());
        state.tensors.insert("thumbnails".into(), thumbnails);
        state
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        let mismatch = || {
            let message = "the checkpoint holds no codes of these layers";
            Error::new(ErrorKind::Io, message)
        };
        let CollectorState {
            values,
            mut tensors,
        } = state;
        let index: CodeIndex = serde_json::from_value(values).map_err(|_| mismatch())?;
        let count = index.images.len();
        if index.dims.len() != self.layers.len() {
            return Err(mismatch());
        }
        let mut codes = Vec::with_capacity(self.layers.len());
        for (&layer, &dims) in self.layers.iter().zip(&index.dims) {
            let key = self.checkpoint_key(layer);
            let array = tensors.remove(&key).ok_or_else(mismatch)?;
            match array.floats() {
                Some(floats) if array.shape == [count, dims] => codes.push(floats.to_vec()),
                _ => return Err(mismatch()),
            }
        }
        let thumbnails = tensors.remove("thumbnails").ok_or_else(mismatch)?;
        self.thumbnails = match thumbnails.bytes() {
            Some(bytes) if thumbnails.shape == thumbnails_shape(count) => bytes.to_vec(),
            _ => return Err(mismatch()),
        };
        (self.index, self.codes) = (index, codes);
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let count = self.index.images.len();
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
        let mut images: Vec<CodedImage> = self.index.images.iter().map(coded_image).collect();
        let groups = group_images(&mut images, &self.model.labels);
        // Networks with the same preprocessing have the same thumbnails: one tensor for all of them.
        let hash = blake3::hash(&self.thumbnails).to_hex();
        let thumbnails_key = format!("_thumbnails/{}", &hash[..16]);
        let thumbnails = Array::u8(&thumbnails_shape(count), self.thumbnails.clone());
        out.tensors.insert(thumbnails_key.clone(), thumbnails);
        for (number, &layer) in self.layers.iter().enumerate() {
            let name = self.model.layer(layer);
            progress.step(&format!(
                "{}: t-SNE of {count} images by `{name}`",
                self.model.id
            ));
            let layer_map = LayerMap {
                options: self.options,
                codes: PointSet::new(&self.codes[number], self.index.dims[number])?,
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

/// The shape of `count` thumbnails.
fn thumbnails_shape(count: usize) -> [usize; 4] {
    let side = THUMBNAIL_SIDE as usize;
    [count, side, side, 3]
}

/// The codes of a batch, `[N, dims]`: `[N, C]` as it is, `[N, C, H, W]` averaged over the spatial positions.
fn code(values: &Tensor) -> Result<Tensor> {
    let values = values.f_detach()?;
    Ok(match values.dim() {
        0..=2 => values,
        _ => values
            .f_flatten(2, -1)?
            .f_mean_dim([2i64].as_slice(), false, Kind::Float)?,
    })
}
