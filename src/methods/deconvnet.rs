//! `deconvnet`: the units of a layer with the largest activations, each projected to the pixels (Zeiler & Fergus 2013,
//! <https://arxiv.org/abs/1311.2901>).
//!
//! **What it shows.** For an image: which units of a layer have the largest activations, where, and which pattern of the
//! image causes each of them.
//! **How it is computed.** Only the largest activation of a unit is kept; all other activations of the layer are set to 0.
//! It is propagated back to the pixels: through transposed convolutions, through max pooling by the switches of the forward
//! pass, and at each ReLU of the network, negative values of the signal are set to 0, whatever the sign in the forward pass was. Batch
//! norm multiplies by its scale. The projection, `[3, h, w]`, signed, is cut to the unit's receptive field; outside it is 0.
//! **How to read it.** Beside each projection is the patch of the image in the unit's receptive field. Grey is 0; the pattern
//! that differs from grey is what activates the unit in the patch.
//! **What it can't show.** It can't show what else activates the unit, or how the network uses it. The projection is not a
//! gradient, and it depends on the image through the switches only: without max pooling in between (most of a ResNet) it shows mostly the
//! unit's weights and little of the image. Networks without a ReLU (SiLU) have no projections.
//! **Options.** `layers`; `units`, how many (those with the largest activations) or which.
//! **Cost.** One forward pass for each image, and one backward pass for each unit of each layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::activations::Channels;
use super::{
    ForwardPass, ImageMethod, LoadedModel, Method, MethodInfo, MethodOutput, ResultKind, to_floats,
};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, Note, UnitProjection};
use crate::image::Window;
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::receptive_field::ReceptiveFields;
use crate::network::{ReluRule, Tape};

/// The layers, and which of their units are projected.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deconvnet {
    /// Layers with height and width.
    #[schemars(length(min = 1))]
    pub layers: Vec<LayerSelector>,
    /// How many units (those with the largest activations for the image), or a list of their indices.
    pub units: Channels,
}

impl Default for Deconvnet {
    fn default() -> Self {
        let layers = ["stage2", "stage3", "stage4"];
        Deconvnet {
            layers: layers.map(|name| LayerSelector(name.into())).to_vec(),
            units: Channels::Strongest(4),
        }
    }
}

super::layer_constructors::at_layers!(Deconvnet);

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "deconvnet",
    title: "Deconvnet",
    summary: "the strongest units of a layer, each activation propagated back to the pixels, beside the patch of its receptive field (Zeiler & Fergus 2013)",
    read: "For each of the units with the largest activations for the photo: below, the patch of the photo in its receptive field where the activation is largest; above, that one activation propagated back to the pixels, so that the pattern it responds to differs from grey. The numbers on the first image show where the patches are.",
    limit: "It is no gradient, it shows one position of one unit, and not how the network uses it; and where little max pooling lies in between (in a ResNet or an EfficientNet) it shows more about the unit's weights than about the photo.",
    result: ResultKind::Projections,
    papers: &[
        "Zeiler, M. D., and Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV. arXiv:1311.2901",
    ],
};

impl Method for Deconvnet {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn selectors(&self) -> &[LayerSelector] {
        &self.layers
    }

    fn check(&self, graph: &Graph, info: &[NodeInfo], layers: &[NodeId]) -> Result<()> {
        self.units.check(graph, info, layers)
    }

    fn for_image(&self) -> Option<&dyn ImageMethod> {
        Some(self)
    }
}

impl ImageMethod for Deconvnet {
    fn image_figures(
        &self,
        pass: &ForwardPass,
        layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let network = &pass.model.network;
        if !network.has_relu() {
            let reason = Note::new("note.no_relu");
            let content = Content::Absent { reason };
            out.figures.push(pass.figure(INFO.key, None, content));
            return Ok(());
        }
        let projector = Projector::new(pass.model, &pass.input, layers)?;
        for &layer in layers {
            let peaks = projector.peaks(layer)?;
            let maxima: Vec<f32> = peaks.iter().map(|peak| peak.value).collect();
            let mut units = Vec::new();
            for unit in self.units.choose(&maxima) {
                let projection = projector.project(layer, unit, peaks[unit].position)?;
                let key = format!("{}/{unit}", pass.key(INFO.key, Some(layer)));
                out.tensor(&key, &projection.pixels)?;
                units.push(UnitProjection {
                    unit,
                    value: projection.value,
                    position: projection.position,
                    window: projection.window,
                    tensor: key,
                });
            }
            let content = Content::Projections {
                units,
                total: peaks.len(),
            };
            let mut figure = pass.figure(INFO.key, Some(layer), content);
            if network.has_relu6() {
                figure.notes.push(Note::new("note.relu6_deconvnet"));
            }
            out.figures.push(figure);
        }
        Ok(())
    }
}

