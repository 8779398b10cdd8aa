//! The layer table: what is known of every node of a network, and what `convscope layers` prints.

use serde::Serialize;

use crate::error::Result;
use crate::network::graph::Graph;
use crate::network::node_info::NodeInfo;
use crate::report;
use crate::run;
use crate::text_table::{grouped, table};

/// A node of a network.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Layer {
    pub name: String,
    /// `conv`, `relu`, `add`, …
    pub op: &'static str,
    /// Which layers it reads.
    pub inputs: Vec<String>,
    /// Without the batch: `[channels, height, width]` or `[features]`.
    pub shape: Vec<i64>,
    pub parameters: i64,
    pub multiply_adds: i64,
    /// Pixels of the input between two neighbouring places; 0 once there are no places.
    pub stride: i64,
    /// Side of the receptive field in pixels; 0 where a node sees the whole picture.
    pub receptive_field: i64,
    /// Its place in the network, from 0 (input) to 1 (logits).
    #[serde(skip)]
    pub depth: f64,
}

/// The layers of a network, or some of them.
#[derive(Clone, PartialEq)]
pub struct LayerTable {
    /// The network's id.
    pub model: String,
    pub layers: Vec<Layer>,
}

impl LayerTable {
    pub(super) fn of(model: &run::Model) -> Self {
        let subject = &model.subject;
        Self::new(&subject.id, subject.network.graph(), &subject.info)
    }

    /// The nodes of `graph`, which `info` is about.
    pub fn new(model: &str, graph: &Graph, info: &[NodeInfo]) -> Self {
        let last = (graph.nodes().len() - 1).max(1) as f64;
        let nodes = graph.nodes().iter().zip(info).enumerate();
        let layers = nodes.map(|(id, (node, info))| Layer {
            name: node.name.clone(),
            op: node.op.label(),
            inputs: node
                .inputs
                .iter()
                .map(|&input| graph.node(input).name.clone())
                .collect(),
            shape: info.shape.clone(),
            parameters: info.parameters,
            multiply_adds: info.multiply_adds,
            stride: info.stride,
            receptive_field: info.receptive_field,
            depth: id as f64 / last,
        });
        LayerTable {
            model: model.to_owned(),
            layers: layers.collect(),
        }
    }

    /// The layers that `keep` wants: `layers.filter(|layer| layer.op == "conv")`.
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

    /// How many.
    pub fn len(&self) -> usize {
        self.layers.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.layers.is_empty()
    }

    /// Parameters and multiply-adds of all these layers.
    pub fn sums(&self) -> (i64, i64) {
        let all = self.layers.iter();
        all.fold((0, 0), |(parameters, multiply_adds), layer| {
            (
                parameters + layer.parameters,
                multiply_adds + layer.multiply_adds,
            )
        })
    }

    /// The table as HTML that carries no style sheet.
    ///
    /// # Errors
    /// If it can't be drawn.
    pub fn html(&self) -> Result<String> {
        let rows: Vec<Vec<String>> = self.layers.iter().map(|l| l.cells().into()).collect();
        report::inline::table(&self.model, &Self::HEAD, &rows, 2)
    }
}

impl Layer {
    /// Name, operation, shape, parameters, multiply-adds, stride and field, as a table has them.
    pub fn cells(&self) -> [String; 7] {
        let shape: Vec<String> = self.shape.iter().map(i64::to_string).collect();
        // A field of 0 is the whole picture; a stride of 0 says that there are no places left.
        let number = |value: i64| match value {
            0 => "–".to_owned(),
            value => grouped(value),
        };
        [
            self.name.clone(),
            self.op.to_owned(),
            shape.join("×"),
            grouped(self.parameters),
            grouped(self.multiply_adds),
            number(self.stride),
            number(self.receptive_field),
        ]
    }
}

impl LayerTable {
    /// What stands above the cells of a [`Layer`].
    pub const HEAD: [&'static str; 7] = [
        "layer",
        "operation",
        "shape",
        "parameters",
        "multiply-adds",
        "stride",
        "field",
    ];
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
