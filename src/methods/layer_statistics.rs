//! `layer_statistics`: which units of a layer never fire over a collection, how sparse its values are, and how many directions
//! its codes use.
//!
//! **What it shows.** By depth, networks side by side: the share of units that stay silent for all images, the share of values
//! that are 0 or below, and the effective rank of the codes.
//! **How it is computed.** One pass over the collection. A unit is silent if none of its values is above 0, at no position of no
//! image. Sparsity is the share of all values, over images, units and positions, that are not above 0. The code of an image is the
//! layer's activation, the mean over the spatial positions if there are any; the effective rank (Roy & Vetterli 2007) is the
//! exponential of the entropy of the eigenvalues of the codes' covariance, from up to 2048 images, which are drawn with the seed.
//! **How to read it.** Silent units cost time and give nothing on these images. An effective rank far below the number of units says
//! that units repeat each other. In most networks it grows with the depth and falls in the last layers, where classes are told apart.
//! **What it can't show.** Whether silent units fire for other images. Behind GELU or SiLU, or without a rectifier, values below 0 are
//! ordinary and sparsity says little. The effective rank is at most the number of images less one: compare layers only on the same images.
//! **Options.** `layers`.
//! **Cost.** One forward pass for each image, which all methods about the collection share; memory for up to 2048 codes a layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Kind, Tensor};

use super::collector::{Batch, CollectionImage, Collector, CollectorState};
use super::image_sample::ImageSample;
use super::loaded_model::LoadedModel;
use super::method::{CollectionMethod, Method, MethodInfo, ResultKind};
use super::method_output::{MethodOutput, to_floats};
use super::row_file::Scratch;
use super::sampled_rows::SampledRows;
use crate::compare::{PointSet, effective_rank};
use crate::error::Result;
use crate::figures::{Content, LayerStatistics as Statistics};
use crate::network::LayerSelector;
use crate::network::graph::NodeId;
use crate::progress::Progress;
use crate::rng::fnv1a;

/// The largest number of images whose codes are kept for the effective rank.
const MOST_CODES: usize = 2048;

/// The layers that are measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LayerStatistics {
    /// The layers of every network, by selector; with or without spatial positions.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
}

impl Default for LayerStatistics {
    fn default() -> Self {
        let names = ["stage1", "stage2", "stage3", "stage4", "penultimate"];
        LayerStatistics {
            layers: names.map(|name| LayerSelector(name.into())).to_vec(),
        }
    }
}

super::layer_constructors::at_layers!(LayerStatistics);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "layer_statistics",
    title: "Layer statistics",
    summary: "units that never fire, sparsity, and the effective rank of the codes, by depth over a collection (Roy & Vetterli 2007)",
    read: "By depth, over the whole collection: the share of units whose value is never above 0, the share of all values that are not above 0, and how many directions the codes really use.",
    limit: "It does not say whether silent units fire for other images; behind GELU or SiLU, or without a rectifier, values below 0 are ordinary.",
    result: ResultKind::Scores,
    papers: &[
        "Roy, O., and Vetterli, M. (2007). The effective rank: a measure of effective dimensionality. EUSIPCO",
    ],
};

impl Method for LayerStatistics {
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

impl CollectionMethod for LayerStatistics {
    fn collector<'a>(
        &'a self,
        model: &'a LoadedModel,
        layers: &[NodeId],
        _scratch: &Scratch,
    ) -> Result<Box<dyn Collector + 'a>> {
        let units = |&layer: &NodeId| model.info[layer].shape[0].max(0) as usize;
        let keys = layers.iter().map(|&layer| model.layer(layer));
        let keys = keys.map(|layer| format!("codes-{layer}"));
        let seed = model.seed ^ fnv1a(INFO.key);
        Ok(Box::new(StatisticsCollector {
            model,
            layers: layers.to_vec(),
            sums: layers
                .iter()
                .map(|layer| LayerSums::new(units(layer)))
                .collect(),
            codes: SampledRows::new(MOST_CODES, seed, keys),
        }))
    }
}

/// What the values of a layer add up to.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct LayerSums {
    /// The units that have had a value above 0.
    fired: Vec<bool>,
    /// The number of values above 0.
    positive: u64,
    /// The number of values.
    values: u64,
}

impl LayerSums {
    fn new(units: usize) -> Self {
        LayerSums {
            fired: vec![false; units],
            positive: 0,
            values: 0,
        }
    }

