//! Batched evaluation of many changed copies of an image, in batches that bound the memory.

use tch::{Kind, Tensor};

use super::loaded_model::LoadedModel;
use super::target::Target;
use crate::error::Result;
use crate::network::graph::{Graph, NodeId};

/// The number of pixels of a batch: those of eight images of 224 × 224.
const MAX_PIXELS: i64 = 8 * 224 * 224;

/// How many images of the size of `input`, `[1, 3, H, W]`, are evaluated at once: 1 to 64.
pub fn batch_size(input: &Tensor) -> usize {
    let pixels: i64 = input.size().iter().skip(2).product();
    (MAX_PIXELS / pixels.max(1)).clamp(1, 64) as usize
}

/// The target's value for each of `inputs`, `[N, C, H, W]`: `[N]`, without recording gradients.
///
/// # Errors
/// If libtorch fails.
pub fn target_values(model: &LoadedModel, inputs: &Tensor, target: &Target) -> Result<Tensor> {
    target.values(model, &node_value(model, inputs, target)?)
}

/// How strongly the network supports the target for each of `inputs`, `[N, C, H, W]`: `[N]`, without recording gradients; see
/// [`Target::scores`].
///
/// # Errors
/// If libtorch fails.
pub fn target_scores(model: &LoadedModel, inputs: &Tensor, target: &Target) -> Result<Tensor> {
    target.scores(model, &node_value(model, inputs, target)?)
}

/// The gradient of the target's value with respect to each of `inputs`, `[N, C, H, W]`, in that shape.
///
/// # Errors
/// If libtorch fails.
pub fn input_gradients(model: &LoadedModel, inputs: &Tensor, target: &Target) -> Result<Tensor> {
    tch::with_grad(|| {
        let inputs = inputs.f_detach()?.f_set_requires_grad(true)?;
        let values = model
            .network
            .for_gradients()
            .forward(&inputs, &[target.node])?;
        let values = target.values(model, values.value(target.node)?)?;
        let objective = values.f_sum(Kind::Float)?;
        // No other backward pass follows, so libtorch may free its graph: half the memory, and less time.
        let gradients = Tensor::f_run_backward(&[&objective], &[&inputs], false, false)?;
        Ok(match gradients.into_iter().next().filter(Tensor::defined) {
            Some(gradient) => gradient.f_detach()?,
            None => inputs.f_detach()?.f_zeros_like()?,
        })
    })
}

/// The nodes from before `layer` whose values the nodes after it need besides that of `layer`: the starts of shortcuts that
/// end after it, and the input where a node after it needs that.
pub fn bypassing_nodes(graph: &Graph, layer: NodeId) -> Vec<NodeId> {
    let after = graph.downstream(layer);
    let mut nodes: Vec<NodeId> = (0..graph.nodes().len())
        .filter(|&id| after[id] && id != layer)
        .flat_map(|id| graph.node(id).inputs.iter().copied())
        .filter(|&input| !after[input])
        .collect();
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}

/// The value of the target's node for `inputs`, without recording gradients.
fn node_value(model: &LoadedModel, inputs: &Tensor, target: &Target) -> Result<Tensor> {
    let values = tch::no_grad(|| model.network.for_passes().forward(inputs, &[target.node]))?;
    Ok(values.value(target.node)?.shallow_clone())
}
