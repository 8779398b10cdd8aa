//! The description of a network in the results: its size, its preprocessing, its layers.

use crate::figures::Note;
use crate::image::{Interpolation, Preprocess};
use crate::network::graph::{Graph, NodeId, Op};
use crate::network::node_info::NodeInfo;
use crate::plan::{AssumedPreprocess, PlannedModel};
use crate::results::{LayerInfo, ModelInfo, WeightsInfo};

/// The description of a loaded network.
pub(super) fn model_info(
    planned: &PlannedModel,
    graph: &Graph,
    info: &[NodeInfo],
    weights: WeightsInfo,
    classes: usize,
) -> ModelInfo {
    let sum = |value: fn(&NodeInfo) -> i64| info.iter().map(value).sum::<i64>() as u64;
    ModelInfo {
        id: planned.id.clone(),
        arch: planned.architecture.name(),
        family: planned.architecture.family().to_owned(),
        weights,
        parameters: sum(|info| info.parameters),
        multiply_adds: sum(|info| info.multiply_adds),
        depth: depth(graph),
        residual_blocks: graph.residual_sums().count() as u32,
        input: [0, 1, 2].map(|dimension| info[0].shape[dimension] as u32),
        preprocess: planned.preprocess.describe(),
        preprocessing: preprocessing_note(&planned.preprocess),
        preprocess_assumed: planned.assumed_preprocess.map(|assumed| {
            Note::new(match assumed {
                AssumedPreprocess::Imagenet => "preprocess.assumed.imagenet",
                AssumedPreprocess::Unit => "preprocess.assumed.unit",
            })
        }),
        task: planned.task,
        notes: planned.notes.clone(),
        classes: classes as u32,
        selected: planned.selected.clone(),
        layers: used_layers(planned, graph, info),
    }
}

/// Every layer that some method uses, in the network's order.
fn used_layers(planned: &PlannedModel, graph: &Graph, info: &[NodeInfo]) -> Vec<LayerInfo> {
    let mut used: Vec<NodeId> = planned.layers.iter().flatten().copied().collect();
    used.sort_unstable();
    used.dedup();
    let last = (graph.nodes().len() - 1).max(1) as f64;
    let layers = used.into_iter().map(|id| LayerInfo {
        name: graph.node(id).name.clone(),
        op: graph.node(id).op.name().to_owned(),
        shape: info[id].shape.clone(),
        stride: info[id].stride(),
        receptive_field: info[id].receptive_field(),
        depth: id as f64 / last,
    });
    layers.collect()
}

/// The preprocessing as a sentence of the report's word list.
fn preprocessing_note(preprocess: &Preprocess) -> Note {
    let filter = match preprocess.interpolation {
        Interpolation::Bilinear => "bilinear",
        Interpolation::Bicubic => "bicubic",
    };
    match (preprocess.resize, preprocess.crop) {
        (Some(resize), Some(crop)) => Note::new(&format!("preprocess.both.{filter}"))
            .with("short", resize)
            .with("side", crop),
        (Some(resize), None) => {
            Note::new(&format!("preprocess.resize.{filter}")).with("short", resize)
        }
        (None, Some(crop)) => Note::new("preprocess.crop").with("side", crop),
        (None, None) => Note::new("preprocess.none"),
    }
}

/// The number of layers with weights (convolutions and linear layers) on the longest path. Gates don't count.
fn depth(graph: &Graph) -> u32 {
    let mut depths: Vec<u32> = Vec::with_capacity(graph.nodes().len());
    for (id, node) in graph.nodes().iter().enumerate() {
        let inputs = match graph.gated_product(id) {
            Some((features, _)) => vec![features],
            None => node.inputs.clone(),
        };
        let below = inputs.iter().map(|&input| depths[input]).max().unwrap_or(0);
        let own = matches!(node.op, Op::Conv2d(_) | Op::Linear(_));
        depths.push(below + u32::from(own));
    }
    depths.last().copied().unwrap_or(0)
}
