//! What the class activation maps have in common: a weighted sum of a layer's channels, stored before and after its
//! negative part is set to 0.

use tch::Tensor;

use super::forward_backward::BackwardPass;
use super::method_output::MethodOutput;
use crate::error::Result;
use crate::network::graph::NodeId;

/// The dimensions of the spatial positions of `[1, C, h, w]`.
pub const SPATIAL: &[i64] = &[2, 3];

/// Adds a map for each layer. `weight` returns the contribution of each channel at each spatial position, from the layer's
/// values and gradients; all are `[1, C, h, w]`. The sum over the channels is stored under `<key>/raw`, and its positive
/// part, `[h, w]`, is the map.
///
/// # Errors
/// If a layer was not kept, or libtorch fails.
pub fn add_maps(
    method: &str,
    pass: &BackwardPass,
    layers: &[NodeId],
    out: &mut MethodOutput,
    weight: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<()> {
    for &layer in layers {
        let sum = weighted_sum(pass, layer, &weight)?;
        let key = pass.key(method, Some(layer));
        out.tensor(&format!("{key}/raw"), &sum)?;
        let content = out.map(&key, &sum.f_relu()?, false)?;
        out.figures.push(pass.figure(method, Some(layer), content));
    }
    Ok(())
}

/// The contributions that `weight` returns for one layer, summed over the channels, with negative values: `[h, w]`.
///
/// # Errors
/// If the layer was not kept, or libtorch fails.
pub fn weighted_sum(
    pass: &BackwardPass,
    layer: NodeId,
    weight: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    Ok(weight(&pass.map(layer)?, &pass.map_gradient(layer)?)?
        .f_sum_dim_intlist([1i64].as_slice(), false, None)?
        .f_squeeze_dim(0)?)
}
