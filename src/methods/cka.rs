//! `cka`: how similar the representations of two layers are, of one network or of two (Kornblith et al. 2019,
//! <https://arxiv.org/abs/1905.00414>; minibatches as in Nguyen et al. 2020, <https://arxiv.org/abs/2010.15327>).
//!
//! **What it shows.** Whether two layers represent a collection of images in the same way up to a rotation and a factor,
//! whatever their numbers of channels.
//! **How it is computed.** For every minibatch of up to 8 images and every layer, the Gram matrix of the activations (all
//! channels and spatial positions, centred) is stored, `[minibatches, 8, 8]`. The unbiased estimate of HSIC is averaged over
//! the minibatches, for two layers and for each with itself; CKA is the first divided by the square roots of the others.
//! **How to read it.** 1: the same representation; 0: independent ones. A bright diagonal means that the networks go through
//! the same representations in the same order; where the bright line leaves the diagonal, one network reaches
//! a representation at a smaller depth than the other.
//! **What it can't show.** Which images are similar, and whether for good reasons. From few images the estimate is rough (it
//! may even leave 0…1): use a hundred or more. Few directions of large variance outweigh all others.
//! **Options.** `layers`.
//! **Cost.** One forward pass for each image; memory grows by 64 values for each layer and minibatch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Kind;

use super::{
    Batch, CollectionImage, CollectionMethod, Collector, CollectorState, LoadedModel, Method,
    MethodInfo, MethodOutput, ResultKind, Scratch, to_floats,
};
use crate::compare::MIN_BATCH;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Content};
use crate::network::LayerSelector;
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// The layers that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cka {
    /// The layers of every network, by selector; with or without spatial positions.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for Cka {
    fn default() -> Self {
        let names = [
            "stage1",
            "stage2",
            "stage3",
            "stage4",
            "last",
            "penultimate",
        ];
        Cka {
            layers: names.map(|name| LayerSelector(name.into())).to_vec(),
        }
    }
}

super::layer_constructors::at_layers!(Cka);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "cka",
    title: "CKA",
    summary: "how similar the layers of two networks are: linear CKA over a collection (Kornblith et al. 2019; Nguyen et al. 2020)",
    read: "Each cell compares two layers: 1 means that both find the same images similar, whatever their channels; 0 that they have nothing in common.",
    limit: "It does not say which images are found similar or whether for good reasons, and from few images it is imprecise; it may then even lie outside 0 to 1.",
    result: ResultKind::Similarity,
    papers: &[
        "Kornblith, S., Norouzi, M., Lee, H., and Hinton, G. (2019). Similarity of neural network representations revisited. ICML. arXiv:1905.00414",
        "Nguyen, T., Raghu, M., and Kornblith, S. (2020). Do wide and deep networks learn the same things? arXiv:2010.15327",
    ],
};

impl Method for Cka {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn spatial(&self) -> bool {
        false
    }

    fn for_collection(&self) -> Option<&dyn CollectionMethod> {
        Some(self)
    }
}

impl CollectionMethod for Cka {
    fn check_collection(&self, count: usize) -> Result<()> {
        if count < MIN_BATCH {
            let message = format!("CKA needs at least {MIN_BATCH} images, got {count}");
            return Err(Error::new(ErrorKind::Spec, message)
                .help("give a larger `collection`, better a hundred images"));
        }
        Ok(())
    }

    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        _scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        Ok(Box::new(GramCollector {
            model,
            layers: layers.to_vec(),
            ranges: Vec::new(),
            grams: vec![Vec::new(); layers.len()],
        }))
    }
}

/// The side of a stored Gram matrix, and so the most images that one is computed from.
const SIDE: usize = 8;

/// Collects the Gram matrices of one network's layers.
struct GramCollector<'a> {
    model: &'a LoadedModel,
    layers: Vec<NodeId>,
    /// The index of each minibatch's first image, and its size.
    ranges: Vec<(usize, usize)>,
    /// For each layer, `[minibatches, SIDE, SIDE]`; 0 beyond a minibatch's size.
    grams: Vec<Vec<f32>>,
}

impl GramCollector<'_> {
    /// The key of a layer's matrices in a state.
    fn key(&self, layer: NodeId) -> String {
        format!("grams-{}", self.model.layer(layer))
    }
}

impl Collector for GramCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let mut first = 0;
        while first < batch.members.len() {
            let count = SIDE.min(batch.members.len() - first);
            // The last images may be too few for an estimate.
            if count >= MIN_BATCH {
                for (layer, stored) in self.layers.iter().zip(&mut self.grams) {
                    let values = self.model.map(*layer, batch.value(*layer)?)?;
                    let values = values.f_narrow(0, first as i64, count as i64)?;
                    let values = values.f_flatten(1, -1)?;
                    let centred =
                        values.f_sub(&values.f_mean_dim([0i64].as_slice(), true, None)?)?;
                    let gram = centred.f_matmul(&centred.f_tr()?)?.f_to_kind(Kind::Float)?;
                    let mut padded = [0.0; SIDE * SIDE];
                    for (row, products) in to_floats(&gram)?.chunks_exact(count).enumerate() {
                        padded[row * SIDE..row * SIDE + count].copy_from_slice(products);
                    }
                    stored.extend(padded);
                }
                self.ranges.push((batch.first + first, count));
            }
            first += count;
        }
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let mut state = CollectorState::from_values(&self.ranges);
        for (&layer, grams) in self.layers.iter().zip(&self.grams) {
            let array = Array::f32(&[self.ranges.len(), SIDE, SIDE], grams.clone());
            state.tensors.insert(self.key(layer), array);
        }
        state
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        self.ranges.clear();
        self.grams.iter_mut().for_each(Vec::clear);
        self.append(state)
    }

    fn append(&mut self, later: CollectorState) -> Result<()> {
        for number in 0..self.layers.len() {
            let key = self.key(self.layers[number]);
            let grams = later.tensors.get(&key).and_then(Array::floats);
            let none = || Error::new(ErrorKind::Io, format!("the state has no `{key}`"));
            self.grams[number].extend(grams.ok_or_else(none)?);
        }
        self.ranges
            .extend(later.into_values::<Vec<(usize, usize)>>()?);
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        _member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        _progress: &dyn Progress,
    ) -> Result<()> {
        if self.ranges.is_empty() {
            let message =
                format!("CKA needs a minibatch of {MIN_BATCH} images of one size, got none");
            return Err(Error::new(ErrorKind::Image, message));
        }
        let mut names = Vec::with_capacity(self.layers.len());
        for (layer, values) in self.layers.into_iter().zip(self.grams) {
            let name = self.model.layer(layer).to_owned();
            if values.iter().any(|value| !value.is_finite()) {
                let message = format!("`{name}` has values that are not finite");
                return Err(Error::new(ErrorKind::Network, message));
            }
            let key = format!("{}/cka/{name}", self.model.id);
            let array = Array::f32(&[self.ranges.len(), SIDE, SIDE], values);
            out.tensors.insert(key, array);
            names.push(name);
        }
        let content = Content::Similarity {
            layers: names,
            batches: self.ranges,
        };
        out.figures.push(self.model.figure("cka", None, content));
        Ok(())
    }
}
