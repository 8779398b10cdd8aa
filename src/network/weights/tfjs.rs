//! TensorFlow.js layers models: `model.json` beside shards of numbers, with Keras' names.
//!
//! Read for the ResNet-50 that Keras took over from Caffe: its convolutions have biases and stride
//! 2 stands on the 1×1, its kernels are height × width × in × out, and the first takes blue first.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use tch::Tensor;

use super::elements::{self, Element};
use super::{StateDict, wrong};
use crate::error::{Error, Result};
use crate::network::zoo::Options;

/// The largest `model.json` that is read, in bytes.
const MANIFEST_LIMIT: u64 = 64 << 20;

#[derive(Deserialize)]
struct Model {
    #[serde(rename = "weightsManifest")]
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    paths: Vec<String>,
    weights: Vec<Weight>,
}

#[derive(Deserialize)]
struct Weight {
    name: String,
    shape: Vec<i64>,
    dtype: String,
    quantization: Option<serde_json::Value>,
}

/// Every tensor of the model in `folder`, by Keras' names (`res2a_branch2a/kernel`), float32.
///
/// # Errors
/// If `model.json` or a shard is missing, is not what it should be, or has too few bytes.
pub fn read(folder: &Path) -> Result<StateDict> {
    let manifest = match folder.is_dir() {
        true => folder.join("model.json"),
        false => folder.to_owned(),
    };
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let text = super::read_limited(&manifest, MANIFEST_LIMIT)?;
    let model: Model = serde_json::from_slice(&text).map_err(|cause| {
        wrong(
            &manifest,
            "is not a TensorFlow.js model: no `weightsManifest`",
        )
        .because(cause)
    })?;
    let mut tensors = StateDict::new();
    for group in &model.groups {
        let mut bytes = Vec::new();
        for shard in &group.paths {
            // A shard lies beside its manifest; a path that leads elsewhere is not followed.
            if shard.contains(['/', '\\']) || shard == ".." {
                return Err(wrong(&manifest, &format!("names the shard `{shard}`")));
            }
            let path = folder.join(shard);
            let shard = std::fs::read(&path).map_err(|cause| Error::io("read", &path, cause))?;
            bytes.extend_from_slice(&shard);
        }
        let mut rest = bytes.as_slice();
        for weight in &group.weights {
            let clause = |clause: &str| wrong(&manifest, &format!("`{}` {clause}", weight.name));
            if weight.dtype != "float32" || weight.quantization.is_some() {
                return Err(clause("is not plain float32"));
            }
            let length = elements::count(&weight.shape).and_then(|count| count.checked_mul(4));
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
            let tensor = elements::tensor(data, Element::F32, &weight.shape)
                .map_err(|problem| clause(&problem))?;
            tensors.insert(weight.name.clone(), tensor);
        }
        if !rest.is_empty() {
            let message = format!("says {} bytes less than its shards hold", rest.len());
            return Err(wrong(&manifest, &message));
        }
    }
    Ok(tensors)
}

/// What the format says of the network: Caffe's strides and Keras' ε.
pub fn resnet_options(options: Options) -> Options {
    Options {
        stride_on_1x1: true,
        bn_eps: Some(1e-3),
        ..options
    }
}

/// Keras' ResNet-50 under torchvision's names: kernels turned to out × in × height × width, the
/// first to red, green, blue; each convolution's bias taken off the mean of the batch norm behind
/// it, which comes to the same. Names it does not know stay as they are.
///
/// # Errors
/// If libtorch refuses a tensor of a shape that can't be turned.
pub fn keras_resnet(file: StateDict) -> Result<StateDict> {
    let mut ours = StateDict::new();
    let mut biases = BTreeMap::new();
    for (name, tensor) in file {
        let renamed = name
            .split_once('/')
            .and_then(|(layer, part)| Some((torchvision(layer)?, part)));
        match renamed {
            Some((layer, "kernel")) => {
                let tensor = turned(&tensor, layer == "conv1")?;
                ours.insert(format!("{layer}.weight"), tensor);
            }
            Some((layer, "bias")) if layer != "fc" => {
                biases.insert(batch_norm_behind(&layer), tensor);
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
        // A mean that is missing is found missing later, with all the others.
        if let Some(mean) = ours.get(&name) {
            let folded = mean.f_sub(&bias)?;
            ours.insert(name, folded);
        }
    }
    Ok(ours)
}

/// `res2a_branch2a` is `layer1.0.conv1`, `bn2a_branch1` is `layer1.0.downsample.1`.
fn torchvision(layer: &str) -> Option<String> {
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

fn batch_norm_behind(conv: &str) -> String {
    match conv.strip_suffix("downsample.0") {
        Some(block) => format!("{block}downsample.1"),
        None => conv.replace("conv", "bn"),
    }
}

fn turned(kernel: &Tensor, blue_first: bool) -> Result<Tensor> {
    if kernel.dim() == 2 {
        return Ok(kernel.f_transpose(0, 1)?.f_contiguous()?);
    }
    let kernel = kernel.f_permute([3, 2, 0, 1])?;
    let kernel = match blue_first {
        true => kernel.f_flip([1])?,
        false => kernel,
    };
    Ok(kernel.f_contiguous()?)
}
