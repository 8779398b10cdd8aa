//! The shape, cost and receptive field of every node, computed from the graph and the input's size alone.
//!
//! The receptive field follows the main path. A squeeze-and-excitation gate depends on the whole input; if it counted,
//! every receptive field after the first gate would be the whole input.

use super::graph::{Arg, Graph, NodeId};
use super::layout::{Layout, layout};
use super::op::shape::{Shape, Size};
use super::op::{Op, Reach, SlidingWindow};
use crate::error::{Error, ErrorKind, Result};

/// Which pixels of the input a spatial position of a value depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    /// A window that slides over the input.
    Window(FieldWindow),
    /// All of them, as after global pooling, or the value has no spatial positions.
    Whole,
}

/// The receptive field of a spatial position, in pixels of the input, by axis: down and across.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FieldWindow {
    /// Height and width, not clipped to the input.
    pub size: [i64; 2],
    /// Pixels between neighbouring spatial positions.
    pub stride: [i64; 2],
    /// First row and first column of the field of position 0; negative in the padding.
    pub start: [i64; 2],
}

impl FieldWindow {
    /// A field of one pixel, as the input has it.
    const PIXEL: FieldWindow = FieldWindow {
        size: [1, 1],
        stride: [1, 1],
        start: [0, 0],
    };

    /// The field of a position that depends on a window of positions with these fields.
    fn widened(self, window: &SlidingWindow) -> FieldWindow {
        let by_axis = |figure: &dyn Fn(usize) -> i64| [figure(0), figure(1)];
        FieldWindow {
            size: by_axis(&|axis| {
                self.size[axis]
                    .saturating_add((window.size[axis] - 1).saturating_mul(self.stride[axis]))
            }),
            stride: by_axis(&|axis| self.stride[axis].saturating_mul(window.stride[axis])),
            start: by_axis(&|axis| {
                self.start[axis]
                    .saturating_sub(window.padding[axis].saturating_mul(self.stride[axis]))
            }),
        }
    }

    /// A field that covers this one and another.
    fn union(self, other: FieldWindow) -> FieldWindow {
        FieldWindow {
            size: [0, 1].map(|axis| self.size[axis].max(other.size[axis])),
            stride: self.stride,
            start: [0, 1].map(|axis| self.start[axis].min(other.start[axis])),
        }
    }
}

/// One node for an input of a given size.
#[derive(Debug, Clone, PartialEq)]
pub struct NodeInfo {
    /// For one image: `[channels, height, width]` of a map, in whatever layout the value has it; otherwise the value's own
    /// shape, such as `[features]`.
    pub shape: Vec<i64>,
    /// Where the map's channels, rows and columns are in the value; `None` if it is not known.
    pub layout: Option<Layout>,
    /// Pixels of the input between neighbouring rows; 0 where there are none.
    stride: i64,
    /// How many values training changes.
    pub parameters: i64,
    /// Multiply-adds for one image: one per product of two sums; 0 for all other operators.
    pub multiply_adds: i64,
    /// The receptive field of a spatial position.
    pub field: Field,
}

impl NodeInfo {
    /// Whether the node still has height and width.
    pub fn is_spatial(&self) -> bool {
        self.stride > 0
    }

    /// Pixels of the input between neighbouring spatial positions; 0 where there are none.
    pub fn stride(&self) -> i64 {
        self.stride
    }

    /// The longer side of the receptive field in pixels of the input, not clipped to it; 0 where it is the whole input.
    pub fn receptive_field(&self) -> i64 {
        match self.field {
            Field::Window(window) => window.size[0].max(window.size[1]),
            Field::Whole => 0,
        }
    }
}

/// [`NodeInfo`] of every node of `graph`, for an input of `height` × `width`.
///
/// # Errors
/// If the input is too small for the network, with the first node that has no spatial position left, or if the inputs
/// of an operator don't fit.
pub fn from_graph(graph: &Graph, height: i64, width: i64) -> Result<Vec<NodeInfo>> {
    let mut all: Vec<NodeInfo> = Vec::with_capacity(graph.nodes().len());
    let mut shapes: Vec<Shape> = Vec::with_capacity(graph.nodes().len());
    for id in 0..graph.nodes().len() {
        let (info, shape) = node_info(graph, id, &all, &shapes, [height, width])?;
        all.push(info);
        shapes.push(shape);
    }
    Ok(all)
}

