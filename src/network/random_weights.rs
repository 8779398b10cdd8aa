//! Untrained weights that depend only on the parameters' names and a seed, the same on every machine.
//!
//! Each parameter has a stream of [`SplitMix64`] of its own, seeded with the hash of its name. Weights of convolutions and
//! linear layers are Kaiming-uniform, and batch norms have statistics that a trained network could have.

use std::collections::BTreeMap;

use tch::Tensor;

use super::graph::{Graph, Parameter};
use crate::rng::{SplitMix64, fnv1a, mix64};

/// Weights for every parameter and buffer of `graph`, float32, by full name.
pub fn weights(graph: &Graph) -> BTreeMap<String, Tensor> {
    seeded_weights(graph, 0)
}

/// As [`weights`], with other values for each `seed`; seed 0 gives the values of [`weights`].
pub fn seeded_weights(graph: &Graph, seed: u64) -> BTreeMap<String, Tensor> {
    let salt = match seed {
        0 => 0,
        seed => mix64(seed),
    };
    let parameters = graph.parameters().iter();
    parameters
        .map(|Parameter { name, shape, .. }| {
            let values = values(name, shape, salt);
            (
                name.clone(),
                Tensor::from_slice(&values).reshape(shape.as_slice()),
            )
        })
        .collect()
}

/// The values of the parameter `name`, row by row.
fn values(name: &str, shape: &[i64], salt: u64) -> Vec<f32> {
    let count = shape.iter().product::<i64>() as u64;
    let stream = SplitMix64::new(fnv1a(name) ^ salt);
    let uniform = (1..=count).map(|index| (stream.at(index) >> 40) as f32 / (1u32 << 24) as f32);
    if name.ends_with("running_var") {
        uniform.map(|u| 0.5 + u).collect()
    } else if name.ends_with("running_mean") || name.ends_with("bias") {
        uniform.map(|u| (2.0 * u - 1.0) * 0.1).collect()
    } else if shape.len() > 1 {
        let fan_in = shape[1..].iter().product::<i64>() as f64;
        let bound = (6.0 / fan_in).sqrt() as f32;
        uniform.map(|u| (2.0 * u - 1.0) * bound).collect()
    } else {
        // A smaller last scale keeps the sum over many bottlenecks bounded.
        let scale = if name.ends_with("bn3.weight") {
            0.3
        } else {
            1.0
        };
        uniform.map(|u| (0.5 + u) * scale).collect()
    }
}
