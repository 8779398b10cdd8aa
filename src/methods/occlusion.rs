//! `occlusion`: how much the class's logit falls when a part of the image is covered (Zeiler & Fergus 2013,
//! <https://arxiv.org/abs/1311.2901>).
//!
//! **What it shows.** The regions that the network needs for the class.
//! **How it is computed.** A square of side `window` moves by `stride` over the preprocessed image and replaces all
//! colours by `baseline`; at the right and lower edges the square is cut off. The map, `[H, W]`, is the logit of the
//! whole image minus that of the covered one, averaged over the squares that cover a pixel; signed, in logits.
//! **How to read it.** Red: covering the region lowers the logit, so the region supports the class. Blue: covering it
//! raises the logit.
//! **What it can't show.** It can't show details smaller than the window, or evidence that is in the image twice, because
//! one of the two is enough. A constant square is itself something the network was never trained on.
//! **Options.** `window`, `stride`, `baseline`.
//! **Cost.** One forward pass for each square, 729 at 224 × 224, of which only what the square can change is computed: a quarter to a third
//! of whole passes for squares of 16 pixels in VGG-16 and ResNet-50.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tch::{Device, Kind, Tensor};

use super::batched;
use super::forward_backward::BackwardPass;
use super::method::{ClassMethod, ManyInputs, Method, MethodInfo, PassCount, ResultKind};
use super::method_output::{MethodOutput, to_floats};
use super::rectangle_changes::RectangleChanges;
use crate::error::{Error, ErrorKind, Result};
use crate::network::graph::{Graph, NodeId};
use crate::network::node_info::NodeInfo;

/// The square: its size, its movement, and its colour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Occlusion {
    /// Side of the square in pixels of the input.
    #[schemars(range(min = 1))]
    pub window: u32,
    /// How far it moves, in pixels of the input; at most `window`, so that every pixel is covered.
    #[schemars(range(min = 1))]
    pub stride: u32,
    /// The value of every colour in the square after preprocessing; 0 is the mean colour.
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

/// Facts and texts of the method.
const INFO: MethodInfo = MethodInfo {
    key: "occlusion",
    title: "Occlusion",
    summary: "how much the logit falls when a square is covered (Zeiler & Fergus 2013)",
    read: "Red: covering this position with a plain square lowers the class's logit, so the network needs it. Blue: covering it raises the logit.",
    limit: "It resolves nothing smaller than the square, misses what appears twice in the photo, and a plain square is itself something the network was never trained on.",
    result: ResultKind::Map,
    papers: &[
        "Zeiler, M. D., and Fergus, R. (2014). Visualizing and understanding convolutional networks. ECCV. arXiv:1311.2901",
    ],
};

impl Method for Occlusion {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn check(&self, _graph: &Graph, _info: &[NodeInfo], _layers: &[NodeId]) -> Result<()> {
        let (stride, window) = (self.stride, self.window);
        if stride > window {
            let message = format!("`stride` must be 1 to `window` ({window}), got {stride}");
            let help = "a larger step would leave pixels that no square covers";
            return Err(Error::new(ErrorKind::Network, message).help(help));
        }
        Ok(())
    }

    fn for_class(&self) -> Option<&dyn ClassMethod> {
        Some(self)
    }
}

/// A square inside the image, in pixels.
#[derive(Debug, Clone, Copy)]
struct Square {
    top: i64,
    height: i64,
    left: i64,
    width: i64,
}

impl Square {
    /// The part of `image`, `[…, H, W]`, in the square; it shares the image's memory.
    fn view(&self, image: &Tensor) -> Result<Tensor> {
        Ok(image
            .f_narrow(-2, self.top, self.height)?
            .f_narrow(-1, self.left, self.width)?)
    }
}

impl ClassMethod for Occlusion {
    fn passes(&self, info: &[NodeInfo], _layers: &[NodeId]) -> PassCount {
        let side = |axis: usize| info.first().and_then(|node| node.shape.get(axis)).copied();
        let steps = |axis: usize| side(axis).map_or(0, |length| self.intervals(length).count());
        PassCount {
            forward: 1 + steps(1) * steps(2),
            backward: 0,
        }
    }

    fn many_inputs(&self) -> Option<ManyInputs> {
        Some(ManyInputs::Passes)
    }

    fn class_figures(
        &self,
        pass: &BackwardPass,
        _layers: &[NodeId],
        out: &mut MethodOutput,
    ) -> Result<()> {
        let (model, target) = (pass.model(), &pass.target);
        let input = pass.input()?;
        let (_, _, height, width) = input.size4()?;
        let whole = batched::target_values(model, &input, target)?.f_double_value(&[0])?;
        let sum = Tensor::f_zeros([height, width], (Kind::Double, Device::Cpu))?;
        let covers = sum.f_zeros_like()?;
        let changes = RectangleChanges::new(model, &input, target, self.window_in(height, width))?;
        for squares in self.squares(height, width).chunks(changes.batch_size()) {
            let starts: Vec<[i64; 2]> = squares.iter().map(|s| [s.top, s.left]).collect();
            let values = changes.values(&starts, |copy, rectangle| {
                let square = &squares[copy];
                // A square at the border is smaller than the others.
                let [top, left] = [
                    square.top - rectangle.start[0],
                    square.left - rectangle.start[1],
                ];
                let covered = Square {
                    top,
                    left,
                    ..*square
                };
                let _ = covered.view(&rectangle.pixels)?.f_fill_(self.baseline)?;
                Ok(())
            })?;
            let values = to_floats(&values)?;
            for (value, square) in values.into_iter().zip(squares) {
                let _ = square.view(&sum)?.f_add_scalar_(whole - f64::from(value))?;
                let _ = square.view(&covers)?.f_add_scalar_(1.0)?;
            }
        }
        let content = out.map(&pass.key(INFO.key, None), &sum.f_div(&covers)?, true)?;
        out.figures.push(pass.figure(INFO.key, None, content));
        Ok(())
    }
}

impl Occlusion {
    /// Height and width of a whole square.
    fn window_in(&self, height: i64, width: i64) -> [i64; 2] {
        [height, width].map(|length| length.min(i64::from(self.window)))
    }

    /// All squares of an image, row by row.
    fn squares(&self, height: i64, width: i64) -> Vec<Square> {
        let rows = self.intervals(height);
        let squares = rows.flat_map(|(top, height)| {
            let columns = self.intervals(width);
            columns.map(move |(left, width)| Square {
                top,
                height,
                left,
                width,
            })
        });
        squares.collect()
    }

    /// The start of each square along a side of `length` pixels, and its length inside the image.
    fn intervals(&self, length: i64) -> impl Iterator<Item = (i64, i64)> + use<> {
        let (window, stride) = (i64::from(self.window), i64::from(self.stride).max(1));
        let steps = ((length - window).max(0) + stride - 1) / stride;
        (0..=steps).map(move |n| (n * stride, window.min(length - n * stride)))
    }
}