    /// Adds the values of a batch, `[N, units, positions]`.
    fn observe(&mut self, values: &Tensor) -> Result<()> {
        let positive =
            values
                .f_gt(0.0)?
                .f_sum_dim_intlist([0i64, 2].as_slice(), false, Kind::Int64)?;
        let positive = Vec::<i64>::try_from(positive)?;
        for (fired, count) in self.fired.iter_mut().zip(positive) {
            *fired |= count > 0;
            self.positive += count as u64;
        }
        self.values += values.numel() as u64;
        Ok(())
    }

    fn append(&mut self, later: &LayerSums) {
        let fired = self.fired.iter_mut().zip(&later.fired);
        fired.for_each(|(own, later)| *own |= later);
        self.positive += later.positive;
        self.values += later.values;
    }
}

/// Measures the layers of one network.
struct StatisticsCollector<'a> {
    model: &'a LoadedModel,
    layers: Vec<NodeId>,
    sums: Vec<LayerSums>,
    /// For each layer, the codes of a sample of the images.
    codes: SampledRows,
}

/// All but the codes.
#[derive(Debug, Serialize, Deserialize)]
struct StoredSums {
    sums: Vec<LayerSums>,
    sample: ImageSample,
}

impl Collector for StatisticsCollector<'_> {
    fn observe(&mut self, batch: &Batch) -> Result<()> {
        let count = batch.members.len();
        let first = batch.first;
        let kept: Vec<i64> = (0..count as i64)
            .filter(|offset| self.codes.add(first + *offset as usize))
            .collect();
        let kept = Tensor::from_slice(&kept);
        for (number, &layer) in self.layers.iter().enumerate() {
            let values = self.model.map(layer, batch.value(layer)?)?;
            let (images, units) = (count as i64, self.sums[number].fired.len() as i64);
            let values = values.f_reshape([images, units, -1])?;
            self.sums[number].observe(&values)?;
            let codes = values.f_mean_dim([2i64].as_slice(), false, Kind::Float)?;
            let codes = codes.f_index_select(0, &kept.to(codes.device()))?;
            self.codes.push(number, &to_floats(&codes)?);
        }
        self.codes.thin();
        Ok(())
    }

    fn state(&self) -> CollectorState {
        let mut state = CollectorState::from_values(&StoredSums {
            sums: self.sums.clone(),
            sample: self.codes.sample().clone(),
        });
        self.codes.save(&mut state);
        state
    }

    fn resume(&mut self, state: CollectorState) -> Result<()> {
        let stored: StoredSums = state.parse_values()?;
        self.sums = stored.sums;
        self.codes.resume(stored.sample, &state)
    }

    fn append(&mut self, later: CollectorState) -> Result<()> {
        let stored: StoredSums = later.parse_values()?;
        for (own, later) in self.sums.iter_mut().zip(&stored.sums) {
            own.append(later);
        }
        self.codes.append(&stored.sample, &later)
    }

    fn finish(
        self: Box<Self>,
        _member: &dyn Fn(usize) -> CollectionImage,
        out: &mut MethodOutput,
        progress: &dyn Progress,
    ) -> Result<()> {
        let output = self.model.network.graph().output().max(1) as f64;
        let mut layers = Vec::with_capacity(self.layers.len());
        for (number, (&layer, sums)) in self.layers.iter().zip(&self.sums).enumerate() {
            let name = self.model.layer(layer);
            progress.step(&format!("{}: effective rank of {name}", self.model.id));
            let codes = self.codes.rows(number);
            let effective_rank = match self.codes.width(number) {
                0 => None,
                _ if codes.iter().any(|value| !value.is_finite()) => None,
                dims => effective_rank(&PointSet::new(codes, dims)?)?,
            };
            layers.push(Statistics {
                layer: name.to_owned(),
                depth: layer as f64 / output,
                units: sums.fired.len(),
                spatial: self.model.info[layer].is_spatial(),
                dead: sums.fired.iter().filter(|fired| !**fired).count(),
                sparsity: 1.0 - sums.positive as f64 / sums.values.max(1) as f64,
                effective_rank,
            });
        }
        let content = Content::LayerStatistics {
            layers,
            coded: self.codes.images().len(),
        };
        out.figures.push(self.model.figure(INFO.key, None, content));
        Ok(())
    }
}
