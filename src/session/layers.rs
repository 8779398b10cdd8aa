//! The layer table: shape, cost, stride and receptive field of every node, as `convscope layers` prints them.

use serde::Serialize;

use crate::error::Result;
use crate::network::graph::Graph;
use crate::network::node_info::NodeInfo;
use crate::report;
use crate::run::RunModel;
use crate::text_table::{grouped, table};

/// A layer of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    /// The node's full name.
    pub name: String,
    /// `conv`, `relu`, `add`, …
    pub op: &'static str,
    /// The names of its inputs.
    pub inputs: Vec<String>,
    /// The shape of its value without the batch: `[channels, height, width]` or `[features]`.
    pub shape: Vec<i64>,
    /// The number of trainable parameters.
    pub parameters: i64,
    /// Multiply-adds for one image.
    pub multiply_adds: i64,
    /// Pixels of the input between two neighbouring spatial positions; 0 for a vector.
    pub stride: i64,
    /// Side of the receptive field in pixels; 0 for the whole image.
    pub receptive_field: i64,
    /// Its depth, 0 (input) to 1 (logits).
    #[serde(skip)]
    pub depth: f64,
}

/// The layers of a network, or some of them.
#[derive(Clone, PartialEq)]
pub struct LayerTable {
    /// The network's id.
    pub model: String,
    /// The layers, in the network's order.
    pub layers: Vec<Layer>,
}

impl LayerTable {
    /// The names of the columns.
    pub const HEAD: [&'static str; 7] = [
        "layer",
        "operation",
        "shape",
        "parameters",
        "multiply-adds",
        "stride",
        "field",
    ];

    pub(super) fn for_model(model: &RunModel) -> Self {
        let loaded = &model.loaded;
        Self::new(&loaded.id, loaded.network.graph(), &loaded.info)
    }

    /// The nodes of `graph`; `info` has one entry for each.
    pub fn new(model: &str, graph: &Graph, info: &[NodeInfo]) -> Self {
        let last = (graph.nodes().len() - 1).max(1) as f64;
        let nodes = graph.nodes().iter().zip(info).enumerate();
        let layers = nodes.map(|(id, (node, info))| Layer {
            name: node.name.clone(),
            op: node.op.name(),
            inputs: node
                .inputs
                .iter()
                .map(|&input| graph.node(input).name.clone())
                .collect(),
            shape: info.shape.clone(),
            parameters: info.parameters,
            multiply_adds: info.multiply_adds,
            stride: info.stride(),
            receptive_field: info.receptive_field(),
            depth: id as f64 / last,
        });
        LayerTable {
            model: model.to_owned(),
            layers: layers.collect(),
        }
    }

    /// The layers for which `keep` is true: `layers.filter(|layer| layer.op == "conv2d")`.
    pub fn filter(&self, keep: impl FnMut(&&Layer) -> bool) -> LayerTable {
        LayerTable {
            model: self.model.clone(),
            layers: self.layers.iter().filter(keep).cloned().collect(),
        }
    }

    /// One layer by its full name.
    pub fn get(&self, name: &str) -> Option<&Layer> {
        self.layers.iter().find(|layer| layer.name == name)
    }

    /// The number of layers.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there are no layers.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// The sums of the layers' parameters and multiply-adds.
    pub fn sums(&self) -> (i64, i64) {
        let all = self.layers.iter();
        all.fold((0, 0), |(parameters, multiply_adds), layer| {
            (
                parameters + layer.parameters,
                multiply_adds + layer.multiply_adds,
            )
        })
    }

    /// The table as HTML without a style sheet.
    ///
    /// # Errors
    /// If a template fails.
    pub fn html(&self) -> Result<String> {
        let rows: Vec<Vec<String>> = self.layers.iter().map(|l| l.cells().into()).collect();
        report::inline::table(&self.model, &Self::HEAD, &rows, 2)
    }
}

impl Layer {
    /// The cells of the layer's row, below [`LayerTable::HEAD`].
    pub fn cells(&self) -> [String; 7] {
        let shape: Vec<String> = self.shape.iter().map(i64::to_string).collect();
        // 0 means no stride, and the whole image as receptive field.
        let pixels = |value: i64| {
            if value == 0 {
                "–".to_owned()
            } else {
                grouped(value)
            }
        };
        [
            self.name.clone(),
            self.op.to_owned(),
            shape.join("×"),
            grouped(self.parameters),
            grouped(self.multiply_adds),
            pixels(self.stride),
            pixels(self.receptive_field),
        ]
    }
}

impl std::fmt::Display for LayerTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let rows: Vec<Vec<String>> = self.layers.iter().map(|l| l.cells().into()).collect();
        f.write_str(table(&Self::HEAD, &rows).trim_end())
    }
}

impl std::fmt::Debug for LayerTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}
