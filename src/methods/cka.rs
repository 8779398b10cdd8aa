//! `cka`: which layers of two networks find the same images alike (Kornblith et al. 2019,
//! <https://arxiv.org/abs/1905.00414>; minibatches as in Nguyen et al. 2020, <https://arxiv.org/abs/2010.15327>).
//!
//! **What it shows.** Whether two layers, of one network or of two, represent a collection of images in the same way up to a
//! rotation and a factor, however many channels each has.
//! **How it is computed.** For every minibatch of up to 8 images and every layer the inner products of the images' values (all channels
//! and places, their mean taken away) are kept, `[minibatches, 8, 8]`. The unbiased estimate of HSIC is averaged over the minibatches, for two layers and
//! for each with itself; CKA is the first over the roots of the others.
//! **How to read it.** 1: alike; 0: nothing in common. A bright diagonal means that the networks go through the same
//! stages; where it bends, one is ahead of the other.
//! **What it can't show.** Which images are found alike, and whether for good reasons. From few images the estimate is rough (it may
//! even leave 0…1): take a hundred or more. Large differences along few directions outweigh all others.
//! **Options.** `layers`. **Cost.** One forward pass an image; memory does not grow but for 64 numbers a layer and minibatch.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Kind;

use super::{Batch, Collector, LoadedModel, Member, Method, MethodOutput, State, to_array, MethodInfo, CollectionMethod};
use crate::compare::FEWEST;
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, Content};
use crate::network::LayerSelector;
use crate::network::graph::NodeId;
use crate::progress::Progress;

/// Between which layers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Cka {
    /// The layers of every network, by selector; with or without places.
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

super::at_layers::at_layers!(Cka);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "cka",
    title: "CKA",
    summary: "which layers of two networks find the same images similar: linear CKA over a collection (Kornblith et al. 2019; Nguyen et al. 2020)",
    read: "Each cell compares two layers: 1 means that both find the same images similar, whatever their channels; 0 that they have nothing in common.",
    limit: "It does not say which images are found similar or whether for good reasons, and from few images it is imprecise; it may then even lie outside 0 to 1.",
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
        match count >= FEWEST {
            true => Ok(()),
            false => Err(Error::new(
                ErrorKind::Spec,
                format!("{count} images are too few to say which are found alike"),
            )
            .help("give 4 or more, better a hundred, as `collection: FOLDER`")),
        }
    }

    fn collector<'a>(
        &'a self,
        subject: &'a LoadedModel,
        layers: &[NodeId],
    ) -> Result<Box<dyn Collector + 'a>> {
        Ok(Box::new(Looking {
            subject,
            layers: layers.to_vec(),
            kept: NodeValues::default(),
        }))
    }
}

/// What is kept of the images so far.
#[derive(Debug, Default, Serialize, Deserialize)]
struct NodeValues {
    /// The place of each minibatch's first image, and how many it has.
    batches: Vec<(usize, usize)>,
    /// For every minibatch, for every layer, the inner products, row by row.
    grams: Vec<Vec<Vec<f32>>>,
}

struct Looking<'a> {
    subject: &'a LoadedModel,
    layers: Vec<NodeId>,
    kept: NodeValues,
}

impl Collector for Looking<'_> {
    fn see(&mut self, batch: &Batch) -> Result<()> {
        let count = batch.members.len();
        // Too few say nothing by themselves: the images left over at the end.
        if count < FEWEST {
            return Ok(());
        }
        let mut of_batch = Vec::with_capacity(self.layers.len());
        for layer in &self.layers {
            let values = batch.value(*layer)?.f_flatten(1, -1)?;
            let values = values.f_sub(&values.f_mean_dim([0i64].as_slice(), true, None)?)?;
            let gram = values.f_matmul(&values.f_tr()?)?.f_to_kind(Kind::Float)?;
            let gram = to_array(&gram)?;
            of_batch.push(gram.floats().unwrap_or_default().to_vec());
        }
        self.kept.batches.push((batch.first, count));
        self.kept.grams.push(of_batch);
        Ok(())
    }

    fn state(&self) -> State {
        State::of(&self.kept)
    }

    fn go_on(&mut self, state: State) -> Result<()> {
        self.kept = state.kept()?;
        Ok(())
    }

    fn finish(
        self: Box<Self>,
        _member: &dyn Fn(usize) -> Member,
        out: &mut MethodOutput,
        _progress: &dyn Progress,
    ) -> Result<()> {
        let batches = &self.kept.batches;
        let Some(side) = batches.iter().map(|(_, count)| *count).max() else {
            return Err(Error::new(
                ErrorKind::Image,
                "no four images of one size came together",
            ));
        };
        let mut names = Vec::new();
        for (place, layer) in self.layers.iter().enumerate() {
            let name = self.subject.layer(*layer).to_owned();
            let mut values = vec![0.0; batches.len() * side * side];
            for (at, (grams, (_, count))) in self.kept.grams.iter().zip(batches).enumerate() {
                for (row, numbers) in grams[place].chunks(*count).enumerate() {
                    let start = (at * side + row) * side;
                    values[start..start + count].copy_from_slice(numbers);
                }
            }
            if values.iter().any(|value| !value.is_finite()) {
                let message = format!("`{name}` has values that are not finite");
                return Err(Error::new(ErrorKind::Network, message));
            }
            let key = format!("{}/cka/{name}", self.subject.id);
            out.tensors
                .insert(key, Array::f32(&[batches.len(), side, side], values));
            names.push(name);
        }
        let content = Content::Similarity {
            layers: names,
            batches: batches.clone(),
        };
        out.figures.push(self.subject.figure("cka", None, content));
        Ok(())
    }
}
