//! The data of `tests/inputs`, made by `tests/make_inputs.py`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use tch::Tensor;

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/inputs")
}

pub fn expected() -> BTreeMap<String, Tensor> {
    let all = Tensor::read_safetensors(folder().join("expected.safetensors")).unwrap();
    all.into_iter().collect()
}

pub fn values(tensor: &Tensor) -> Vec<f32> {
    Vec::try_from(tensor.flatten(0, -1)).unwrap()
}

pub fn difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let pairs = found.iter().zip(expected);
    pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}
