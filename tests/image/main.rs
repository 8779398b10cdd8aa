//! Images against Pillow and torchvision, and against files that are not images.
//!
//! `../images/` and its `golden.safetensors` are made by `../make_images.py`.

#[path = "../common/mod.rs"]
mod common;
mod files;
mod rendering;
mod views;

use std::fs;
use std::path::{Path, PathBuf};

use image::RgbImage;
use safetensors::{Dtype, SafeTensors};

/// The folder of the golden files.
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/images")
}

/// The bytes of a file in that folder.
pub fn bytes_of(name: &str) -> Vec<u8> {
    fs::read(folder().join(name)).expect(name)
}

/// Passes the golden tensors to `check`.
pub fn golden<T>(check: impl FnOnce(&SafeTensors) -> T) -> T {
    let bytes = bytes_of("golden.safetensors");
    check(&SafeTensors::deserialize(&bytes).expect("the golden file"))
}

/// An image of the golden file, `[height, width, 3]`.
pub fn golden_image(file: &SafeTensors, key: &str) -> RgbImage {
    let tensor = file.tensor(key).expect(key);
    assert_eq!(tensor.dtype(), Dtype::U8);
    let (height, width) = (tensor.shape()[0] as u32, tensor.shape()[1] as u32);
    RgbImage::from_raw(width, height, tensor.data().to_vec()).expect(key)
}

/// A float32 tensor of the golden file.
pub fn floats(file: &SafeTensors, key: &str) -> Vec<f32> {
    let tensor = file.tensor(key).expect(key);
    assert_eq!(tensor.dtype(), Dtype::F32);
    let values = tensor.data().as_chunks::<4>().0;
    values
        .iter()
        .map(|value| f32::from_le_bytes(*value))
        .collect()
}

/// The largest and the mean difference, in levels.
pub fn difference(found: &RgbImage, expected: &RgbImage) -> (u8, f64) {
    assert_eq!(found.dimensions(), expected.dimensions());
    let differences = found
        .iter()
        .zip(expected.iter())
        .map(|(a, b)| a.abs_diff(*b));
    let sum: f64 = differences.clone().map(f64::from).sum();
    (differences.max().unwrap_or(0), sum / expected.len() as f64)
}
