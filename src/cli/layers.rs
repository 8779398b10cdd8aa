//! `convscope layers`: what is known of every node of a network.

use convscope::Result;
use convscope::fetch::weight_set;
use convscope::network::{info, zoo};
use serde::Serialize;

use super::table::{grouped, table};
use super::{Done, pretty, print};

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// An architecture: `resnet50`.
    #[arg(value_name = "MODEL")]
    model: String,
    /// A weight set, where sets differ in their graph (stride, head); by default the first.
    #[arg(long)]
    weights: Option<String>,
    /// Side of the picture in pixels; by default what the architecture was made for.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(i64).range(1..=16384))]
    input: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Layer<'a> {
    name: &'a str,
    op: &'a str,
    inputs: Vec<&'a str>,
    shape: &'a [i64],
    parameters: i64,
    multiply_adds: i64,
    stride: i64,
    receptive_field: i64,
}

impl Arguments {
    pub fn execute(&self) -> Result<Done> {
        let arch = zoo::find(&self.model)?;
        let set = match (
            &self.weights,
            weight_set(arch.name, self.weights.as_deref()),
        ) {
            (_, Ok(set)) => Some(set),
            (None, Err(_)) => None,
            (Some(_), Err(error)) => return Err(error),
        };
        let options = set.map(|set| set.options()).unwrap_or_default();
        let graph = arch.graph(options);
        let side = self.input.unwrap_or(arch.input);
        let all = info::of_graph(&graph, side, side)?;
        let layers: Vec<Layer> = graph
            .nodes()
            .iter()
            .zip(&all)
            .map(|(node, info)| Layer {
                name: &node.name,
                op: node.op.label(),
                inputs: node
                    .inputs
                    .iter()
                    .map(|&id| graph.node(id).name.as_str())
                    .collect(),
                shape: &info.shape,
                parameters: info.parameters,
                multiply_adds: info.multiply_adds,
                stride: info.stride,
                receptive_field: info.receptive_field,
            })
            .collect();
        if self.json {
            return print(&pretty(&layers)?);
        }
        let rows: Vec<Vec<String>> = layers.iter().map(row).collect();
        let head = [
            "layer",
            "operation",
            "shape",
            "parameters",
            "multiply-adds",
            "stride",
            "field",
        ];
        let sum = |of: fn(&Layer) -> i64| grouped(layers.iter().map(of).sum());
        print(&format!(
            "{}\n{} layers, {} parameters, {} multiply-adds for a picture of {side} × {side}\n",
            table(&head, &rows),
            layers.len(),
            sum(|layer| layer.parameters),
            sum(|layer| layer.multiply_adds),
        ))
    }
}

fn row(layer: &Layer) -> Vec<String> {
    let shape: Vec<String> = layer.shape.iter().map(i64::to_string).collect();
    // A field of 0 is the whole picture; a stride of 0 says that there are no places left.
    let number = |value: i64| match value {
        0 => "–".to_owned(),
        value => grouped(value),
    };
    vec![
        layer.name.to_owned(),
        layer.op.to_owned(),
        shape.join("×"),
        grouped(layer.parameters),
        grouped(layer.multiply_adds),
        number(layer.stride),
        number(layer.receptive_field),
    ]
}
