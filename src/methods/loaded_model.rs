//! A network that is ready to run, with what a run knows about it.

use image::RgbImage;
use tch::{Device, Tensor};

use crate::error::{Error, ErrorKind, Result};
use crate::figures::{ClassInfo, Content, Figure};
use crate::image::{Preprocess, View};
use crate::network::graph::NodeId;
use crate::network::labels::Labels;
use crate::network::layout::Layout;
use crate::network::node_info::NodeInfo;
use crate::network::{Network, Task};

/// A network of an experiment with its labels and its preprocessing.
#[derive(Debug)]
pub struct LoadedModel {
    /// Unique in the experiment; the first part of the keys of its tensors.
    pub id: String,
    /// The graph with its parameters, on `device`.
    pub network: Network,
    /// Shape, cost, stride and receptive field of every node, at the experiment's input size.
    pub info: Vec<NodeInfo>,
    /// What its outputs mean.
    pub task: Task,
    /// The names of its classes, or of its outputs.
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

    /// How many channels its input has.
    pub fn channels(&self) -> usize {
        self.network.graph().input_channels()
    }

    /// The input `[N, 3, H, W]` of a network of three channels for views of one size: normalised, on its device.
    ///
    /// # Errors
    /// If there is no view, they differ in size, the network has other than three channels, or libtorch fails.
    pub fn input(&self, views: &[&RgbImage]) -> Result<Tensor> {
        let (width, height) = views.first().map_or((0, 0), |view| view.dimensions());
        let values = views.iter().map(|view| self.preprocess.normalise(view));
        self.input_of_values(values, 3, [height, width], views.len())
    }

    /// The network's input `[N, C, H, W]` for views of one size: normalised, on its device.
    ///
    /// # Errors
    /// If there is no view, they differ in size, they have other than the network's channels, or libtorch fails.
    pub fn input_of_views(&self, views: &[&View]) -> Result<Tensor> {
        let first = views.first();
        let (width, height) = first.map_or((0, 0), |view| view.pixels.dimensions());
        let channels = first.map_or(0, |view| view.count());
        let values = views
            .iter()
            .map(|view| self.preprocess.normalise_view(view));
        self.input_of_values(values, channels, [height, width], views.len())
    }

    fn input_of_values(
        &self,
        images: impl Iterator<Item = Vec<f32>>,
        channels: usize,
        [height, width]: [u32; 2],
        count: usize,
    ) -> Result<Tensor> {
        if channels != self.channels() {
            let message = format!(
                "{} takes {} channels, and the image has {channels}",
                self.id,
                self.channels()
            );
            return Err(Error::new(ErrorKind::Image, message));
        }
        let shape = [count as i64, channels as i64, height.into(), width.into()];
        let mut values = Vec::with_capacity(shape.iter().product::<i64>() as usize);
        for image in images {
            values.extend(image);
        }
        let input = Tensor::from_slice(&values).f_view(shape)?;
        Ok(input.f_to_device(self.device)?)
    }

    /// The map `[N, C, h, w]` of a node's value, whatever the layout of the value is (tokens, channels last, windows); the
    /// value itself if it has no spatial positions.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn map(&self, id: NodeId, value: &Tensor) -> Result<Tensor> {
        match self.layout(id) {
            Some(layout) => {
                let (axis, length) = self.network.graph().node(id).batch;
                let batch = value.size().get(axis).map_or(1, |side| side / length);
                layout.to_map(value, batch)
            }
            _ => Ok(value.shallow_clone()),
        }
    }

    /// The value of a node whose map is `map`, `[N, C, h, w]`. What is no part of the map, such as a class token, is that of
    /// `value`, which is of one image.
    ///
    /// # Errors
    /// If libtorch fails.
    pub fn value_of_map(&self, id: NodeId, map: &Tensor, value: &Tensor) -> Result<Tensor> {
        match self.layout(id) {
            Some(layout) => layout.from_map(map, value),
            _ => Ok(map.shallow_clone()),
        }
    }

    fn layout(&self, id: NodeId) -> Option<&Layout> {
        let info = self.info.get(id).filter(|info| info.is_spatial())?;
        info.layout.as_ref()
    }

    /// A figure of the network alone: of `method` and, if it has one, of a layer.
    pub fn figure(&self, method: &str, layer: Option<NodeId>, content: Content) -> Figure {
        Figure {
            method: method.to_owned(),
            model: self.id.clone(),
            image: None,
            target: None,
            layer: layer.map(|id| self.layer(id).to_owned()),
            content,
            notes: Vec::new(),
        }
    }
}
