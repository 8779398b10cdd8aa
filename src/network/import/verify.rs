//! Whether a network treats the images of a batch independently: three images in one batch have to give, at every node, what
//! each gives alone. A wrong view would mix them without an error.

use std::collections::HashMap;

use tch::{Device, Kind, Tensor};

use crate::error::Result;
use crate::network::forward::Network;
use crate::network::graph::NodeId;
use crate::network::node_values::NodeValues;

/// How many images are compared.
const IMAGES: i64 = 3;

/// The largest difference of a node's projections, as a share of the value's norm.
const TOLERANCE: f64 = 1e-3;

/// A node's value for one image, in two numbers: its product with a fixed vector, and its norm.
type Sketch = (f64, f64);

/// Whether images of `sides` (channels, height, width) have the same values alone and in a batch at all nodes in `compared` that
/// the nodes in `outputs` need.
///
/// # Errors
/// If a node can't be computed.
pub(super) fn is_independent(
    network: &Network,
    sides: [i64; 3],
    compared: &[bool],
    outputs: &[NodeId],
) -> Result<bool> {
    let images = images(sides);
    let together = sketches(network, &images, compared, outputs)?;
    for image in 0..IMAGES {
        let alone = sketches(network, &images.narrow(0, image, 1), compared, outputs)?;
        for (id, alone) in &alone {
            let (Some(together), Some(alone)) = (together.get(id), alone.first()) else {
                continue;
            };
            let Some((projection, _)) = together.get(image as usize) else {
                return Ok(false);
            };
            let (expected, norm) = alone;
            let difference = (projection - expected).abs();
            // Values that overflow in both are no sign of a mixture.
            if difference.is_finite() && difference > TOLERANCE * norm {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Images of different contrast and pattern.
fn images([channels, height, width]: [i64; 3]) -> Tensor {
    let ramp = Tensor::arange(channels * height * width, (Kind::Double, Device::Cpu));
    let image =
        |index: i64| (&ramp * (0.37 + 0.11 * index as f64)).sin() * (0.5 + 0.5 * index as f64);
    let images: Vec<Tensor> = (0..IMAGES).map(image).collect();
    Tensor::stack(&images, 0)
        .to_kind(Kind::Float)
        .view([IMAGES, channels, height, width])
}

/// The sketches of the nodes in `compared`, one for each image.
fn sketches(
    network: &Network,
    images: &Tensor,
    compared: &[bool],
    outputs: &[NodeId],
) -> Result<HashMap<NodeId, Vec<Sketch>>> {
    let graph = network.graph();
    let count = images.size()[0];
    let mut found = HashMap::new();
    let mut vectors: HashMap<i64, Tensor> = HashMap::new();
    let mut record = |id: NodeId, value: Tensor| {
        if compared[id] && value.numel() > 0 {
            let (axis, length) = graph.node(id).batch;
            let mut own = Vec::new();
            let side = value.size().get(axis).copied().unwrap_or(0);
            for image in 0..count.min(side / length) {
                let part = value.f_narrow(axis as i64, image * length, length)?;
                own.push(sketch(&part, &mut vectors)?);
            }
            found.insert(id, own);
        }
        Ok(value)
    };
    let given = NodeValues::from([(graph.input(), images.shallow_clone())]);
    let nodes = (0..compared.len()).filter(|&id| compared[id]).collect();
    tch::no_grad(|| network.forward_with(&given, outputs, &nodes, &mut record))?;
    Ok(found)
}

fn sketch(value: &Tensor, vectors: &mut HashMap<i64, Tensor>) -> Result<Sketch> {
    let flat = value.f_to_kind(Kind::Float)?.f_reshape([-1])?;
    let count = flat.size()[0];
    let vector = vectors
        .entry(count)
        .or_insert_with(|| (Tensor::arange(count, (Kind::Float, Device::Cpu)) * 0.731).cos());
    let product = flat.f_dot(vector)?.f_double_value(&[])?;
    let norm = flat.f_norm()?.f_double_value(&[])?;
    Ok((product, norm))
}