/// A unit's largest activation, and where it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peak {
    /// The activation.
    pub value: f32,
    /// Row and column in the layer; the first of equal activations.
    pub position: [usize; 2],
}

/// One activation of a unit, projected to the pixels.
#[derive(Debug)]
pub struct Projection {
    /// The unit's index in its layer.
    pub unit: usize,
    /// Row and column in the layer.
    pub position: [usize; 2],
    /// The activation at that position.
    pub value: f32,
    /// Its receptive field in the input.
    pub window: Window,
    /// The window's part of the projection, `[C, h, w]`, signed; it is 0 outside, and everywhere unless the activation is
    /// positive.
    pub pixels: Tensor,
}

/// The forward pass of one input, from which any number of activations can be projected.
#[derive(Debug)]
pub struct Projector<'a> {
    model: &'a LoadedModel,
    tape: Tape<'a>,
    /// Height and width of the input.
    size: [i64; 2],
}

impl<'a> Projector<'a> {
    /// Runs the forward pass of `input`, `[1, C, H, W]`, preprocessed, for units of `layers`.
    ///
    /// # Errors
    /// If the batch has other than one image, or libtorch fails.
    pub fn new(model: &'a LoadedModel, input: &Tensor, layers: &[NodeId]) -> Result<Self> {
        let &[1, _, height, width] = &input.size()[..] else {
            let message = format!(
                "deconvnet needs an input [1, C, H, W], got {:?}",
                input.size()
            );
            return Err(Error::new(ErrorKind::Network, message));
        };
        Ok(Projector {
            model,
            tape: model.network.tape(input, layers)?,
            size: [height, width],
        })
    }

    /// The largest activation of every unit of `layer`.
    ///
    /// # Errors
    /// If the projector was made for other layers, or this one has no spatial positions.
    pub fn peaks(&self, layer: NodeId) -> Result<Vec<Peak>> {
        let values = self.tape.value(layer)?;
        let &[1, _, height, width] = &values.size()[..] else {
            let name = self.model.layer(layer);
            let message = format!("`{name}` has no spatial positions");
            return Err(Error::new(ErrorKind::Network, message));
        };
        let width = width as usize;
        let peak = |channel: &[f32]| {
            let mut largest = (0, f32::NEG_INFINITY);
            for (index, &value) in channel.iter().enumerate() {
                if value > largest.1 {
                    largest = (index, value);
                }
            }
            Peak {
                value: largest.1,
                position: [largest.0 / width, largest.0 % width],
            }
        };
        let values = to_floats(&values)?;
        Ok(values
            .chunks_exact(height as usize * width)
            .map(peak)
            .collect())
    }

    /// Projects the activation of `unit` of `layer` at `position` (row, column) to the pixels.
    ///
    /// # Errors
    /// If the layer has no such unit or position, or the projector was made for other layers.
    pub fn project(&self, layer: NodeId, unit: usize, position: [usize; 2]) -> Result<Projection> {
        let values = self.tape.value(layer)?;
        let [row, column] = position.map(|index| index as i64);
        let graph = self.model.network.graph();
        let fields = ReceptiveFields::new(graph, layer, self.size[0], self.size[1])?;
        let element = |of: &Tensor| -> Result<Tensor> {
            Ok(of
                .f_select(1, unit as i64)?
                .f_select(1, row)?
                .f_select(1, column)?)
        };
        let activation = element(&values)?;
        let weights = values.f_zeros_like()?;
        // A unit that is not active has no projection.
        element(&weights)?.f_copy_(&activation.f_relu()?)?;
        let projection = self.tape.backward(layer, &weights, ReluRule::Deconvnet)?;
        let window = fields.window(position);
        let pixels = projection
            .f_squeeze_dim(0)?
            .f_narrow(1, window.top as i64, window.height as i64)?
            .f_narrow(2, window.left as i64, window.width as i64)?;
        Ok(Projection {
            unit,
            position,
            value: activation.f_double_value(&[0])? as f32,
            window,
            pixels,
        })
    }
}

/// Projects the largest activation of `unit` of `layer` for `input`, `[1, 3, H, W]`, preprocessed, to the pixels.
///
/// # Errors
/// If the layer has no such unit, or libtorch fails.
pub fn project(
    model: &LoadedModel,
    input: &Tensor,
    layer: NodeId,
    unit: usize,
) -> Result<Projection> {
    let projector = Projector::new(model, input, &[layer])?;
    let peaks = projector.peaks(layer)?;
    let peak = peaks.get(unit).ok_or_else(|| {
        let message = format!("`{}` has no unit {unit}", model.layer(layer));
        Error::new(ErrorKind::Network, message)
    })?;
    projector.project(layer, unit, peak.position)
}
