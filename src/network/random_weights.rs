//! Untrained weights that follow from the parameters' names alone, the same on every machine.
//!
//! Each name is hashed (FNV-1a) and seeds a SplitMix64 stream; kernels are Kaiming-uniform, and
//! batch norms have statistics that a trained network could have.

use std::collections::BTreeMap;

use tch::Tensor;

use super::graph::Graph;

/// Weights for every parameter of `graph`, float32.
pub fn weights(graph: &Graph) -> BTreeMap<String, Tensor> {
    weights_of(graph, 0)
}

/// The same drawn anew for every `seed`; 0 gives [`weights`].
pub fn weights_of(graph: &Graph, seed: u64) -> BTreeMap<String, Tensor> {
    let salt = match seed {
        0 => 0,
        seed => splitmix(seed),
    };
    graph
        .parameters()
        .into_iter()
        .map(|(name, shape)| {
            let values = values(&name, &shape, salt);
            (name, Tensor::from_slice(&values).reshape(shape))
        })
        .collect()
}

fn values(name: &str, shape: &[i64], salt: u64) -> Vec<f32> {
    let count = shape.iter().product::<i64>() as u64;
    let seed = fnv1a(name) ^ salt;
    let uniform = (1..=count).map(|i| {
        let z = seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        (splitmix(z) >> 40) as f32 / (1u32 << 24) as f32
    });
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

/// FNV-1a (64 bit) of a text.
pub(crate) fn fnv1a(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// SplitMix64's output function (Steele, Lea & Flood 2014).
pub(crate) fn splitmix(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}
