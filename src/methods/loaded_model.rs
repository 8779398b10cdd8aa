//! A network that is ready to run, with what a run knows about it.

use image::RgbImage;
use tch::{Device, Tensor};

use crate::error::Result;
use crate::figures::{ClassInfo, Content, Figure};
use crate::image::Preprocess;
use crate::network::Network;
use crate::network::graph::NodeId;
use crate::network::labels::Labels;
use crate::network::node_info::NodeInfo;

/// A network of an experiment with its labels and its preprocessing.
#[derive(Debug)]
pub struct LoadedModel {
    /// Unique in the experiment; the first part of the keys of its tensors.
    pub id: String,
    /// The graph with its parameters, on `device`.
    pub network: Network,
    /// Shape, cost, stride and receptive field of every node, at the experiment's input size.
    pub info: Vec<NodeInfo>,
    /// The names of its classes.
    pub labels: Labels,
    /// How an image becomes its input.
    pub preprocess: Preprocess,
    /// Where it runs.
    pub device: Device,
    /// The experiment's seed.
    pub seed: u64,
}

impl LoadedModel {
    /// The full name of a node.
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

    /// The network's input `[N, 3, H, W]` for views of one size: normalised, on its device.
    ///
    /// # Errors
    /// If there is no view, they differ in size, or libtorch fails.
    pub fn input(&self, views: &[&RgbImage]) -> Result<Tensor> {
        let (width, height) = views.first().map_or((0, 0), |view| view.dimensions());
        let shape = [views.len() as i64, 3, height.into(), width.into()];
        let mut values = Vec::with_capacity(shape.iter().product::<i64>() as usize);
        for view in views {
            values.extend(self.preprocess.normalise(view));
        }
        let input = Tensor::from_slice(&values).f_view(shape)?;
        Ok(input.f_to_device(self.device)?)
    }

    /// A figure of the network alone: of `method` and, if it has one, of a layer.
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
