//! One way to evaluate a network: the forward pass of an image with some nodes kept, and the backward pass of a target.
//!
//! ```text
//! let input = model.input(&[&view])?;                               // [1, 3, H, W]
//! let forward = model.forward_with_gradients("cat", &input, &[layer])?;
//! let backward = forward.backward(model.class_target(281), &[layer])?;
//! backward.gradient(layer)?;                                        // of the logit of class 281
//! ```

use tch::{Kind, Tensor};

use super::loaded_model::LoadedModel;
use super::target::Target;
use crate::error::Result;
use crate::figures::{Content, Figure};
use crate::network::graph::NodeId;
use crate::network::{NodeValues, gradients};

/// The forward pass of an image.
#[derive(Debug)]
pub struct ForwardPass<'a> {
    /// The network.
    pub model: &'a LoadedModel,
    /// The image's id.
    pub image: String,
    /// The preprocessed image, `[1, 3, H, W]`.
    pub input: Tensor,
    /// The values of the input, the output and the nodes that were to be kept.
    pub values: NodeValues,
}

/// The backward pass of a target after a forward pass.
#[derive(Debug)]
pub struct BackwardPass<'a> {
    /// The forward pass.
    pub forward: &'a ForwardPass<'a>,
    /// What is explained.
    pub target: Target,
    /// The gradients of the target's value at the input and at the nodes that were asked for.
    pub gradients: NodeValues,
}

impl LoadedModel {
    /// The forward pass of `input`, `[1, 3, H, W]`, which is that of the image with the id `image`. The values of `nodes` are
    /// kept; no gradients are recorded.
    ///
    /// # Errors
    /// If libtorch fails, with the name of the node.
    pub fn forward(
        &self,
        image: &str,
        input: &Tensor,
        nodes: &[NodeId],
    ) -> Result<ForwardPass<'_>> {
        tch::no_grad(|| self.forward_pass(image, input.f_detach()?, nodes))
    }

    /// As [`forward`](Self::forward), and the gradients at `nodes` and at the input can be taken afterwards.
    ///
    /// # Errors
    /// As [`forward`](Self::forward).
    pub fn forward_with_gradients(
        &self,
        image: &str,
        input: &Tensor,
        nodes: &[NodeId],
    ) -> Result<ForwardPass<'_>> {
        tch::with_grad(|| {
            let input = input.f_detach()?.f_set_requires_grad(true)?;
            self.forward_pass(image, input, nodes)
        })
    }

    fn forward_pass(
        &self,
        image: &str,
        input: Tensor,
        nodes: &[NodeId],
    ) -> Result<ForwardPass<'_>> {
        let graph = self.network.graph();
        let keep = sorted([nodes, &[graph.input(), graph.output()]].concat());
        Ok(ForwardPass {
            model: self,
            image: image.to_owned(),
            values: self.network.forward(&input, &keep)?,
            input,
        })
    }
}

