//! `filters`: the kernels of a network's convolutions, as images and as norms (Krizhevsky et al. 2012; Zeiler & Fergus 2013,
//! <https://arxiv.org/abs/1311.2901>).
//!
//! **What it shows.** Which pixel patterns the first layer detects: edges, bars, colours. The spatial patterns of deeper
//! kernels. Which kernels are dead, and the norms of kernels over the depth.
//! **How it is computed.** From the weights as they are: batch norm is not folded, and no kernel is scaled by itself. The
//! kernels of a layer are sorted by Euclidean norm, largest first. The first layer's `[k, 3, h, w]` are shown in colour; a
//! deeper kernel has one slice `[h, w]` for each input channel, of which the four with the largest norm are kept,
//! `[k, 4, h, w]` (one if it is depthwise). A kernel is dead if its norm is at most a thousandth of the layer's median. All
//! norms, `[K]`, are stored under `<model>/filters/<layer>/norms`, for every convolution with spatial positions.
//! **How to read it.** First layer: mid-grey is zero, brighter is a positive weight in that colour; a kernel's activation is
//! largest for a patch that looks like it. Deeper: red is positive, blue negative.
//! **What it can't show.** Which image pattern a deeper kernel detects: its slices read other channels, not colours. Norms in
//! networks with batch norm can't be compared across layers, because it rescales them.
//! **Options.** `layers`; `count`.
//! **Cost.** None: there is no forward pass.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{LoadedModel, Method, MethodInfo, MethodOutput, NetworkMethod, ResultKind, to_floats};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, KernelNorms};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::{LayerSelector, selector as selectors};

/// How many slices of a deeper kernel are kept.
const SLICES: i64 = 4;

/// How many columns of a 1×1 layer are kept, whose kernels are the rows of a matrix.
const COLUMNS: i64 = 128;

/// A kernel is dead if its norm is at most this part of the layer's median.
const DEAD: f32 = 1e-3;

/// The convolutions, and how many of their kernels are shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Which convolutions. A stage, a depth, a module or `last` selects the nearest convolution larger than 1×1 at or before
    /// its end; a name or a glob selects exactly what it matches.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// The largest number of kernels of a layer, largest norm first; 1 or more.
    #[schemars(range(min = 1))]
    pub count: usize,
}

impl Default for Filters {
    fn default() -> Self {
        let layers = ["first", "stage3", "last"];
        Filters {
            layers: layers.map(|name| LayerSelector(name.into())).to_vec(),
            count: 64,
        }
    }
}

super::layer_constructors::at_layers!(Filters);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "filters",
    title: "Filters",
    summary: "the first convolution's kernels in colour, all networks on one scale; deeper ones as their largest slices; the norms of all by depth, and which kernels are dead",
    read: "First layer: each tile is one kernel; grey is a weight of 0, lighter and darker are positive and negative in that colour. Deeper layers: each strip is one kernel, with the slices of largest norm among all the channels it reads; red weights add, blue ones subtract. Each layer begins with its largest kernel.",
    limit: "Only the first layer reads colours, so only its kernels resemble the patterns they detect; a deeper slice weights the activations of another channel, and a few slices are a small part of a kernel.",
    result: ResultKind::Kernels,
    papers: &[
        "Krizhevsky, A., Sutskever, I., and Hinton, G. E. (2012). ImageNet classification with deep convolutional neural networks. NeurIPS",
    ],
};