fn node_info(
    graph: &Graph,
    id: NodeId,
    before: &[NodeInfo],
    shapes: &[Shape],
    [height, width]: [i64; 2],
) -> Result<(NodeInfo, Shape)> {
    let node = graph.node(id);
    let mut own = Vec::with_capacity(node.args.len());
    let mut layouts = Vec::with_capacity(node.args.len());
    for arg in &node.args {
        match *arg {
            Arg::Node(input) => {
                own.push(shapes[input].clone());
                layouts.push(before[input].layout.as_ref());
            }
            Arg::Parameter(parameter) => {
                own.push(Shape::fixed(&graph.parameters()[parameter].shape));
                layouts.push(None);
            }
        }
    }
    let args: Vec<&Shape> = own.iter().collect();
    let operator = node.op.operator();
    let failed = |error: Error| {
        let message = format!("`{}` ({}) can't be computed", node.name, operator.name());
        Error::new(ErrorKind::Network, message).caused_by(error)
    };
    let (shape, field) = match &node.op {
        Op::Input(input) => {
            let shape = Shape::batch_of(&[input.channels, height, width]);
            (shape, Field::Window(FieldWindow::PIXEL))
        }
        _ => {
            let shape = operator.shape(&args).map_err(failed)?;
            let field = field(graph, id, operator.reach(&args), before, &shape);
            (shape, field)
        }
    };
    if shape.0.iter().any(|size| size.value < 1) {
        let message = format!(
            "an input of {width} × {height} pixels is too small: `{}` has no spatial position left",
            node.name
        );
        return Err(Error::new(ErrorKind::Network, message)
            .help("choose a larger input: `preprocess: {resize: …, crop: …}`"));
    }
    let inputs: Vec<(Option<&Layout>, &Shape)> =
        layouts.into_iter().zip(args.iter().copied()).collect();
    let layout = layout(&node.op, &inputs, &shape);
    let map = layout
        .as_ref()
        .and_then(|layout| Some((layout.channels(), layout.grid()?)));
    let info = NodeInfo {
        shape: match map {
            Some((channels, [rows, columns])) => vec![channels, rows, columns],
            None => shape.of_one_image(),
        },
        stride: match (map, &node.op) {
            // What is around the map has no position in the image.
            (_, Op::Pad(pad)) if pad.is_spatial() => 0,
            (Some((_, [rows, _])), _) => (height as f64 / rows as f64).round() as i64,
            (None, _) => 0,
        },
        layout,
        parameters: graph.parameter_count(id),
        multiply_adds: match node.op {
            Op::Input(_) => 0,
            _ => operator.multiply_adds(&args, &shape),
        },
        field,
    };
    Ok((info, shape))
}

/// The receptive field of node `id` with this reach and this shape: the union of those of its inputs, without a gate's, which
/// depends on the whole input.
fn field(graph: &Graph, id: NodeId, reach: Reach, before: &[NodeInfo], shape: &Shape) -> Field {
    let gate = graph.gated_product(id).map(|(_, gate)| gate);
    let inputs = graph
        .node(id)
        .inputs
        .iter()
        .filter(|&&input| Some(input) != gate);
    let windows: Option<Vec<FieldWindow>> = inputs
        .map(|&input| match before[input].field {
            Field::Window(window) => Some(window),
            Field::Whole => None,
        })
        .collect();
    let windows = windows.unwrap_or_default();
    let Some((&first, others)) = windows.split_first() else {
        return Field::Whole;
    };
    let is_map = shape.rank() == 4 && shape.0[0] == Size::batched(1);
    match reach {
        Reach::Window(window) => Field::Window(first.widened(&window)),
        Reach::Position if is_map => {
            Field::Window(others.iter().fold(first, |all, &other| all.union(other)))
        }
        Reach::Position | Reach::Whole => Field::Whole,
    }
}
