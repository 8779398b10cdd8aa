//! `occlusion`: what the class's logit loses when a part of the picture is covered (Zeiler & Fergus 2013,
//! <https://arxiv.org/abs/1311.2901>).
//!
//! **What it shows.** The places the network needs for the class, by taking them away.
//! **How it is computed.** A square of side `window` slides by `stride` over the preprocessed picture and sets
//! all colours below it to `baseline`; at the right and lower edges what would stand out is cut off. The map,
//! `[H, W]`, is the logit of the whole picture minus that of the covered one, averaged over the squares that
//! cover a pixel; signed, in logits.
//! **How to read it.** Red: covering it lowers the logit, it speaks for the class. Blue: it speaks against it.
//! **What it can't show.** Details smaller than the window, or evidence that stands in two places at once; a
//! grey square is itself something the network has not seen in training.
//! **Options.** `window`, `stride`, `baseline`. **Cost.** One forward pass a square: 729 at 224 × 224.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::Tensor;

use super::{BackwardPass, Method, MethodOutput, PassCount, batched, to_array, MethodInfo, ClassMethod};
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// How large the square is, how far it moves, and what it covers with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Occlusion {
    /// Side of the square in pixels of the input, 1 or more.
    pub window: u32,
    /// How far it moves, in pixels of the input; 1 to `window`.
    pub stride: u32,
    /// What it covers with, in every colour after preprocessing; 0 is the mean colour.
    pub baseline: f64,
}

impl Default for Occlusion {
    fn default() -> Self {
        Occlusion {
            window: 16,
            stride: 8,
            baseline: 0.0,
        }
    }
}

/// What the registry, the report and the docs say of the method.
const INFO: MethodInfo = MethodInfo {
    key: "occlusion",
    title: "Occlusion",
    summary: "how much the logit falls when a square is covered (Zeiler & Fergus 2013)",
    read: "Red: covering this position with a plain square lowers the class's logit, so the network needs it. Blue: covering it raises the logit.",
    limit: "It resolves nothing smaller than the square, misses what appears twice in the photo, and a plain square is itself something the network was never trained on.",
    papers: &[
        "Zeiler, M. D., and Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV. arXiv:1311.2901",
    ],
};

impl Method for Occlusion {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        if self.stride == 0 || self.stride > self.window || !self.baseline.is_finite() {
            return Err(
                Error::new(ErrorKind::Network, "the square can't cover every pixel")
                    .help("`stride` is 1 to `window`, and `baseline` a number"),
            );
        }
        Ok(())
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

impl ClassMethod for Occlusion {
    fn passes(&self, info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        let side = |at: usize| info.first().and_then(|node| node.shape.get(at)).copied();
        let moves = |at: usize| side(at).map_or(0, |length| self.places(length).count());
        PassCount {
            forward: 1 + moves(1) * moves(2),
            backward: 0,
        }
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let (subject, class) = (pass.pass.subject, pass.class.index);
        let input = pass.pass.input.f_detach()?;
        let (_, _, height, width) = input.size4()?;
        let mut squares = Vec::new();
        for (top, tall) in self.places(height) {
            squares.extend(
                self.places(width)
                    .map(|(left, wide)| (top, tall, left, wide)),
            );
        }
        let whole = batched::logits(subject, &input, class)?.f_double_value(&[0])?;
        let shape = [height, width];
        let lost = Tensor::f_zeros(shape, (tch::Kind::Double, tch::Device::Cpu))?;
        let covers = lost.f_zeros_like()?;
        for some in squares.chunks(batched::batch(&input)) {
            let covered = input.f_repeat([some.len() as i64, 1, 1, 1])?;
            for (copy, &(top, tall, left, wide)) in some.iter().enumerate() {
                let _ = covered
                    .f_select(0, copy as i64)?
                    .f_narrow(1, top, tall)?
                    .f_narrow(2, left, wide)?
                    .f_fill_(self.baseline)?;
            }
            let logits = to_array(&batched::logits(subject, &covered, class)?)?;
            let logits = logits.floats().unwrap_or_default();
            for (logit, &(top, tall, left, wide)) in logits.iter().zip(some) {
                let below = |map: &Tensor| map.f_narrow(0, top, tall)?.f_narrow(1, left, wide);
                let _ = below(&lost)?.f_add_scalar_(whole - f64::from(*logit))?;
                let _ = below(&covers)?.f_add_scalar_(1.0)?;
            }
        }
        let mean = lost.f_div(&covers)?;
        let content = out.map(&pass.key("occlusion", None), &mean, true)?;
        out.figures.push(pass.figure("occlusion", None, content));
        Ok(())
    }
}

impl Occlusion {
    /// Where the square starts along a side of `length` pixels, and how much of it is inside.
    fn places(&self, length: i64) -> impl Iterator<Item = (i64, i64)> + use<> {
        let (window, stride) = (i64::from(self.window), i64::from(self.stride).max(1));
        let moves = ((length - window).max(0) + stride - 1) / stride;
        (0..=moves).map(move |n| (n * stride, window.min(length - n * stride)))
    }
}
