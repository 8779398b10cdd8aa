//! What a method is given to look at: a network, a picture's forward pass through it, and a class's
//! backward pass; and where it puts what it found.

use tch::{Device, Kind, Tensor};

use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Array, ClassInfo, Content, Figure, Tensors};
use crate::image::Preprocess;
use crate::network::graph::NodeId;
use crate::network::labels::Labels;
use crate::network::node_info::NodeInfo;
use crate::network::{Network, NodeValues};

/// A network of the experiment, ready to run.
#[derive(Debug)]
pub struct LoadedModel {
    /// Unique in the experiment; the first part of its tensors' keys.
    pub id: String,
    pub network: Network,
    /// Of every node, at the size the pictures have.
    pub info: Vec<NodeInfo>,
    pub labels: Labels,
    /// How a picture becomes its input.
    pub preprocess: Preprocess,
    pub device: Device,
    /// What every random choice of the experiment starts from.
    pub seed: u64,
}

impl LoadedModel {
    /// A node's full name.
    pub fn layer(&self, id: NodeId) -> &str {
        &self.network.graph().node(id).name
    }

    /// A class with its name.
    pub fn class(&self, index: usize) -> ClassInfo {
        ClassInfo {
            index,
            name: self.labels.name(index),
        }
    }
}

/// One picture's forward pass, shared by all methods.
#[derive(Debug)]
pub struct ForwardPass<'a> {
    pub subject: &'a LoadedModel,
    /// The picture's id.
    pub image: &'a str,
    /// `[1, 3, H, W]`, preprocessed; wants a gradient where a method asks for one.
    pub input: &'a Tensor,
    /// The nodes that some method asked for, the logits among them.
    pub values: &'a NodeValues,
}

impl ForwardPass<'_> {
    /// The kept value of a node, with the batch.
    ///
    /// # Errors
    /// If no method asked for it before the pass.
    pub fn value(&self, id: NodeId) -> Result<&Tensor> {
        self.values.value(id)
    }
}

/// One class's backward pass over a picture's forward pass.
#[derive(Debug)]
pub struct BackwardPass<'a> {
    pub pass: &'a ForwardPass<'a>,
    pub class: ClassInfo,
    /// Of the class's logit, at the input and at every layer asked for.
    pub gradients: &'a NodeValues,
}

impl BackwardPass<'_> {
    /// The gradient of the class's logit at a node, with the batch.
    ///
    /// # Errors
    /// If no method asked for it before the pass.
    pub fn gradient(&self, id: NodeId) -> Result<&Tensor> {
        self.gradients.value(id)
    }

    /// A figure of this pass, about `method` and possibly a layer.
    pub fn figure(&self, method: &str, layer: Option<NodeId>, content: Content) -> Figure {
        Figure {
            class: Some(self.class.clone()),
            ..self.pass.figure(method, layer, content)
        }
    }

    /// `<model>/<image>/<method>/<class>[/<layer>]`.
    pub fn key(&self, method: &str, layer: Option<NodeId>) -> String {
        let (model, image) = (&self.pass.subject.id, self.pass.image);
        let key = format!("{model}/{image}/{method}/{}", self.class.index);
        match layer {
            Some(id) => format!("{key}/{}", self.pass.subject.layer(id)),
            None => key,
        }
    }
}

impl ForwardPass<'_> {
    /// A figure of this picture, about `method` and possibly a layer.
    pub fn figure(&self, method: &str, layer: Option<NodeId>, content: Content) -> Figure {
        Figure {
            image: Some(self.image.to_owned()),
            ..self.subject.figure(method, layer, content)
        }
    }
}

impl LoadedModel {
    /// A figure of the network alone, about `method` and possibly a layer.
    pub fn figure(&self, method: &str, layer: Option<NodeId>, content: Content) -> Figure {
        Figure {
            method: method.to_owned(),
            model: self.id.clone(),
            image: None,
            class: None,
            layer: layer.map(|id| self.layer(id).to_owned()),
            content,
            notes: Vec::new(),
        }
    }
}

/// What the methods found.
#[derive(Debug, Default)]
pub struct MethodOutput {
    pub figures: Vec<Figure>,
    pub tensors: Tensors,
}

impl MethodOutput {
    /// Stores a tensor (any kind, any device) as float32 under `key`; says its range.
    ///
    /// # Errors
    /// If it holds something that is not finite: no picture can be made of that.
    pub fn tensor(&mut self, key: &str, tensor: &Tensor) -> Result<(f32, f32)> {
        let array = to_array(tensor)?;
        let floats = array.floats().unwrap_or_default();
        if floats.iter().any(|value| !value.is_finite()) {
            let message = format!("`{key}` holds values that are not finite");
            return Err(Error::new(ErrorKind::Network, message));
        }
        let low = floats.iter().copied().fold(f32::INFINITY, f32::min);
        let high = floats.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        self.tensors.insert(key.to_owned(), array);
        Ok((low, high))
    }

    /// Stores a map `[height, width]` under `key` and says what a figure of it holds.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub fn map(&mut self, key: &str, map: &Tensor, signed: bool) -> Result<Content> {
        let (minimum, maximum) = self.tensor(key, map)?;
        Ok(Content::Map {
            tensor: key.to_owned(),
            signed,
            minimum,
            maximum,
        })
    }

    /// Stores parts of a logit, `[3, H, W]` and signed, under `<key>/raw`, and their sum over the
    /// colours as a figure's map; gives that figure back for its notes.
    ///
    /// # Errors
    /// As [`tensor`](Self::tensor).
    pub fn parts(
        &mut self,
        name: &str,
        pass: &BackwardPass,
        parts: &Tensor,
    ) -> Result<&mut Figure> {
        let key = pass.key(name, None);
        self.tensor(&format!("{key}/raw"), parts)?;
        let sum = parts.f_sum_dim_intlist([0i64].as_slice(), false, None)?;
        let content = self.map(&key, &sum, true)?;
        self.figures.push(pass.figure(name, None, content));
        let missing = || Error::new(ErrorKind::Network, format!("`{key}` was not stored"));
        self.figures.last_mut().ok_or_else(missing)
    }
}

/// The values of a libtorch tensor of any kind and device as float32, row by row.
///
/// # Errors
/// If libtorch can't copy it.
pub fn to_floats(tensor: &Tensor) -> Result<Vec<f32>> {
    let flat = tensor
        .detach()
        .f_to_device(Device::Cpu)?
        .f_to_kind(Kind::Float)?
        .f_contiguous()?
        .f_view([-1])?;
    let mut values = vec![0f32; flat.numel()];
    flat.f_copy_data(&mut values, flat.numel())?;
    Ok(values)
}

/// A libtorch tensor as a plain float32 array.
///
/// # Errors
/// If libtorch can't copy it.
pub fn to_array(tensor: &Tensor) -> Result<Array> {
    let shape: Vec<usize> = tensor.size().iter().map(|&side| side as usize).collect();
    Ok(Array::f32(&shape, to_floats(tensor)?))
}
