//! `filters`: the kernels of a network's convolutions, as pictures and as norms (Krizhevsky et al. 2012;
//! Zeiler & Fergus 2013, <https://arxiv.org/abs/1311.2901>).
//!
//! **What it shows.** What the first layer looks for in the pixels: edges, bars, colours. The spatial
//! patterns of deeper kernels. Which kernels do nothing, and how large kernels are over the depth.
//! **How it is computed.** From the weights as they are: no batch norm is folded in, no kernel is scaled by
//! itself. A layer's kernels are sorted by falling Euclidean norm. The first layer's `[k, 3, h, w]` are
//! shown in colour; a deeper kernel has one slice `[h, w]` for each channel it reads, of which the four
//! of largest norm are kept, `[k, 4, h, w]` (one where it is depthwise). A kernel is dead if its norm is at
//! most a thousandth of the layer's median. All norms, `[K]`, are kept under
//! `<model>/filters/<layer>/norms`, of every convolution with places.
//! **How to read it.** First layer: mid-grey is zero, brighter than grey a positive weight in that colour; a
//! kernel answers most to a patch that looks like it. Deeper: red adds, blue subtracts.
//! **What it can't show.** What a deeper kernel looks for in the photo: its slices read other
//! channels, not colours. Norms of networks with batch norm say little across layers, for it rescales them.
//! **Options.** `layers`; `count`. **Cost.** None: no picture runs.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{LoadedModel, Method, MethodOutput, to_array, MethodInfo, NetworkMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, KernelNorms};
use crate::network::graph::{Conv, Graph, NodeId, Op};
use crate::network::node_info::NodeInfo;
use crate::network::{LayerSelector, selector};

/// How many slices of a deeper kernel are kept.
const SLICES: i64 = 4;

/// How many inputs of a 1×1 layer are kept, whose kernels are rows of a matrix.
const COLUMNS: i64 = 128;

/// A kernel whose norm is at most this part of the layer's median does nothing.
const DEAD: f32 = 1e-3;

/// Which kernels to show.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Filters {
    /// Which convolutions. A stage, a depth, a module or `last` means the nearest convolution
    /// larger than 1×1 at or before its end; a name or a pattern means exactly itself.
    pub layers: Vec<LayerSelector>,
    /// At most so many of a layer, by falling norm.
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

super::at_layers::at_layers!(Filters);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "filters",
    title: "Filters",
    summary: "the first convolution's kernels in colour, all networks on one scale; deeper ones as their largest slices; the norms of all by depth, and which kernels are dead",
    read: "First layer: each tile is one kernel; grey is a weight of 0, lighter and darker are positive and negative in that colour. Deeper layers: each strip is one kernel, with the slices of largest norm among all the channels it reads; red weights add, blue ones subtract. Each layer begins with its largest kernel.",
    limit: "Only the first layer reads colours, so only its kernels resemble the patterns they detect; a deeper slice weights the activations of another channel, and a few slices are a small part of a kernel.",
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
        word: &LayerSelector,
        graph: &Graph,
        info: &[NodeInfo],
    ) -> Result<Vec<NodeId>> {
        let found = selector::resolve(word, graph, info)?;
        let name = word.0.trim();
        let convolutions: Vec<NodeId> = found
            .iter()
            .copied()
            .filter(|&id| convolution(graph, id).is_some())
            .collect();
        let exact = graph.find(name).is_some();
        if name == "first" || exact || found.len() > 1 || selector::is_glob(name) {
            if convolutions.is_empty() {
                let message = match exact {
                    true => format!("`{name}` is no convolution, so it has no kernels"),
                    false => format!("nothing that `{name}` matches is a convolution"),
                };
                return Err(Error::new(ErrorKind::Network, message)
                    .help("name one (`convscope layers` lists them), or a stage: `stage3`"));
            }
            return Ok(convolutions);
        }
        let spatial = |id: &NodeId| convolution(graph, *id).is_some_and(|conv| conv.kernel > 1);
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

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        if self.count == 0 {
            return Err(Error::new(ErrorKind::Network, "no kernels are asked for")
                .help("`count` is 1 or more"));
        }
        Ok(())
    }

    fn for_network(&self) -> Option<&dyn NetworkMethod> {
        Some(self)
    }
}

impl NetworkMethod for Filters {
    fn network_figures(
        &self,
        subject: &LoadedModel,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        for &layer in layers {
            let content = self.kernels(subject, layer, out)?;
            out.figures
                .push(subject.figure("filters", Some(layer), content));
        }
        let graph = subject.network.graph();
        let last = graph.output().max(1) as f64;
        let mut all = Vec::new();
        for id in graph.convolutions() {
            let Some(conv) = convolution(graph, id) else {
                continue;
            };
            // The convolutions of a gate are beside the features.
            if subject.info.get(id).is_none_or(|info| !info.is_spatial()) {
                continue;
            }
            let norms = Norms::of(weight(subject, id)?)?;
            let key = format!("{}/filters/{}/norms", subject.id, subject.layer(id));
            out.tensor(&key, &Tensor::from_slice(&norms.all))?;
            all.push(KernelNorms {
                layer: subject.layer(id).to_owned(),
                depth: id as f64 / last,
                kernel: conv.kernel,
                depthwise: conv.groups > 1,
                count: norms.all.len(),
                low: norms.quantile(0.05),
                median: norms.quantile(0.5),
                high: norms.quantile(0.95),
                dead: norms.dead().len(),
            });
        }
        let content = Content::Norms { layers: all };
        out.figures.push(subject.figure("filters", None, content));
        Ok(())
    }
}

