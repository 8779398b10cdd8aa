//! TensorFlow.js layers models (`model.json` and shards with the values), converted for Keras' ResNet-50.
//!
//! Keras converted that ResNet-50 from Caffe: its convolutions have biases, a block's stride is that of its first 1×1
//! convolution, kernels are height × width × in × out, and the colours of the input are in the order blue, green, red.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use tch::Tensor;

use super::dtype::{self, Dtype};
use super::format::{Format, StateDict, file_error, read_limited};
use crate::error::{Error, Result};
use crate::network::zoo::ArchOptions;

/// Keras' ResNet-50 as a TensorFlow.js layers model; the path is that of `model.json` or of its folder.
pub(super) const FORMAT: Format = Format {
    name: "tfjs",
    detect: None,
    read: |path| keras_resnet(read(path)?),
    options: resnet_options,
};

/// The largest `model.json` that is read, in bytes.
const MANIFEST_LIMIT: u64 = 64 << 20;

#[derive(Deserialize)]
struct LayersModel {
    #[serde(rename = "weightsManifest")]
    groups: Vec<ShardGroup>,
}

#[derive(Deserialize)]
struct ShardGroup {
    paths: Vec<String>,
    weights: Vec<ShardedTensor>,
}

#[derive(Deserialize)]
struct ShardedTensor {
    name: String,
    shape: Vec<i64>,
    dtype: String,
    quantization: Option<serde_json::Value>,
}

/// Every tensor of the model in `folder`, by Keras' names (`res2a_branch2a/kernel`), float32.
///
/// # Errors
/// If `model.json` or a shard is missing or invalid, or a shard has too few bytes.
pub fn read(folder: &Path) -> Result<StateDict> {
    let manifest = if folder.is_dir() {
        folder.join("model.json")
    } else {
        folder.to_owned()
    };
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let text = read_limited(&manifest, MANIFEST_LIMIT)?;
    let model: LayersModel = serde_json::from_slice(&text).map_err(|cause| {
        file_error(
            &manifest,
            "is not a TensorFlow.js model: no `weightsManifest`",
        )
        .caused_by(cause)
    })?;
    let mut tensors = StateDict::new();
    for group in &model.groups {
        let mut bytes = Vec::new();
        for shard in &group.paths {
            // A shard is in the folder of its manifest; other paths are not followed.
            if shard.contains(['/', '\\']) || shard == ".." {
                return Err(file_error(
                    &manifest,
                    &format!("names the shard `{shard}`, which is not a file of its folder"),
                ));
            }
            let path = folder.join(shard);
            let shard = std::fs::read(&path).map_err(|cause| Error::io("read", &path, cause))?;
            bytes.extend_from_slice(&shard);
        }
        let mut rest = bytes.as_slice();
        for weight in &group.weights {
            let clause =
                |clause: &str| file_error(&manifest, &format!("`{}` {clause}", weight.name));
            if weight.dtype != "float32" || weight.quantization.is_some() {
                return Err(clause("must be float32 without quantization"));
            }
            let length = dtype::count(&weight.shape).and_then(|count| count.checked_mul(4));
            let Some((data, after)) = length.and_then(|length| rest.split_at_checked(length))
            else {
                let message = format!(
                    "has shape {:?}, but the shards end {} bytes into it",
                    weight.shape,
                    rest.len()
                );
                return Err(clause(&message).help("the shards are cut short; fetch them again"));
            };
            rest = after;
            let tensor = dtype::decode(data, Dtype::F32, &weight.shape)
                .map_err(|problem| clause(&problem))?;
            tensors.insert(weight.name.clone(), tensor);
        }
        if !rest.is_empty() {
            let message = format!("lists {} bytes fewer than its shards have", rest.len());
            return Err(file_error(&manifest, &message));
        }
    }
    Ok(tensors)
}

