//! `deconvnet`: the strongest units of a layer, each taken back to the pixels (Zeiler & Fergus 2013,
//! <https://arxiv.org/abs/1311.2901>).
//!
//! **What it shows.** For a photo: which units of a layer answer most strongly, where, and which pattern
//! in the photo it is that each of them answers to.
//! **How it is computed.** Of each unit only its largest activation is kept, all else in the layer is set
//! to 0. That one number goes back to the pixels: through the convolutions transposed, through max
//! pooling by the switches of the forward pass, and through a ReLU at each ReLU (what is negative on the
//! way back is dropped, whatever the forward pass was). Batch norm goes back by its slope. The result,
//! `[3, h, w]`, signed, is cut to the unit's receptive field; outside it is 0.
//! **How to read it.** Beside each projection stands the patch of the photo that the unit saw. Grey is
//! 0; the pattern that stands out of the grey is what the unit found in the patch.
//! **What it can't show.** What else the unit answers to, or what the network makes of it. It is no gradient,
//! and it depends on the photo through the switches alone: with no max pooling in between (most of a
//! ResNet) it says much of the unit's weights and little of the photo. Networks without a ReLU (SiLU) have none.
//! **Options.** `layers`; `units`, how many (the strongest by their largest activation) or which.
//! **Cost.** One forward pass a photo, and one way back for every unit of every layer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::activations::Channels;
use super::{ForwardPass, LoadedModel, Method, MethodOutput, to_array, MethodInfo, ImageMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::figures::{Content, Note, Projected};
use crate::image::Window;
use crate::network::LayerSelector;
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;
use crate::network::receptive_field::ReceptiveFields;
use crate::network::{ReluRule, Tape};

/// Which layers, and which of their units.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Deconvnet {
    /// Layers with height and width.
    pub layers: Vec<LayerSelector>,
    /// How many units (those with the largest activation in the photo), or a list of their numbers.
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

super::at_layers::at_layers!(Deconvnet);

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "deconvnet",
    title: "Deconvnet",
    summary: "the strongest units of a layer, each activation propagated back to the pixels, beside the patch of its receptive field (Zeiler & Fergus 2013)",
    read: "For each of the units with the largest activations for the photo: below, the patch of the photo in its receptive field where the activation is largest; above, that one activation propagated back to the pixels, so that the pattern it responds to differs from grey. The numbers on the first image show where the patches are.",
    limit: "It is no gradient, it shows one position of one unit, and not how the network uses it; and where little max pooling lies in between (in a ResNet or an EfficientNet) it shows more about the unit's weights than about the photo.",
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
        let network = &pass.subject.network;
        if !network.has_relu() {
            let reason = Note::new("note.no_relu");
            let content = Content::Absent { reason };
            out.figures.push(pass.figure("deconvnet", None, content));
            return Ok(());
        }
        let projector = Projector::new(pass.subject, pass.input, layers)?;
        for &layer in layers {
            let peaks = projector.peaks(layer)?;
            let strengths: Vec<f32> = peaks.iter().map(|peak| peak.value).collect();
            let mut units = Vec::new();
            for unit in self.units.choose(&strengths) {
                let found = projector.project(layer, unit, peaks[unit].place)?;
                let (model, layer) = (&pass.subject.id, pass.subject.layer(layer));
                let key = format!("{model}/{}/deconvnet/{layer}/{unit}", pass.image);
                out.tensor(&key, &found.pixels)?;
                units.push(Projected {
                    unit,
                    value: found.value,
                    place: found.place,
                    window: found.window,
                    tensor: key,
                });
            }
            let content = Content::Projections {
                units,
                of: peaks.len(),
            };
            let mut figure = pass.figure("deconvnet", Some(layer), content);
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
    pub value: f32,
    /// Row and column in the layer; the first of equal ones.
    pub place: [usize; 2],
}

/// One activation of a unit, taken back to the pixels.
#[derive(Debug)]
pub struct Projection {
    pub unit: usize,
    /// Row and column in the layer.
    pub place: [usize; 2],
    /// The activation there.
    pub value: f32,
    /// What that place sees of the picture.
    pub window: Window,
    /// `[3, h, w]`, signed: the window's part; all else is 0. All zeros where the unit is not active.
    pub pixels: Tensor,
}

/// A picture's forward pass from whose units one can go back by the deconvnet's rule; each way back
/// uses the same forward pass.
#[derive(Debug)]
pub struct Projector<'a> {
    subject: &'a LoadedModel,
    tape: Tape<'a>,
    /// Height and width of the picture.
    size: [i64; 2],
}

