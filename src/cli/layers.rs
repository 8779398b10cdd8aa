//! `convscope layers`: prints the table of a network's layers.

use std::path::Path;

use convscope::Result;
use convscope::fetch::weight_set;
use convscope::network::graph::Graph;
use convscope::network::node_info::{self, NodeInfo};
use convscope::network::{pt2, zoo};
use convscope::session::LayerTable;
use convscope::text_table::grouped;

use super::exit_status::{Status, print, to_json};

#[derive(Debug, clap::Args)]
pub struct LayersArgs {
    /// An architecture: `resnet50`; or a `.pt2` file.
    #[arg(value_name = "MODEL")]
    model: String,
    /// A weight set, for architectures whose sets differ in stride or head; by default the first.
    #[arg(long)]
    weights: Option<String>,
    /// Side of the input in pixels; by default that of the architecture.
    #[arg(long, value_name = "PIXELS", value_parser = clap::value_parser!(i64).range(1..=16384))]
    input: Option<i64>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

impl LayersArgs {
    /// Prints the table or its JSON.
    pub fn run(&self) -> Result<Status> {
        if self.model.ends_with(".pt2") {
            return self.exported();
        }
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
        let all = node_info::from_graph(&graph, side, side)?;
        self.table(arch.name, &graph, &all, side)
    }

    /// The table of the network in a `.pt2` file.
    fn exported(&self) -> Result<Status> {
        let path = Path::new(&self.model);
        let exported = pt2::read(path)?;
        let graph = exported.network.graph();
        let side = self.input.unwrap_or(exported.input_size[0]);
        let all = node_info::from_graph(graph, side, side)?;
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        self.table(&name, graph, &all, side)
    }

    fn table(&self, name: &str, graph: &Graph, all: &[NodeInfo], side: i64) -> Result<Status> {
        let layers = LayerTable::new(name, graph, all);
        if self.json {
            return print(&to_json(&layers.layers)?);
        }
        let (parameters, multiply_adds) = layers.sums();
        print(&format!(
            "{layers}\n\n{} layers, {} parameters, {} multiply-adds for an input of {side} × {side}\n",
            layers.len(),
            grouped(parameters),
            grouped(multiply_adds),
        ))
    }
}