impl ForwardPass<'_> {
    /// The value of a node that was kept, `[1, …]`.
    ///
    /// # Errors
    /// If it was not kept.
    pub fn value(&self, id: NodeId) -> Result<&Tensor> {
        self.values.value(id)
    }

    /// The map of a node that was kept, `[1, C, h, w]`: see [`LoadedModel::map`].
    ///
    /// # Errors
    /// If it was not kept, or libtorch fails.
    pub fn map(&self, id: NodeId) -> Result<Tensor> {
        self.model.map(id, self.value(id)?)
    }

    /// The logits, `[1, classes]`.
    ///
    /// # Errors
    /// Never: the output is always kept.
    pub fn logits(&self) -> Result<&Tensor> {
        self.value(self.model.network.graph().output())
    }

    /// The backward pass of `target`, with its gradients at the input and at `nodes`, which the forward pass must have kept
    /// with gradients, as the target's node. Others may follow.
    ///
    /// # Errors
    /// If a node was not kept, no gradient was recorded, or libtorch fails.
    pub fn backward(&self, target: Target, nodes: &[NodeId]) -> Result<BackwardPass<'_>> {
        let nodes = sorted([nodes, &[self.model.network.graph().input()]].concat());
        let value = self.value(target.node)?;
        let objective = tch::with_grad(|| -> Result<Tensor> {
            Ok(target.values(self.model, value)?.f_sum(None::<Kind>)?)
        })?;
        Ok(BackwardPass {
            forward: self,
            target,
            gradients: gradients(&objective, &self.values, &nodes)?,
        })
    }

    /// The key of a tensor that depends on no class: `<model>/<image>/<method>[/<layer>]`.
    pub fn key(&self, method: &str, layer: Option<NodeId>) -> String {
        let key = format!("{}/{}/{method}", self.model.id, self.image);
        match layer {
            Some(id) => format!("{key}/{}", self.model.layer(id)),
            None => key,
        }
    }

    /// A figure of the image: of `method` and, if it has one, of a layer.
    pub fn figure(&self, method: &str, layer: Option<NodeId>, content: Content) -> Figure {
        Figure {
            image: Some(self.image.clone()),
            ..self.model.figure(method, layer, content)
        }
    }
}

impl BackwardPass<'_> {
    /// The network.
    pub fn model(&self) -> &LoadedModel {
        self.forward.model
    }

    /// The preprocessed image, `[1, 3, H, W]`, detached.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn input(&self) -> Result<Tensor> {
        Ok(self.forward.input.f_detach()?)
    }

    /// The value of a node that was kept, `[1, …]`, detached.
    ///
    /// # Errors
    /// If it was not kept.
    pub fn value(&self, id: NodeId) -> Result<Tensor> {
        Ok(self.forward.value(id)?.f_detach()?)
    }

    /// The map of a node that was kept, `[1, C, h, w]`, detached.
    ///
    /// # Errors
    /// If it was not kept, or libtorch fails.
    pub fn map(&self, id: NodeId) -> Result<Tensor> {
        self.model().map(id, &self.value(id)?)
    }

    /// The gradient of the target's value with respect to the map of a node, `[1, C, h, w]`.
    ///
    /// # Errors
    /// If it was not computed, or libtorch fails.
    pub fn map_gradient(&self, id: NodeId) -> Result<Tensor> {
        self.model().map(id, self.gradient(id)?)
    }

    /// The logits, `[1, classes]`, detached.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn logits(&self) -> Result<Tensor> {
        Ok(self.forward.logits()?.f_detach()?)
    }

    /// The gradient of the target's value at a node, in the shape of the node's value.
    ///
    /// # Errors
    /// If it was not asked for.
    pub fn gradient(&self, id: NodeId) -> Result<&Tensor> {
        self.gradients.value(id)
    }

    /// A figure of the image and the target: of `method` and, if it has one, of a layer.
    pub fn figure(&self, method: &str, layer: Option<NodeId>, content: Content) -> Figure {
        Figure {
            target: Some(self.target.info.clone()),
            ..self.forward.figure(method, layer, content)
        }
    }

    /// The target's value for the image.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn target_value(&self) -> Result<f64> {
        let value = self.value(self.target.node)?;
        let values = self.target.values(self.model(), &value)?;
        Ok(values.f_double_value(&[0])?)
    }

    /// The key of a tensor: `<model>/<image>/<method>/<target>[/<layer>]`.
    pub fn key(&self, method: &str, layer: Option<NodeId>) -> String {
        let (model, image) = (&self.model().id, &self.forward.image);
        let key = format!("{model}/{image}/{method}/{}", self.target.info.key());
        match layer {
            Some(id) => format!("{key}/{}", self.model().layer(id)),
            None => key,
        }
    }
}

/// The nodes in the network's order, each once.
fn sorted(mut nodes: Vec<NodeId>) -> Vec<NodeId> {
    nodes.sort_unstable();
    nodes.dedup();
    nodes
}
