//! What the class activation maps share: a layer's channels summed with some weight, kept before and
//! after its negative part is cut off.

use tch::Tensor;

use super::{BackwardPass, MethodOutput};
use crate::error::Result;
use crate::network::graph::NodeId;

/// Height and width of `[1, C, h, w]`.
pub const PLACES: &[i64] = &[2, 3];

/// For every layer, `weigh` makes of its values and gradients, both `[1, C, h, w]`, what each channel
/// says at each place, in the same shape. The sum over channels is stored under `<key>/raw`, and its
/// positive part, `[h, w]`, as the figure's map.
///
/// # Errors
/// If a layer was not kept, or libtorch refuses.
pub fn draw(
    name: &str,
    pass: &BackwardPass,
    layers: &[NodeId],
    out: &mut MethodOutput,
    weigh: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<()> {
    for &layer in layers {
        let sum = sum(pass, layer, &weigh)?;
        let key = pass.key(name, Some(layer));
        out.tensor(&format!("{key}/raw"), &sum)?;
        let content = out.map(&key, &sum.f_relu()?, false)?;
        out.figures.push(pass.figure(name, Some(layer), content));
    }
    Ok(())
}

/// What `weigh` makes of one layer's values and gradients, both `[1, C, h, w]`, summed over the
/// channels: `[h, w]`, with its negative part.
///
/// # Errors
/// If the layer was not kept, or libtorch refuses.
pub fn sum(
    pass: &BackwardPass,
    layer: NodeId,
    weigh: impl Fn(&Tensor, &Tensor) -> Result<Tensor>,
) -> Result<Tensor> {
    let values = pass.pass.value(layer)?.f_detach()?;
    Ok(weigh(&values, pass.gradient(layer)?)?
        .f_sum_dim_intlist([1i64].as_slice(), false, None)?
        .f_squeeze_dim(0)?)
}
