//! Reads the initialisers of an ONNX file and converts them for VGG-16, whose convolutions are the backbone of the
//! file's network. Only the protobuf fields of the initialisers are decoded, not the graph; the head is convscope's
//! own.

use std::path::Path;

use prost::Message;

use super::dtype::{self, Dtype};
use super::format::{Format, StateDict, file_error, read_limited};
use super::vgg16_head;
use crate::error::Result;

/// An ONNX file with VGG-16's convolutions as Keras names them, together with the head that is part of convscope.
pub(super) const FORMAT: Format = Format {
    name: "onnx_vgg_backbone",
    detect: None,
    read: |path| {
        let mut tensors = vgg16_backbone(read(path)?)?;
        tensors.extend(vgg16_head::read()?);
        Ok(tensors)
    },
    options: |options| options,
};

/// The largest file that is read, in bytes; protobuf allows 2 GiB.
const LIMIT: u64 = 2 << 30;

#[derive(Clone, PartialEq, Message)]
struct OnnxModel {
    #[prost(message, optional, tag = "7")]
    graph: Option<OnnxGraph>,
}

#[derive(Clone, PartialEq, Message)]
struct OnnxGraph {
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

/// `TensorProto.DataType.FLOAT`.
const FLOAT: i32 = 1;

/// Every float32 initialiser of the file, by its name there; those of other data types are ignored.
///
/// # Errors
/// If the file can't be read, is not ONNX, or a tensor's number of values does not match its shape.
pub fn read(path: &Path) -> Result<StateDict> {
    let bytes = read_limited(path, LIMIT)?;
    let model = OnnxModel::decode(bytes.as_slice()).map_err(|cause| {
        file_error(path, "is not an ONNX model, or is cut short").caused_by(cause)
    })?;
    let Some(graph) = model.graph else {
        return Err(file_error(path, "is not an ONNX model: it has no graph"));
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
                .flat_map(|value| value.to_le_bytes())
                .collect(),
        };
        let tensor = dtype::decode(&bytes, Dtype::F32, &initializer.dims)
            .map_err(|problem| file_error(path, &format!("`{name}` {problem}")))?;
        tensors.insert(name, tensor);
    }
    Ok(tensors)
}

/// The number of convolutions in each block of VGG-16.
const VGG16: [usize; 5] = [2, 2, 3, 3, 3];

/// VGG-16's convolutions by torchvision's names, the first one changed from the colours blue, green, red to red, green,
/// blue. The other layers of the file are ignored.
///
/// # Errors
/// If libtorch fails, for example because a kernel does not have four dimensions.
pub fn vgg16_backbone(file: StateDict) -> Result<StateDict> {
    let mut ours = StateDict::new();
    let mut index = 0;
    for (block, count) in (1..).zip(VGG16) {
        for conv in 1..=count {
            let layer = format!("functional_1/block{block}_conv{conv}_1");
            let kernel = file.get(&format!("{layer}/convolution/ReadVariableOp:0"));
            if let Some(kernel) = kernel {
                let kernel = match index {
                    0 => kernel.f_flip([1])?,
                    _ => kernel.shallow_clone(),
                };
                ours.insert(format!("features.{index}.weight"), kernel);
            }
            if let Some(bias) = file.get(&format!("{layer}/Squeeze:0")) {
                let bias = bias.f_flatten(0, -1)?;
                ours.insert(format!("features.{index}.bias"), bias);
            }
            // The ReLU, and after the block the pooling.
            index += 2;
        }
        index += 1;
    }
    Ok(ours)
}