impl Method for Filters {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn resolve(
        &self,
        selector: &LayerSelector,
        graph: &Graph,
        info: &[NodeInfo],
    ) -> Result<Vec<NodeId>> {
        let found = selectors::resolve(selector, graph, info)?;
        let name = selector.0.trim();
        let convolutions: Vec<NodeId> = found
            .iter()
            .copied()
            .filter(|&id| graph.convolution(id).is_some())
            .collect();
        let exact = graph.find(name).is_some();
        if name == "first" || exact || found.len() > 1 || selectors::is_glob(name) {
            if convolutions.is_empty() {
                let message = if exact {
                    format!("`{name}` is no convolution and has no kernels")
                } else {
                    format!("`{name}` matches no convolution")
                };
                return Err(Error::new(ErrorKind::Network, message)
                    .help("name one (`convscope layers` lists them), or a stage: `stage3`"));
            }
            return Ok(convolutions);
        }
        let spatial = |id: &NodeId| {
            graph
                .convolution(*id)
                .is_some_and(|conv| conv.kernel != [1, 1])
        };
        let end = found.last().copied().unwrap_or_default();
        let nearest = (0..=end).rfind(spatial);
        match nearest.or_else(|| (end..graph.nodes().len()).find(spatial)) {
            Some(id) => Ok(vec![id]),
            None => {
                let message = "the network has no convolution larger than 1×1";
                Err(Error::new(ErrorKind::Network, message).help("name a layer"))
            }
        }
    }

    fn for_network(&self) -> Option<&dyn NetworkMethod> {
        Some(self)
    }
}

impl NetworkMethod for Filters {
    fn network_figures(
        &self,
        model: &LoadedModel,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        for &layer in layers {
            let content = self.kernels(model, layer, out)?;
            out.figures
                .push(model.figure("filters", Some(layer), content));
        }
        let layers = kernel_norms(model, out)?;
        let content = Content::Norms { layers };
        out.figures.push(model.figure("filters", None, content));
        Ok(())
    }
}

impl Filters {
    /// One layer's kernels, largest norm first.
    fn kernels(
        &self,
        model: &LoadedModel,
        layer: NodeId,
        out: &mut MethodOutput,
    ) -> Result<Content> {
        let graph = model.network.graph();
        let kernels = weight(model, layer)?;
        let norms = Norms::new(kernels)?;
        let mut units = norms.descending();
        units.truncate(self.count);
        let index: Vec<i64> = units.iter().map(|&unit| unit as i64).collect();
        let selected =
            kernels.f_index_select(0, &Tensor::from_slice(&index).to(kernels.device()))?;
        let key = format!("{}/filters/{}", model.id, model.layer(layer));
        let reads_colours = graph.node(layer).inputs == [graph.input()] && selected.size()[1] == 3;
        if reads_colours {
            let (low, high) = out.tensor(&key, &selected)?;
            return Ok(Content::ColourKernels {
                tensor: key,
                units,
                total: norms.values.len(),
                magnitude: high.max(-low),
                dead: norms.dead(),
            });
        }
        let (slices, inputs) = largest_slices(kernels, &selected)?;
        let (low, high) = out.tensor(&key, &slices)?;
        Ok(Content::Kernels {
            tensor: key,
            units,
            inputs,
            total: norms.values.len(),
            total_inputs: selected.size()[1] as usize,
            magnitude: high.max(-low),
            dead: norms.dead(),
        })
    }
}

/// The norms of every convolution with spatial positions, stored under their keys.
fn kernel_norms(model: &LoadedModel, out: &mut MethodOutput) -> Result<Vec<KernelNorms>> {
    let graph = model.network.graph();
    let last = graph.output().max(1) as f64;
    let mut layers = Vec::new();
    for id in graph.convolutions() {
        let Some(conv) = graph.convolution(id) else {
            continue;
        };
        // The convolutions of a squeeze-and-excitation gate act on pooled vectors.
        if model.info.get(id).is_none_or(|info| !info.is_spatial()) {
            continue;
        }
        let norms = Norms::new(weight(model, id)?)?;
        let key = format!("{}/filters/{}/norms", model.id, model.layer(id));
        out.tensor(&key, &Tensor::from_slice(&norms.values))?;
        layers.push(KernelNorms {
            layer: model.layer(id).to_owned(),
            depth: id as f64 / last,
            kernel: conv.kernel[0],
            depthwise: conv.op.groups > 1,
            count: norms.values.len(),
            low: norms.quantile(0.05),
            median: norms.quantile(0.5),
            high: norms.quantile(0.95),
            dead: norms.dead().len(),
        });
    }
    Ok(layers)
}

