//! The initialisers of an ONNX file, by the few protobuf fields that hold them.
//!
//! Read for the VGG-16 convolutions that lie frozen under another network's head. Only numbers are
//! taken; the file's own graph is not looked at.

use std::path::Path;

use prost::Message;

use super::elements::{self, Element};
use super::{StateDict, wrong};
use crate::error::Result;

/// The largest file that is read, in bytes; protobuf itself ends at 2 GiB.
const LIMIT: u64 = 2 << 30;

#[derive(Clone, PartialEq, Message)]
struct Model {
    #[prost(message, optional, tag = "7")]
    graph: Option<Graph>,
}

#[derive(Clone, PartialEq, Message)]
struct Graph {
    #[prost(message, repeated, tag = "5")]
    initializer: Vec<Initializer>,
}

#[derive(Clone, PartialEq, Message)]
struct Initializer {
    #[prost(int64, repeated, tag = "1")]
    dims: Vec<i64>,
    #[prost(int32, optional, tag = "2")]
    data_type: Option<i32>,
    #[prost(float, repeated, tag = "4")]
    float_data: Vec<f32>,
    #[prost(string, optional, tag = "8")]
    name: Option<String>,
    #[prost(bytes = "vec", optional, tag = "9")]
    raw_data: Option<Vec<u8>>,
}

/// The number ONNX gives float32.
const FLOAT: i32 = 1;

/// Every float32 initialiser of the file, by its name there; those of other types are left out.
///
/// # Errors
/// If the file can't be read, is not ONNX, or a tensor has not as many numbers as its shape says.
pub fn read(path: &Path) -> Result<StateDict> {
    let bytes = super::read_limited(path, LIMIT)?;
    let model = Model::decode(bytes.as_slice())
        .map_err(|cause| wrong(path, "is not an ONNX model, or is cut short").because(cause))?;
    let Some(graph) = model.graph else {
        return Err(wrong(path, "is not an ONNX model: it has no graph"));
    };
    let mut tensors = StateDict::new();
    for initializer in graph.initializer {
        if initializer.data_type != Some(FLOAT) {
            continue;
        }
        let name = initializer.name.unwrap_or_default();
        let bytes = match initializer.raw_data {
            Some(raw) => raw,
            None => initializer
                .float_data
                .iter()
                .flat_map(|number| number.to_le_bytes())
                .collect(),
        };
        let tensor = elements::tensor(&bytes, Element::F32, &initializer.dims)
            .map_err(|problem| wrong(path, &format!("`{name}` {problem}")))?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// How many convolutions stand in each block of VGG-16.
const VGG16: [usize; 5] = [2, 2, 3, 3, 3];

/// VGG-16's convolutions under torchvision's names, the first turned from blue-green-red to
/// red-green-blue; what lies above them in the file belongs to another network and is left out.
///
/// # Errors
/// If libtorch refuses to turn the first kernel.
pub fn vgg16_backbone(file: StateDict) -> Result<StateDict> {
    let mut ours = StateDict::new();
    let mut place = 0;
    for (block, count) in (1..).zip(VGG16) {
        for conv in 1..=count {
            let layer = format!("functional_1/block{block}_conv{conv}_1");
            let kernel = file.get(&format!("{layer}/convolution/ReadVariableOp:0"));
            if let Some(kernel) = kernel {
                let kernel = match place {
                    0 => kernel.f_flip([1])?,
                    _ => kernel.shallow_clone(),
                };
                ours.insert(format!("features.{place}.weight"), kernel);
            }
            if let Some(bias) = file.get(&format!("{layer}/Squeeze:0")) {
                let bias = bias.f_flatten(0, -1)?;
                ours.insert(format!("features.{place}.bias"), bias);
            }
            // The ReLU, and after the block the pooling.
            place += 2;
        }
        place += 1;
    }
    Ok(ours)
}
