//! What the methods share that run the network on many changed copies of a picture: batches that bound the
//! memory, with or without a backward pass.

use tch::Tensor;

use super::LoadedModel;
use crate::error::Result;
use crate::network::graph::{Graph, NodeId};

/// Pixels a batch may have in all: eight pictures of 224 × 224.
const PIXELS: i64 = 8 * 224 * 224;

/// How many pictures of the size of `input`, `[1, 3, H, W]`, go into a batch; 1 to 64.
pub fn batch(input: &Tensor) -> usize {
    let pixels: i64 = input.size().iter().skip(2).product();
    (PIXELS / pixels.max(1)).clamp(1, 64) as usize
}

/// The class's logit for each of `inputs`, `[N, 3, H, W]`: `[N]`, without a gradient.
///
/// # Errors
/// If libtorch refuses.
pub fn logits(subject: &LoadedModel, inputs: &Tensor, class: usize) -> Result<Tensor> {
    let output = subject.network.graph().output();
    let values = tch::no_grad(|| subject.network.forward(inputs, &[output]))?;
    let logits = values.value(output)?;
    Ok(logits.f_select(1, class as i64)?)
}

/// The class's probability for each of `inputs`, `[N, 3, H, W]`: `[N]`, without a gradient.
///
/// # Errors
/// If libtorch refuses.
pub fn probabilities(subject: &LoadedModel, inputs: &Tensor, class: usize) -> Result<Tensor> {
    let output = subject.network.graph().output();
    let values = tch::no_grad(|| subject.network.forward(inputs, &[output]))?;
    let logits = values.value(output)?;
    let all = logits.f_softmax(1, tch::Kind::Float)?;
    Ok(all.f_select(1, class as i64)?)
}

/// The nodes before `layer` that nodes behind it need, too: where shortcuts leave that end behind it. The input is
/// among them where a node behind needs it.
pub fn around(graph: &Graph, layer: NodeId) -> Vec<NodeId> {
    let behind = graph.downstream(layer);
    let mut around: Vec<NodeId> = (0..graph.nodes().len())
        .filter(|&id| behind[id] && id != layer)
        .flat_map(|id| graph.node(id).inputs.iter().copied())
        .filter(|&input| !behind[input])
        .collect();
    around.sort_unstable();
    around.dedup();
    around
}

/// The gradient of the class's logit at each of `inputs`, `[N, 3, H, W]`, in that shape.
///
/// # Errors
/// If libtorch refuses.
pub fn slopes(subject: &LoadedModel, inputs: &Tensor, class: usize) -> Result<Tensor> {
    let graph = subject.network.graph();
    let output = graph.output();
    tch::with_grad(|| {
        let inputs = inputs.f_detach()?.f_set_requires_grad(true)?;
        let values = subject.network.forward(&inputs, &[output])?;
        let logits = values.value(output)?;
        let objective = logits.f_select(1, class as i64)?.f_sum(tch::Kind::Float)?;
        // No other objective follows, so what the way back has used can go at once: half the memory, and less time.
        let found = Tensor::f_run_backward(&[&objective], &[&inputs], false, false)?;
        Ok(match found.into_iter().next().filter(Tensor::defined) {
            Some(slopes) => slopes.f_detach()?,
            None => inputs.f_detach()?.f_zeros_like()?,
        })
    })
}