/// The slices of largest norm of each of the `selected` kernels, `[k, s, h, w]`, and their input channels. For 1×1 kernels,
/// the same input channels for all: those with the largest norm over all `kernels`.
fn largest_slices(kernels: &Tensor, selected: &Tensor) -> Result<(Tensor, Vec<Vec<usize>>)> {
    let (count, inputs, height, width) = selected.size4()?;
    let is_matrix = (height, width) == (1, 1);
    let norms = if is_matrix {
        let columns = kernels.f_transpose(0, 1)?.f_flatten(1, -1)?;
        row_norms(&columns)?.f_unsqueeze(0)?.f_repeat([count, 1])?
    } else {
        let slices = selected.f_flatten(2, -1)?;
        slices.f_norm_scalaropt_dim(2, [2i64].as_slice(), false)?
    };
    let kept = inputs.min(if is_matrix { COLUMNS } else { SLICES });
    let order = norms
        .f_argsort_stable(true, 1, true)?
        .f_narrow(1, 0, kept)?;
    let index = order
        .f_view([count, kept, 1, 1])?
        .f_expand([count, kept, height, width], false)?;
    let channels = to_floats(&order)?;
    let channels = channels.chunks(kept.max(1) as usize);
    let channels = channels.map(|row| row.iter().map(|&channel| channel as usize).collect());
    Ok((selected.f_gather(1, &index, false)?, channels.collect()))
}

/// The weight of a convolution, `[K, C, h, w]`.
fn weight(model: &LoadedModel, layer: NodeId) -> Result<&Tensor> {
    let convolution = model.network.graph().convolution(layer);
    let missing = || {
        let message = format!("`{}` has no kernels", model.layer(layer));
        Error::new(ErrorKind::Network, message)
    };
    let weight = convolution.ok_or_else(missing)?.weight;
    Ok(model.network.parameter_value(weight))
}

/// The Euclidean norm of each row of `[K, n]`.
fn row_norms(rows: &Tensor) -> Result<Tensor> {
    Ok(rows.f_norm_scalaropt_dim(2, [1i64].as_slice(), false)?)
}

/// The norms of a layer's kernels.
struct Norms {
    /// By kernel.
    values: Vec<f32>,
    /// In ascending order.
    sorted: Vec<f32>,
}

impl Norms {
    fn new(kernels: &Tensor) -> Result<Norms> {
        let values = to_floats(&row_norms(&kernels.f_flatten(1, -1)?)?)?;
        let mut sorted = values.clone();
        sorted.sort_by(f32::total_cmp);
        Ok(Norms { values, sorted })
    }

    /// The quantile of `probability`, interpolated linearly.
    fn quantile(&self, probability: f32) -> f32 {
        let index = probability * self.sorted.len().saturating_sub(1) as f32;
        let (below, above) = (index.floor() as usize, index.ceil() as usize);
        match (self.sorted.get(below), self.sorted.get(above)) {
            (Some(low), Some(high)) => low + (high - low) * (index - index.floor()),
            _ => 0.0,
        }
    }

    /// The kernels' indices, largest norm first.
    fn descending(&self) -> Vec<usize> {
        let mut units: Vec<usize> = (0..self.values.len()).collect();
        units.sort_by(|&a, &b| self.values[b].total_cmp(&self.values[a]).then(a.cmp(&b)));
        units
    }

    /// The indices of the dead kernels.
    fn dead(&self) -> Vec<usize> {
        let threshold = DEAD * self.quantile(0.5);
        let is_dead = |&unit: &usize| self.values[unit] <= threshold;
        (0..self.values.len()).filter(is_dead).collect()
    }
}
