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
//! **Cost.** One forward pass for each image; 64 values for each layer and minibatch. Beyond 10,000 images the minibatches are a random
//! part of all, 1250 at most, so that memory does not grow.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Kind;

use super::sampled_rows::SampledRows;
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
use crate::rng::fnv1a;

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
        let keys = layers
            .iter()
            .map(|&layer| format!("grams-{}", model.layer(layer)));
        let keys = keys.chain([SIZES.to_owned()]);
        let seed = model.seed ^ fnv1a(INFO.key);
        Ok(Box::new(GramCollector {
            model,
            layers: layers.to_vec(),
            minibatches: SampledRows::new(MOST_MINIBATCHES, seed, keys),
        }))
    }
}

/// The side of a stored Gram matrix, and so the most images that one is computed from.
const SIDE: usize = 8;

/// The key of the minibatches' sizes in a state.
const SIZES: &str = "sizes";

/// The largest number of minibatches whose matrices are kept, so that memory does not grow with the collection: the estimate's
/// error falls with the root of their number, and is far below a hundredth with these.
const MOST_MINIBATCHES: usize = 1250;

/// Collects the Gram matrices of one network's layers.
struct GramCollector<'a> {
    model: &'a LoadedModel,
    layers: Vec<NodeId>,
    /// For a sample of minibatches, each known by its first image: for each layer the matrix, `[SIDE, SIDE]`, 0 beyond the minibatch's
    /// size; after the layers this size.
    minibatches: SampledRows,
}

impl Collector for GramCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let mut offset = 0;
        while offset < batch.members.len() {
            let count = SIDE.min(batch.members.len() - offset);
            // The last images may be too few for an estimate.
            if count >= MIN_BATCH && self.minibatches.add(batch.first + offset) {
                for (number, &layer) in self.layers.iter().enumerate() {
                    let values = self.model.map(layer, batch.value(layer)?)?;
                    let values = values.f_narrow(0, offset as i64, count as i64)?;
                    let values = values.f_flatten(1, -1)?;
                    let centred =
                        values.f_sub(&values.f_mean_dim([0i64].as_slice(), true, None)?)?;
                    let gram = centred.f_matmul(&centred.f_tr()?)?.f_to_kind(Kind::Float)?;
                    let mut padded = [0.0; SIDE * SIDE];
                    for (row, products) in to_floats(&gram)?.chunks_exact(count).enumerate() {
                        padded[row * SIDE..row * SIDE + count].copy_from_slice(products);
                    }
                    self.minibatches.push(number, &padded);
                }
                self.minibatches.push(self.layers.len(), &[count as f32]);
            }
            offset += count;
        }
        self.minibatches.thin();
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let mut state = CollectorState::from_values(self.minibatches.sample());
        self.minibatches.save(&mut state);
        state
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        self.minibatches.resume(state.parse_values()?, &state)
    }

    fn append(&mut self, later: CollectorState) -> Result<()> {
        self.minibatches.append(&later.parse_values()?, &later)
    }

    fn finish(
        mut self: Box<Self>,
        _member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        _progress: &dyn Progress,
    ) -> Result<()> {
        let count = self.minibatches.images().len();
        if count == 0 {
            let message =
                format!("CKA needs a minibatch of {MIN_BATCH} images of one size, got none");
            return Err(Error::new(ErrorKind::Image, message));
        }
        let mut names = Vec::with_capacity(self.layers.len());
        for (number, &layer) in self.layers.iter().enumerate() {
            let name = self.model.layer(layer).to_owned();
            let values = self.minibatches.take(number);
            if values.iter().any(|value| !value.is_finite()) {
                let message = format!("`{name}` has values that are not finite");
                return Err(Error::new(ErrorKind::Network, message));
            }
            let key = format!("{}/cka/{name}", self.model.id);
            let array = Array::f32(&[count, SIDE, SIDE], values);
            out.tensors.insert(key, array);
            names.push(name);
        }
        let firsts = self.minibatches.images().iter().copied();
        let sizes = self.minibatches.rows(self.layers.len());
        let content = Content::Similarity {
            layers: names,
            batches: firsts
                .zip(sizes.iter().map(|size| *size as usize))
                .collect(),
        };
        out.figures.push(self.model.figure(INFO.key, None, content));
        Ok(())
    }
}