/// `options` with Caffe's strides and Keras' ε.
pub fn resnet_options(options: ArchOptions) -> ArchOptions {
    ArchOptions {
        stride_on_1x1: true,
        bn_eps: Some(1e-3),
        ..options
    }
}

/// Keras' ResNet-50 by torchvision's names: kernels as out × in × height × width, the first for red, green, blue; each
/// convolution's bias subtracted from the running mean of the batch norm after it, which has the same effect. Unknown
/// names are unchanged.
///
/// # Errors
/// If a kernel has neither two nor four dimensions.
pub fn keras_resnet(file: StateDict) -> Result<StateDict> {
    let mut ours = StateDict::new();
    let mut biases = BTreeMap::new();
    for (name, tensor) in file {
        let renamed = name
            .split_once('/')
            .and_then(|(layer, part)| Some((torchvision_layer(layer)?, part)));
        match renamed {
            Some((layer, "kernel")) => {
                let tensor = torchvision_kernel(&tensor, layer == "conv1")?;
                ours.insert(format!("{layer}.weight"), tensor);
            }
            Some((layer, "bias")) if layer != "fc" => {
                biases.insert(batch_norm_after(&layer), tensor);
            }
            Some((layer, part)) => {
                let part = match part {
                    "gamma" => "weight",
                    "beta" => "bias",
                    "moving_mean" => "running_mean",
                    "moving_variance" => "running_var",
                    other => other,
                };
                ours.insert(format!("{layer}.{part}"), tensor);
            }
            None => {
                ours.insert(name, tensor);
            }
        }
    }
    for (layer, bias) in biases {
        let name = format!("{layer}.running_mean");
        // A missing mean is reported later, with all other missing names.
        if let Some(mean) = ours.get(&name) {
            let folded = mean.f_sub(&bias)?;
            ours.insert(name, folded);
        }
    }
    Ok(ours)
}

/// torchvision's name for a layer of Keras: `layer1.0.conv1` for `res2a_branch2a`, `layer1.0.downsample.1` for
/// `bn2a_branch1`.
fn torchvision_layer(layer: &str) -> Option<String> {
    match layer {
        "conv1" => return Some("conv1".into()),
        "bn_conv1" => return Some("bn1".into()),
        "fc1000" => return Some("fc".into()),
        _ => {}
    }
    let (is_conv, rest) = match layer.strip_prefix("res") {
        Some(rest) => (true, rest),
        None => (false, layer.strip_prefix("bn")?),
    };
    let (block, branch) = rest.split_once("_branch")?;
    let mut letters = block.chars();
    let stage = letters.next()?.to_digit(10)?.checked_sub(1)?;
    let block = u32::from(letters.next()?).checked_sub(u32::from('a'))?;
    if letters.next().is_some() {
        return None;
    }
    let inside = match (branch, is_conv) {
        ("1", true) => "downsample.0",
        ("1", false) => "downsample.1",
        ("2a", true) => "conv1",
        ("2a", false) => "bn1",
        ("2b", true) => "conv2",
        ("2b", false) => "bn2",
        ("2c", true) => "conv3",
        ("2c", false) => "bn3",
        _ => return None,
    };
    Some(format!("layer{stage}.{block}.{inside}"))
}

/// The batch norm after a convolution, both by torchvision's names.
fn batch_norm_after(conv: &str) -> String {
    match conv.strip_suffix("downsample.0") {
        Some(block) => format!("{block}downsample.1"),
        None => conv.replace("conv", "bn"),
    }
}

/// A kernel or a matrix of Keras in the order of torchvision's dimensions.
fn torchvision_kernel(kernel: &Tensor, reverse_colours: bool) -> Result<Tensor> {
    if kernel.dim() == 2 {
        return Ok(kernel.f_transpose(0, 1)?.f_contiguous()?);
    }
    let kernel = kernel.f_permute([3, 2, 0, 1])?;
    let kernel = if reverse_colours {
        kernel.f_flip([1])?
    } else {
        kernel
    };
    Ok(kernel.f_contiguous()?)
}
