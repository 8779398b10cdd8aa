//! `rise`: what the network says of the picture seen through random holes (Petsiuk et al. 2018,
//! <https://arxiv.org/abs/1806.07421>).
//!
//! **What it shows.** The places whose presence makes the class likely, with nothing known of the network but its answers.
//! **How it is computed.** `masks` random masks: a grid of `cells` × `cells`, each cell open with the probability `keep`, enlarged bilinearly to a
//! little more than the input and cut at a random place. The preprocessed picture is multiplied with each (where it is shut, the
//! mean colour is left). The map, `[H, W]`, is the mean of the masks weighed by the class's probability, over `keep`.
//! **How to read it.** Bright places raise the probability when they are seen. The map is nowhere 0: differences count.
//! **What it can't show.** Anything smaller than a cell. It is an estimate: with few masks it has grain of its own, and another seed gives
//! another.
//! **Options.** `masks` (the paper takes 4000 to 8000), `cells`, `keep`. **Cost.** One forward pass a mask.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::{BackwardPass, Method, MethodOutput, PassCount, batched, MethodInfo, ClassMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::rng::Rng;

/// How many masks, how coarse, how open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rise {
    /// Masks, 1 to 100 000.
    #[schemars(range(min = 1, max = 100_000))]
    pub masks: usize,
    /// Cells on a side, 2 to 64.
    #[schemars(range(min = 2, max = 64))]
    pub cells: usize,
    /// How likely a cell is open, between 0 and 1.
    pub keep: f64,
}

impl Default for Rise {
    fn default() -> Self {
        Rise {
            masks: 500,
            cells: 7,
            keep: 0.5,
        }
    }
}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "rise",
    title: "RISE",
    summary: "the probability of the class, averaged over random masks that leave each pixel visible (Petsiuk et al. 2018)",
    read: "Bright positions make the class likely when they are visible: the map is the mean of random masks, each weighted by the probability that the network gives to the masked photo.",
    limit: "It resolves nothing smaller than a cell of the masks, and with few masks it is noisy: only clear differences count.",
    papers: &[
        "Petsiuk, V., Das, A., and Saenko, K. (2018). RISE: randomized input sampling for explanation of black-box models. BMVC. arXiv:1806.07421",
    ],
};

impl Method for Rise {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        let few = (1..=100_000).contains(&self.masks) && (2..=64).contains(&self.cells);
        match few && self.keep > 0.0 && self.keep < 1.0 {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Network, "such masks show nothing")
                .help("`masks` is 1 to 100000, `cells` 2 to 64, and `keep` between 0 and 1")),
        }
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Rise {
    fn passes(&self, _info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        PassCount {
            forward: self.masks,
            backward: 0,
        }
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let subject = pass.pass.subject;
        let input = pass.pass.input.f_detach()?;
        let (height, width) = (input.size()[2], input.size()[3]);
        // The same masks for every class and network, so that maps differ by what was asked.
        let purpose = format!("masks for {}", pass.pass.image);
        let mut chance = Rng::new(subject.seed, &purpose);
        let mut sum = Tensor::f_zeros([height, width], (Kind::Float, subject.device))?;
        let mut left = self.masks;
        while left > 0 {
            let count = left.min(batched::batch(&input));
            let mut masks = Vec::with_capacity(count);
            for _ in 0..count {
                masks.push(self.mask(&mut chance, height, width)?);
            }
            let masks = Tensor::f_cat(&masks, 0)?.f_to_device(subject.device)?;
            let probabilities =
                batched::probabilities(subject, &input.f_mul(&masks)?, pass.class.index)?;
            let weighed = masks.f_mul(&probabilities.f_view([-1, 1, 1, 1])?)?;
            sum = sum.f_add(&weighed.f_sum_dim_intlist([0i64, 1].as_slice(), false, None)?)?;
            left -= count;
        }
        let map = sum.f_div_scalar(self.masks as f64 * self.keep)?;
        let content = out.map(&pass.key("rise", None), &map, false)?;
        out.figures.push(pass.figure("rise", None, content));
        Ok(())
    }
}

impl Rise {
    /// One mask, `[1, 1, height, width]`, 0 to 1.
    fn mask(&self, chance: &mut Rng, height: i64, width: i64) -> Result<Tensor> {
        let cells = self.cells as i64;
        let grid: Vec<f32> = (0..cells * cells)
            .map(|_| f32::from(u8::from(chance.uniform() < self.keep)))
            .collect();
        let cell = |side: i64| (side + cells - 1) / cells;
        let (tall, wide) = (cell(height), cell(width));
        let mut from = |most: i64| (chance.uniform() * most as f64) as i64;
        let (top, left) = (from(tall), from(wide));
        Ok(Tensor::from_slice(&grid)
            .f_view([1, 1, cells, cells])?
            .f_upsample_bilinear2d([(cells + 1) * tall, (cells + 1) * wide], false, None, None)?
            .f_narrow(2, top, height)?
            .f_narrow(3, left, width)?)
    }
}
