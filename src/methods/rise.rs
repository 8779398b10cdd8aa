//! `rise`: the class's probability under random masks (Petsiuk et al. 2018, <https://arxiv.org/abs/1806.07421>).
//!
//! **What it shows.** The regions that make the class likely when they are visible, computed from the network's output alone.
//! **How it is computed.** `masks` random masks: a grid of `cells` × `cells`, each cell visible with the probability
//! `keep`, enlarged bilinearly to a little more than the input and cropped at a random offset. The preprocessed image
//! is multiplied with each mask (hidden pixels become the mean colour). The map, `[H, W]`, is the mean of the masks
//! weighted by the class's probability, divided by `keep`.
//! **How to read it.** Bright regions raise the probability when they are visible. No value is 0: compare regions
//! with each other.
//! **What it can't show.** It can't show details smaller than a cell. It is an estimate: with few masks it is noisy, and another
//! seed gives another map.
//! **Options.** `masks` (the paper takes 4000 to 8000), `cells`, `keep`.
//! **Cost.** One forward pass for each mask.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::batched;
use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, ManyInputs, Method, MethodInfo, PassCount, ResultKind};
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::network::graph::NodeId;
use crate::network::node_info::NodeInfo;
use crate::rng::Rng;

/// The random masks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Rise {
    /// The number of masks.
    #[schemars(range(min = 1, max = 100_000))]
    pub masks: usize,
    /// Cells on each side of a mask.
    #[schemars(range(min = 2, max = 64))]
    pub cells: usize,
    /// The probability that a cell is visible.
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
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

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "rise",
    title: "RISE",
    summary: "for each pixel, the mean probability of the class over the random masks that show it (Petsiuk et al. 2018)",
    read: "Bright positions make the class likely when they are visible: the map is the mean of random masks, each weighted by the probability that the network gives to the masked photo.",
    limit: "It resolves nothing smaller than a cell of the masks, and with few masks it is noisy: only clear differences count.",
    result: ResultKind::Map,
    papers: &[
        "Petsiuk, V., Das, A., and Saenko, K. (2018). RISE: randomized input sampling for explanation of black-box models. BMVC. arXiv:1806.07421",
    ],
};

impl Method for Rise {
    fn info(&self) -> &'static MethodInfo {
        &INFO
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

    fn many_inputs(&self) -> Option<ManyInputs> {
        Some(ManyInputs::Passes)
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let model = pass.model();
        let input = pass.input()?;
        let (_, _, height, width) = input.size4()?;
        // The same masks for every class and network, so that their maps can be compared.
        let purpose = format!("masks for {}", pass.forward.image);
        let mut rng = Rng::new(model.seed, &purpose);
        let mut sum = Tensor::f_zeros([height, width], (Kind::Float, model.device))?;
        let mut remaining = self.masks;
        while remaining > 0 {
            let count = remaining.min(batched::batch_size(&input));
            let mut masks = Vec::with_capacity(count);
            for _ in 0..count {
                masks.push(self.mask(&mut rng, height, width)?);
            }
            let masks = Tensor::f_cat(&masks, 0)?.f_to_device(model.device)?;
            let inputs = input.f_mul(&masks)?;
            let scores = batched::target_scores(model, &inputs, &pass.target)?;
            let weighted = masks.f_mul(&scores.f_view([-1, 1, 1, 1])?)?;
            sum = sum.f_add(&weighted.f_sum_dim_intlist([0i64, 1].as_slice(), false, None)?)?;
            remaining -= count;
        }
        let map = sum.f_div_scalar(self.masks as f64 * self.keep)?;
        let content = out.map(&pass.key(INFO.key, None), &map, false)?;
        out.figures.push(pass.figure(INFO.key, None, content));
        Ok(())
    }
}

impl Rise {
    /// A random mask, `[1, 1, height, width]`, 0 to 1.
    fn mask(&self, rng: &mut Rng, height: i64, width: i64) -> Result<Tensor> {
        let cells = self.cells as i64;
        let grid: Vec<f32> = (0..cells * cells)
            .map(|_| f32::from(u8::from(rng.uniform() < self.keep)))
            .collect();
        let cell = |side: i64| (side + cells - 1) / cells;
        let (cell_height, cell_width) = (cell(height), cell(width));
        let mut offset = |limit: i64| (rng.uniform() * limit as f64) as i64;
        let (top, left) = (offset(cell_height), offset(cell_width));
        let size = [(cells + 1) * cell_height, (cells + 1) * cell_width];
        Ok(Tensor::from_slice(&grid)
            .f_view([1, 1, cells, cells])?
            .f_upsample_bilinear2d(size, false, None, None)?
            .f_narrow(2, top, height)?
            .f_narrow(3, left, width)?)
    }
}