impl<'a> Projector<'a> {
    /// Of `input`, `[1, 3, H, W]`, preprocessed, for units of `layers`.
    ///
    /// # Errors
    /// If libtorch refuses, or it is more than one picture.
    pub fn new(subject: &'a LoadedModel, input: &Tensor, layers: &[NodeId]) -> Result<Self> {
        let &[1, _, height, width] = &input.size()[..] else {
            let message = format!("one picture at a time, not {:?}", input.size());
            return Err(Error::new(ErrorKind::Network, message));
        };
        Ok(Projector {
            subject,
            tape: subject.network.tape(input, layers)?,
            size: [height, width],
        })
    }

    /// The largest activation of every unit of `layer`.
    ///
    /// # Errors
    /// If the projector was made for other layers, or this one has no places.
    pub fn peaks(&self, layer: NodeId) -> Result<Vec<Peak>> {
        let values = to_array(&self.tape.value(layer)?)?;
        let &[1, _, height, width] = &values.shape[..] else {
            let message = format!("`{}` has no places", self.subject.layer(layer));
            return Err(Error::new(ErrorKind::Network, message));
        };
        let floats = values.floats().unwrap_or_default();
        let peak = |channel: &[f32]| {
            let mut best = (0, f32::NEG_INFINITY);
            for (at, &value) in channel.iter().enumerate() {
                if value > best.1 {
                    best = (at, value);
                }
            }
            Peak {
                value: best.1,
                place: [best.0 / width, best.0 % width],
            }
        };
        Ok(floats.chunks_exact(height * width).map(peak).collect())
    }

    /// The activation of `unit` of `layer` at `place` (row, column), taken back to the pixels.
    ///
    /// # Errors
    /// If the layer has no such unit or place, or the projector was made for others.
    pub fn project(&self, layer: NodeId, unit: usize, place: [usize; 2]) -> Result<Projection> {
        let value = self.tape.value(layer)?;
        let [row, column] = place.map(|at| at as i64);
        let graph = self.subject.network.graph();
        let fields = ReceptiveFields::new(graph, layer, self.size[0], self.size[1])?;
        let one = |of: &Tensor| -> Result<Tensor> {
            Ok(of
                .f_select(1, unit as i64)?
                .f_select(1, row)?
                .f_select(1, column)?)
        };
        let activation = one(&value)?;
        let weights = value.f_zeros_like()?;
        // What is not active excites nothing, so nothing goes back.
        one(&weights)?.f_copy_(&activation.f_relu()?)?;
        let back = self.tape.backward(layer, &weights, ReluRule::Deconvnet)?;
        let window = fields.window(place);
        let pixels = back
            .f_squeeze_dim(0)?
            .f_narrow(1, window.top as i64, window.height as i64)?
            .f_narrow(2, window.left as i64, window.width as i64)?;
        let activation = to_array(&activation)?;
        Ok(Projection {
            unit,
            place,
            value: activation
                .floats()
                .and_then(|a| a.first().copied())
                .unwrap_or(0.0),
            window,
            pixels,
        })
    }
}

/// The largest activation of `unit` of `layer` for `input`, `[1, 3, H, W]`, preprocessed, taken back to
/// the pixels.
///
/// # Errors
/// If the layer has no such unit, or libtorch refuses.
pub fn project(
    subject: &LoadedModel,
    input: &Tensor,
    layer: NodeId,
    unit: usize,
) -> Result<Projection> {
    let projector = Projector::new(subject, input, &[layer])?;
    let peaks = projector.peaks(layer)?;
    let peak = peaks.get(unit).ok_or_else(|| {
        let message = format!("`{}` has no unit {unit}", subject.layer(layer));
        Error::new(ErrorKind::Network, message)
    })?;
    projector.project(layer, unit, peak.place)
}