impl Filters {
    /// One layer's kernels, the largest first.
    fn kernels(
        &self,
        subject: &LoadedModel,
        layer: NodeId,
        out: &mut MethodOutput,
    ) -> Result<Content> {
        let graph = subject.network.graph();
        let kernels = weight(subject, layer)?;
        let norms = Norms::of(kernels)?;
        let mut units = norms.falling();
        units.truncate(self.count);
        let index: Vec<i64> = units.iter().map(|&unit| unit as i64).collect();
        let chosen = kernels.f_index_select(0, &Tensor::from_slice(&index).to(kernels.device()))?;
        let key = format!("{}/filters/{}", subject.id, subject.layer(layer));
        let reads_colours = graph.node(layer).inputs == [graph.input()] && chosen.size()[1] == 3;
        if reads_colours {
            let (low, high) = out.tensor(&key, &chosen)?;
            return Ok(Content::Tiles {
                tensor: key,
                units,
                of: norms.all.len(),
                magnitude: high.max(-low),
                dead: norms.dead(),
            });
        }
        let [count, inputs, height, width] = chosen.size()[..] else {
            let message = format!("`{}` has no kernels", subject.layer(layer));
            return Err(Error::new(ErrorKind::Network, message));
        };
        let strengths = match (height, width) {
            // Columns of a matrix, the same for every row.
            (1, 1) => {
                let columns = kernels.f_transpose(0, 1)?.f_flatten(1, -1)?;
                norm(&columns)?.f_unsqueeze(0)?.f_repeat([count, 1])?
            }
            _ => {
                let slices = chosen.f_flatten(2, -1)?;
                slices.f_norm_scalaropt_dim(2, [2i64].as_slice(), false)?
            }
        };
        let kept = match (height, width) {
            (1, 1) => inputs.min(COLUMNS),
            _ => inputs.min(SLICES),
        };
        let order = strengths
            .f_argsort_stable(true, 1, true)?
            .f_narrow(1, 0, kept)?;
        let places = order
            .f_view([count, kept, 1, 1])?
            .f_expand([count, kept, height, width], false)?;
        let slices = chosen.f_gather(1, &places, false)?;
        let (low, high) = out.tensor(&key, &slices)?;
        let order = to_array(&order)?;
        let order = order.floats().unwrap_or_default();
        Ok(Content::Kernels {
            tensor: key,
            units,
            inputs: order
                .chunks(kept.max(1) as usize)
                .map(|row| row.iter().map(|&at| at as usize).collect())
                .collect(),
            of: norms.all.len(),
            of_inputs: inputs as usize,
            magnitude: high.max(-low),
            dead: norms.dead(),
        })
    }
}

fn convolution(graph: &Graph, id: NodeId) -> Option<Conv> {
    match graph.node(id).op {
        Op::Conv(conv) => Some(conv),
        _ => None,
    }
}

fn weight(subject: &LoadedModel, layer: NodeId) -> Result<&Tensor> {
    let name = format!("{}.weight", subject.layer(layer));
    let missing = || Error::new(ErrorKind::Network, format!("`{name}` is missing"));
    subject.network.parameter(&name).ok_or_else(missing)
}

/// The Euclidean norm of each row of `[K, n]`.
fn norm(rows: &Tensor) -> Result<Tensor> {
    Ok(rows.f_norm_scalaropt_dim(2, [1i64].as_slice(), false)?)
}

/// The norms of a layer's kernels.
struct Norms {
    all: Vec<f32>,
    sorted: Vec<f32>,
}

impl Norms {
    fn of(kernels: &Tensor) -> Result<Norms> {
        let all = to_array(&norm(&kernels.f_flatten(1, -1)?)?)?;
        let all = all.floats().unwrap_or_default().to_vec();
        let mut sorted = all.clone();
        sorted.sort_by(f32::total_cmp);
        Ok(Norms { all, sorted })
    }

    /// Linear between its two neighbours.
    fn quantile(&self, part: f32) -> f32 {
        let at = part * self.sorted.len().saturating_sub(1) as f32;
        let (below, above) = (at.floor() as usize, at.ceil() as usize);
        match (self.sorted.get(below), self.sorted.get(above)) {
            (Some(low), Some(high)) => low + (high - low) * (at - at.floor()),
            _ => 0.0,
        }
    }

    fn falling(&self) -> Vec<usize> {
        let mut units: Vec<usize> = (0..self.all.len()).collect();
        units.sort_by(|&a, &b| self.all[b].total_cmp(&self.all[a]).then(a.cmp(&b)));
        units
    }

    fn dead(&self) -> Vec<usize> {
        let end = DEAD * self.quantile(0.5);
        let is_dead = |&unit: &usize| self.all[unit] <= end;
        (0..self.all.len()).filter(is_dead).collect()
    }
}
